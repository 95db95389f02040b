// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/team/notebook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/files.h"
#include "base/hex.h"

#define MAGIC "note1"

/* What tells whether the file is another now. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct notebook {
	char *path, *dump; /* owned; path NULL without a file */
	mode_t mode;
	struct note *list; /* owned */
	size_t count, room;
	struct stamp seen;
	bool read; /* the file was, as `seen` says */
	struct notes_left_out left_out;
};

static const char *const about_names[] = { [NOTE_DUMP] = "dump",
					   [NOTE_THREAD] = "thread",
					   [NOTE_FRAME] = "frame",
					   [NOTE_ADDRESS] = "address",
					   [NOTE_VM] = "vm" };

enum { ABOUTS = sizeof(about_names) / sizeof(*about_names) };

const char *note_about_name(enum note_about about)
{
	return about_names[about];
}

struct err *notebook_new(const char *path, mode_t mode, const char *dump, struct notebook **ret)
{
	struct notebook *n = calloc(1, sizeof(*n));
	if (!n)
		return err_nomem();
	n->path = path ? strdup(path) : NULL;
	n->dump = strdup(dump);
	n->mode = mode;
	if (!n->dump || (path && !n->path)) {
		notebook_free(n);
		return err_nomem();
	}
	*ret = n;
	return NULL;
}

static void free_note(struct note *note)
{
	free(note->who);
	free(note->text);
}

static void forget(struct notebook *n)
{
	for (size_t i = 0; i < n->count; i++)
		free_note(&n->list[i]);
	n->count = 0;
	n->left_out = (struct notes_left_out){ 0 };
}

void notebook_free(struct notebook *n)
{
	if (!n)
		return;
	forget(n);
	free(n->list);
	free(n->path);
	free(n->dump);
	free(n);
}

const char *notebook_path(const struct notebook *n)
{
	return n->path;
}

/* Takes *@note over, also if this fails. */
static struct err *add(struct notebook *n, struct note *note)
{
	if (n->count == NOTES_MAX) {
		n->left_out.too_many++;
		free_note(note);
		return NULL;
	}
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 16;
		struct note *list = reallocarray(n->list, room, sizeof(*list));
		if (!list) {
			free_note(note);
			return err_nomem();
		}
		n->list = list;
		n->room = room;
	}
	note->number = n->count + 1;
	n->list[n->count++] = *note;
	return NULL;
}

/* ---- a line ---- */

enum { MAGIC_FIELD, WHEN, WHO, DUMP, ABOUT, TID, FRAME, ADDRESS, TEXT, FIELDS };

static bool take_about(const char *name, enum note_about *ret)
{
	for (unsigned i = 0; i < ABOUTS; i++)
		if (!strcmp(name, about_names[i])) {
			*ret = (enum note_about)i;
			return true;
		}
	return false;
}

/* Whether @line, which is changed, is a note: of which dump goes to *ret_dump. The strings of *ret
 * lie in the line. */
static bool parse(char *line, struct note *ret, const char **ret_dump)
{
	char *fields[FIELDS];
	uint64_t when, frame;
	if (!fields_split(line, fields, FIELDS) || strcmp(fields[MAGIC_FIELD], MAGIC) != 0 ||
	    !number_parse(fields[WHEN], false, &when) || when > INT64_MAX ||
	    !field_decode(fields[WHO]) || !field_decode(fields[DUMP]) ||
	    !take_about(fields[ABOUT], &ret->subject.about) ||
	    !number_parse(fields[TID], false, &ret->subject.tid) ||
	    !number_parse(fields[FRAME], false, &frame) || frame > UINT32_MAX ||
	    !number_parse(fields[ADDRESS], false, &ret->subject.address) ||
	    !field_decode(fields[TEXT]) || !*fields[TEXT] || strlen(fields[TEXT]) > NOTE_TEXT_MAX)
		return false;
	ret->when = (int64_t)when;
	ret->subject.frame = (unsigned)frame;
	ret->who = fields[WHO];
	ret->text = fields[TEXT];
	*ret_dump = fields[DUMP];
	return true;
}

static struct err *take_line(struct notebook *n, char *line)
{
	struct note note = { 0 };
	const char *dump;
	if (!*line)
		return NULL;
	if (!parse(line, &note, &dump)) {
		n->left_out.damaged++;
		return NULL;
	}
	if (strcmp(dump, n->dump) != 0) {
		n->left_out.of_another++;
		return NULL;
	}
	note.who = strdup(note.who);
	note.text = strdup(note.text);
	if (!note.who || !note.text) {
		free_note(&note);
		return err_nomem();
	}
	return add(n, &note);
}

/* ---- the file ---- */

static struct err *cannot_read(const struct notebook *n, const char *why)
{
	return err_new(ERR_IO, "read the notes in %s: %s", n->path, why);
}

