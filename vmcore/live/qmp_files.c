// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/qmp_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/live/qmp.h"
#include "vmcore/live/qmp_copy.h"
#include "vmcore/live/qmp_text.h"
#include "vmcore/memory/memory.h"

enum {
	BACKENDS_MAX = 256,
	CANDIDATES_MAX = 4096, /* descriptors of QEMU that are looked at */
	SAMPLES = 4096,	       /* places in a range that are looked at for a page that tells */
	ENOUGH = 8,	       /* pages that tell and are the same prove it */
	/* Bytes of a page that are not 0: fewer could be the same by chance. */
	TELLING = 64,
	ATTEMPTS = 4, /* to read a page that changes all the time */
};

struct backend {
	char id[128];
	char kind[48];
};

struct search {
	struct qmp *q;
	struct qmp_copy *copy;
	const struct qmp_map *map;
	struct qmp_files *files;
};

/* ---- is it the file? ---- */

static bool is_region_of(const struct qmp_ram *ram, const struct backend *b)
{
	return !strcmp(ram->region, b->id);
}

static bool tells(const uint8_t *page)
{
	unsigned others = 0;
	for (size_t i = 0; i < PAGE_SIZE && others < TELLING; i++)
		others += page[i] && page[i] != page[0];
	return others >= TELLING;
}

static bool read_page(int fd, uint64_t offset, uint8_t *page)
{
	return pread(fd, page, PAGE_SIZE, (off_t)offset) == PAGE_SIZE;
}

enum verdict { SAME, OTHER, UNKNOWN };

static enum verdict compare_page(const struct search *s, const struct qmp_ram *ram, int fd,
				 uint64_t pa)
{
	uint8_t ours[PAGE_SIZE], theirs[PAGE_SIZE];
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (!read_page(fd, ram->offset + (pa - ram->at.start), ours))
			return OTHER;
		if (!tells(ours))
			return UNKNOWN;
		qmp_copy_forget(s->copy);
		struct err *e = qmp_copy_read(s->copy, ram, pa, theirs, PAGE_SIZE);
		if (e) {
			log_debug(LOG_MEMORY, "%s", err_msg(e));
			err_free(e);
			return UNKNOWN;
		}
		if (!memcmp(ours, theirs, PAGE_SIZE))
			return SAME;
	}
	return OTHER;
}

/* Looks at pages all over the backend's ranges. A machine that runs may change some of them between
 * the two reads every time; of another file's next to none would be the same. */
static bool holds(const struct search *s, const struct backend *b, int fd)
{
	unsigned same = 0, other = 0;
	for (size_t i = 0; i < s->map->count; i++) {
		const struct qmp_ram *ram = &s->map->list[i];
		uint64_t step = (ram->at.end - ram->at.start) / SAMPLES / PAGE_SIZE * PAGE_SIZE;
		if (!is_region_of(ram, b))
			continue;
		if (step < PAGE_SIZE)
			step = PAGE_SIZE;
		/* Odd steps: tables and stacks lie at powers of two. */
		step += step > PAGE_SIZE ? PAGE_SIZE : 0;
		unsigned here = 0;
		for (uint64_t pa = ram->at.start; ram->at.end - pa >= PAGE_SIZE && here < ENOUGH;) {
			enum verdict v = compare_page(s, ram, fd, pa);
			same += v == SAME;
			other += v == OTHER;
			here += v != UNKNOWN;
			if (ram->at.end - pa <= step)
				break;
			pa += step;
		}
		if (other > 2 * ENOUGH && other > same)
			return false;
	}
	log_debug(LOG_MEMORY, "memory backend '%s': %u pages are the same, %u others", b->id, same,
		  other);
	return same >= ENOUGH && same / 4 >= other;
}

static bool is_large_enough(int fd, const struct search *s, const struct backend *b)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	for (size_t i = 0; i < s->map->count; i++) {
		const struct qmp_ram *ram = &s->map->list[i];
		if (is_region_of(ram, b) &&
		    ram->offset + (ram->at.end - ram->at.start) > (uint64_t)st.st_size)
			return false;
	}
	return true;
}

/* ---- where it may be ---- */

