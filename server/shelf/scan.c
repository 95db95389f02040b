// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/shelf/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "server/shelf/dumps.h"

/* Folders below the one that is named; entries of all folders together. */
enum { LEVELS = 4, ENTRIES_MOST = 1 << 22 };

struct scan {
	struct shelf_dumps *dumps;
	struct map known; /* of inodes: the first dump that has it, plus 1 */
	size_t *next;	  /* owned: of a dump, the next that has its inode, plus 1 */
	size_t known_count;
	dev_t device;
	size_t entries, left_out;
};

/* ---- what is known ---- */

static struct err *note_known(struct scan *s)
{
	s->known_count = s->dumps->count;
	s->next = calloc(s->known_count + 1, sizeof(*s->next));
	if (!s->next)
		return err_nomem();
	for (size_t i = 0; i < s->known_count; i++) {
		struct shelf_dump *d = &s->dumps->list[i];
		uint64_t first = 0;
		d->seen = false;
		(void)map_get(&s->known, d->stamp.inode, &first);
		s->next[i] = (size_t)first;
		if (!map_put(&s->known, d->stamp.inode, i + 1))
			return err_nomem();
	}
	return NULL;
}

static struct shelf_dump *find(const struct scan *s, uint64_t inode, const char *path)
{
	uint64_t at = 0;
	(void)map_get(&s->known, inode, &at);
	for (size_t i = (size_t)at; i; i = s->next[i - 1])
		if (!strcmp(s->dumps->list[i - 1].path, path))
			return &s->dumps->list[i - 1];
	return NULL;
}

/* ---- files ---- */

/* By its first bytes: what they say beyond this is looked at by a process that is confined. */
static bool begins_as_dump(int fd)
{
	enum { ET_CORE = 4 };
	static const struct {
		const char *bytes;
		size_t len;
	} magics[] = {
		{ "KDUMP   ", 8 },
		{ "makedumpfile", 12 },
		{ "EMiL", 4 },
	};
	char head[20];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n != (ssize_t)sizeof(head))
		return false;
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (!memcmp(head, magics[i].bytes, magics[i].len))
			return true;
	return !memcmp(head, "\177ELF", 4) && head[16] == ET_CORE && !head[17];
}

static bool is_dump(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	bool is = fd >= 0 && begins_as_dump(fd);
	if (fd >= 0)
		close(fd);
	return is;
}

static struct err *take_file(struct scan *s, int folder, const char *name, const char *path,
			     const struct stat *st)
{
	enum { LEAST = 4096 };
	const struct dump_stamp stamp = dump_stamp_of(st);
	struct shelf_dump *d = find(s, st->st_ino, path);
	if (d && dump_stamp_is(&d->stamp, &stamp)) {
		d->seen = true;
		return NULL;
	}
	if (st->st_size < LEAST || !is_dump(folder, name))
		return NULL;
	if (!d)
		return shelf_dumps_add(s->dumps, path, &stamp, &d);
	d->seen = true;
	return shelf_dump_forget(d, &stamp);
}

/* ---- folders ---- */

static struct err *take_folder(struct scan *s, int fd, struct buf *path, unsigned level);

static struct err *take_entry(struct scan *s, int folder, const char *name, struct buf *path,
			      unsigned level)
{
	struct stat st;
	size_t len = path->len;
	struct err *e = NULL;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != s->device)
		return NULL;
	buf_addf(path, "/%s", name);
	e = buf_error(path);
	if (!e && S_ISREG(st.st_mode)) {
		e = take_file(s, folder, name, path->data, &st);
	} else if (!e && S_ISDIR(st.st_mode) && level < LEVELS) {
		int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			s->left_out++;
		else
			e = take_folder(s, fd, path, level + 1);
	}
	buf_cut(path, len);
	return e;
}

/* Takes @fd. */
static struct err *take_folder(struct scan *s, int fd, struct buf *path, unsigned level)
{
	struct err *e = NULL;
	const struct dirent *entry;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_errno(errno, "read the folder %s", path->data);
	}
	while (!e && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (++s->entries > ENTRIES_MOST)
			e = err_new(ERR_UNSUPPORTED, "there are more than %d files below it",
				    ENTRIES_MOST);
		else
			e = take_entry(s, dirfd(dir), entry->d_name, path, level);
	}
	closedir(dir);
	return e;
}

struct err *shelf_scan(const char *folder, struct shelf_dumps *d, size_t *ret_left_out)
{
	struct scan s = { .dumps = d, .known = MAP_INIT };
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		return err_errno(why, "look for dumps in %s", folder);
	}
	s.device = st.st_dev;
	buf_addstr(&path, strcmp(folder, "/") != 0 ? folder : "");
	struct err *e = note_known(&s);
	if (e)
		close(fd);
	else
		e = take_folder(&s, fd, &path, 0);
	if (!e)
		shelf_dumps_drop_unseen(d);
	*ret_left_out = s.left_out;
	buf_free(&path);
	map_free(&s.known);
	free(s.next);
	return err_wrap(e, "look for dumps in %s", folder);
}