static struct err *read_file(const struct notebook *n, int fd, size_t size, struct buf *out)
{
	while (out->len < size) {
		if (!buf_reserve(out, size - out->len))
			return err_nomem();
		ssize_t got = pread(fd, out->data + out->len, size - out->len, (off_t)out->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot_read(n, strerror(errno));
		if (!got)
			break;
		out->len += (size_t)got;
	}
	if (!out->len)
		return NULL;
	out->data[out->len] = 0;
	return NULL;
}

/* A byte of 0 ends a line, as a line end does: what stands behind it is no note. */
static struct err *take_lines(struct notebook *n, struct buf *text)
{
	struct err *e = NULL;
	char *end = text->data + text->len;
	for (char *line = text->data; !e && line < end;) {
		char *next = memchr(line, '\n', (size_t)(end - line));
		if (next)
			*next = 0;
		e = take_line(n, line);
		line = next ? next + 1 : end;
	}
	return e;
}

static struct err *read_notes(struct notebook *n, int fd, const struct stat *st)
{
	struct buf text = BUF_INIT;
	if (st->st_size > FILES_APPEND_MOST)
		return cannot_read(n, "it is larger than 16 MiB: move it away");
	struct err *e = read_file(n, fd, (size_t)st->st_size, &text);
	forget(n);
	if (!e)
		e = take_lines(n, &text);
	buf_free(&text);
	return e;
}

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){ st->st_dev, st->st_ino, st->st_size, st->st_mtim };
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct err *look(struct notebook *n)
{
	struct stat st;
	if (!n->path)
		return NULL;
	if (files_stat(n->path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return cannot_read(n, strerror(errno));
		forget(n);
		n->read = false;
		return NULL;
	}
	if (!S_ISREG(st.st_mode))
		return cannot_read(n, "it is no file");
	struct stamp now = stamp_of(&st);
	if (n->read && is_same(&n->seen, &now))
		return NULL;
	int fd = files_open(n->path);
	if (fd < 0)
		return cannot_read(n, strerror(errno));
	/* Of the file that is open: there may be another by now. */
	struct err *e = fstat(fd, &st) ? cannot_read(n, strerror(errno)) : read_notes(n, fd, &st);
	close(fd);
	n->read = !e;
	n->seen = stamp_of(&st);
	return e;
}

struct err *notebook_list(struct notebook *n, const struct note **ret, size_t *ret_count)
{
	struct err *e = look(n);
	if (!e)
		notebook_known(n, ret, ret_count);
	return e;
}

void notebook_known(const struct notebook *n, const struct note **ret, size_t *ret_count)
{
	*ret = n->list;
	*ret_count = n->count;
}

struct notes_left_out notebook_left_out(const struct notebook *n)
{
	return n->left_out;
}

/* ---- adding ---- */

static struct err *cannot_keep(const struct notebook *n, int why)
{
	const char *what = why == ELOOP		? "it is a link"
			   : why == EMLINK	? "it has other names"
			   : why == EINVAL	? "it is no file"
			   : why == EFBIG	? "it has 16 MiB: move it away"
			   : why == EWOULDBLOCK ? "another program keeps it locked"
						: strerror(why);
	return err_new(ERR_IO,
		       "the note is not kept: write to %s: %s; --notes DIR names a folder where "
		       "notes can be kept",
		       n->path, what);
}

static void add_line(const struct notebook *n, const struct note *note, struct buf *out)
{
	const struct note_subject *s = &note->subject;
	buf_addf(out, MAGIC "\t%" PRId64 "\t", note->when);
	field_add(out, note->who);
	buf_addch(out, '\t');
	field_add(out, n->dump);
	buf_addf(out, "\t%s\t%" PRIu64 "\t%u\t0x%" PRIx64 "\t", about_names[s->about], s->tid,
		 s->frame, s->address);
	field_add(out, note->text);
	buf_addch(out, '\n');
}

static struct err *keep(const struct notebook *n, const struct note *note)
{
	struct buf line = BUF_INIT;
	add_line(n, note, &line);
	struct err *e = buf_error(&line);
	if (!e && files_append(n->path, line.data, line.len, n->mode))
		e = cannot_keep(n, errno);
	buf_free(&line);
	return e;
}

static struct err *check_text(const char *text)
{
	size_t len = strlen(text);
	if (!text[strspn(text, " \t")])
		return err_new(ERR_INVALID, "a note needs words");
	if (len > NOTE_TEXT_MAX)
		return err_new(ERR_INVALID, "a note has %d bytes at most; this one has %zu",
			       NOTE_TEXT_MAX, len);
	return NULL;
}

struct err *notebook_add(struct notebook *n, const struct note_subject *subject, const char *who,
			 const char *text)
{
	struct note note = { .when = time(NULL), .subject = *subject };
	struct err *e = check_text(text);
	if (!e)
		e = look(n);
	if (!e && n->count == NOTES_MAX)
		e = err_new(ERR_INVALID, "there are %d notes, and no more are kept", NOTES_MAX);
	if (e)
		return e;
	note.who = strdup(who);
	note.text = strdup(text);
	e = note.who && note.text ? NULL : err_nomem();
	if (!e && n->path)
		e = keep(n, &note);
	if (!e && !n->path)
		return add(n, &note);
	free_note(&note);
	return e ? e : look(n);
}