/* Opens @path and takes it if it is the file; *ret is -1 if not. */
static int try_path(const struct search *s, const struct backend *b, const char *path)
{
	struct stat st;
	/* To open a device may do something. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (is_large_enough(fd, s, b) && holds(s, b, fd))
		return fd;
	close(fd);
	return -1;
}

static int try_mem_path(const struct search *s, const struct backend *b)
{
	char object[256];
	struct json_object *path, *arguments = NULL;
	snprintf(object, sizeof(object), "/objects/%s", b->id);
	qmp_put_string(&arguments, "path", object);
	qmp_put_string(&arguments, "property", "mem-path");
	struct err *e = qmp_command(s->q, "qom-get", arguments, -1, &path);
	if (e) {
		err_free(e);
		return -1;
	}
	int fd = -1;
	if (json_object_is_type(path, json_type_string))
		fd = try_path(s, b, json_object_get_string(path));
	json_object_put(path);
	return fd;
}

/* A memfd, or a file without a name as those in hugetlbfs are, is found among QEMU's descriptors;
 * to see those one must be the same user, or root. */
static int try_descriptors(const struct search *s, const struct backend *b)
{
	char folder[64], path[64 + 256];
	int fd = -1;
	snprintf(folder, sizeof(folder), "/proc/%ld/fd", (long)qmp_peer(s->q));
	DIR *dir = opendir(folder);
	if (!dir) {
		log_debug(LOG_MEMORY, "%s: %s", folder, strerror(errno));
		return -1;
	}
	const struct dirent *entry;
	for (unsigned i = 0; fd < 0 && i < CANDIDATES_MAX && (entry = readdir(dir)); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		fd = try_path(s, b, path);
	}
	closedir(dir);
	return fd;
}

/* ---- all backends ---- */

static void take(const struct search *s, const struct backend *b, int fd)
{
	struct qmp_files *f = s->files;
	f->opened[f->opened_count++] = fd;
	for (size_t i = 0; i < s->map->count; i++)
		if (is_region_of(&s->map->list[i], b))
			f->of_range[i] = fd;
	if (!*f->kind)
		snprintf(f->kind, sizeof(f->kind), "%s '%.24s'", b->kind, b->id);
}

static size_t array_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

/* The backend with this id among the children of /objects says what it is. */
static void find_kind(struct json_object *objects, struct backend *b)
{
	for (size_t i = 0; i < array_length(objects); i++) {
		struct json_object *object = json_object_array_get_idx(objects, i);
		const char *name = qmp_member_string(object, "name");
		const char *type = qmp_member_string(object, "type");
		if (name && type && !strcmp(name, b->id) && !strncmp(type, "child<", 6))
			snprintf(b->kind, sizeof(b->kind), "%.*s", (int)strcspn(type + 6, ">"),
				 type + 6);
	}
}

static void find_one(const struct search *s, struct json_object *memdev,
		     struct json_object *objects)
{
	struct backend b = { 0 };
	const char *id = qmp_member_string(memdev, "id");
	if (!id || strlen(id) >= sizeof(b.id) ||
	    !json_object_get_boolean(qmp_member(memdev, "share")))
		return;
	strcpy(b.id, id);
	strcpy(b.kind, "memory backend");
	find_kind(objects, &b);
	int fd = try_mem_path(s, &b);
	if (fd < 0)
		fd = try_descriptors(s, &b);
	if (fd >= 0)
		take(s, &b, fd);
}

/* Those that cannot be asked for are none. */
static struct json_object *ask(struct qmp *q, const char *command, struct json_object *arguments)
{
	struct json_object *answer = NULL;
	struct err *e = qmp_command(q, command, arguments, -1, &answer);
	if (e)
		log_debug(LOG_MEMORY, "%s", err_msg(e));
	err_free(e);
	return answer;
}

struct err *qmp_files_find(struct qmp *q, struct qmp_copy *copy, const struct qmp_map *map,
			   struct qmp_files *ret)
{
	struct qmp_files f = { 0 };
	const struct search s = { q, copy, map, &f };
	f.of_range = calloc(map->count, sizeof(*f.of_range));
	f.opened = calloc(BACKENDS_MAX, sizeof(*f.opened));
	if (!f.of_range || !f.opened) {
		qmp_files_close(&f);
		return err_nomem();
	}
	for (size_t i = 0; i < map->count; i++)
		f.of_range[i] = -1;
	struct json_object *memdevs = ask(q, "query-memdev", NULL);
	struct json_object *arguments = NULL;
	qmp_put_string(&arguments, "path", "/objects");
	struct json_object *objects = ask(q, "qom-list", arguments);
	for (size_t i = 0; i < array_length(memdevs) && i < BACKENDS_MAX; i++)
		find_one(&s, json_object_array_get_idx(memdevs, i), objects);
	json_object_put(memdevs);
	json_object_put(objects);
	*ret = f;
	return NULL;
}

void qmp_files_close(struct qmp_files *f)
{
	for (size_t i = 0; i < f->opened_count; i++)
		close(f->opened[i]);
	free(f->opened);
	free(f->of_range);
	*f = (struct qmp_files){ 0 };
}
