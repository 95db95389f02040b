// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vFile:OPERATION:... (gdb manual, "Host I/O Packets"): files that the target names, to be read.
 * Replies are "F RESULT [, ERRNO] [; DATA]", where a RESULT of -1 is an error and all numbers are
 * hexadecimal. gdb's descriptor is the number of a slot in the session.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "proto/packet.h"
#include "proto/session.h"

enum {
	NAME_MAX_BYTES = 4096, /* PATH_MAX */
	/* gdb keeps the file of every library open: one a kernel module. */
	OPEN_MAX = 1024,
	READ_MAX = FRAME_PACKET_MAX,
	/*
	 * gdb asks for a whole packet however little it wants, and keeps what it gets; and it looks
	 * at the first bytes of every section of debug information before it reads any. So the
	 * first read at a place gets little, and those that go on from there more and more.
	 */
	READ_FIRST = 16 << 10,
	READ_GROWTH = 4,
};

/* gdb manual, "Errno Values"; the numbers are the protocol's, not the host's. */
enum file_error {
	FILE_ENOENT = 2,
	FILE_EIO = 5,
	FILE_EBADF = 9,
	FILE_EINVAL = 22,
	FILE_EMFILE = 24,
	FILE_EROFS = 30,
	FILE_ENAMETOOLONG = 91,
};

/* gdb manual, "Open Flags". */
enum {
	FILE_O_WRONLY = 0x1,
	FILE_O_RDWR = 0x2,
	FILE_O_APPEND = 0x8,
	FILE_O_CREAT = 0x200,
	FILE_O_TRUNC = 0x400,
	FILE_O_EXCL = 0x800,
	FILE_O_WRITES = FILE_O_WRONLY | FILE_O_RDWR | FILE_O_APPEND | FILE_O_CREAT | FILE_O_TRUNC,
};

/* gdb manual, "struct stat": packed, big endian, and what we say in it. */
enum {
	STAT_SIZE = 64,
	STAT_INO = 4,
	STAT_MODE = 8,
	STAT_NLINK = 12,
	STAT_LENGTH = 28,
	STAT_BLOCK_SIZE = 36,
	STAT_BLOCKS = 44,
	STAT_MTIME = 56,
	FILE_MODE = 0100444, /* a regular file, for reading */
	BLOCK_SIZE = 4096,
};

static void reply_result(struct reply *r, size_t result)
{
	reply_clear(r);
	buf_addf(r->out, "F%zx", result);
}

static void reply_failure(struct reply *r, enum file_error number, const char *why)
{
	reply_clear(r);
	buf_addf(r->out, "F-1,%x", (unsigned)number);
	reply_failed(r, why);
}

/* Says what kind of error @e is, which is freed. */
static void reply_file_err(struct reply *r, struct err *e)
{
	reply_failure(r, err_code(e) == ERR_NOTFOUND ? FILE_ENOENT : FILE_EIO, err_msg(e));
	err_free(e);
}

/*
 * Reads a file's name in hex, up to the end or a comma, into s->scratch. False, with the reply
 * made, if it is none.
 */
static bool parse_name(struct rsp *s, struct cursor *args, struct reply *r)
{
	size_t digits;
	cursor_expect(args, ':');
	const char *hex = cursor_until(args, ',', &digits);
	size_t len = digits / 2;
	buf_reset(&s->scratch);
	if (len > NAME_MAX_BYTES) {
		reply_failure(r, FILE_ENAMETOOLONG, "the name is longer than any file's");
		return false;
	}
	bool good = !args->bad && buf_reserve(&s->scratch, len) &&
		    hex_decode(s->scratch.data, hex, digits) && !memchr(s->scratch.data, 0, len);
	if (!good) {
		reply_failure(r, FILE_EINVAL, "it has no name in hex digits");
		return false;
	}
	s->scratch.len = len;
	s->scratch.data[len] = 0;
	return true;
}

static bool is_same(struct rsp *s, const struct file_reading *reading, struct target_file *file)
{
	struct target_file_status status;
	struct err *e = target_file_status(s->base, file, &status);
	bool same = !e && status.size == reading->size && status.mtime == reading->mtime;
	err_free(e);
	return same;
}

/*
 * Opens a file again that another process had open for the client. NULL, with the reply made if
 * *ret_result is PACKET_REPLY, while it is being made, or if it is not there as it was.
 */
static struct target_file *reopen(struct rsp *s, uint64_t fd, struct reply *r,
				  enum packet_result *ret_result)
{
	struct file_reading *reading = &s->files.readings[fd];
	struct target_file *file = NULL;
	struct err *e = target_open_file(s->base, reading->name, &file);
	if (e) {
		reply_file_err(r, e);
		return NULL;
	}
	if (!file) {
		*ret_result = PACKET_AGAIN;
		return NULL;
	}
	if (!is_same(s, reading, file)) {
		target_close_file(s->base, file);
		reply_failure(r, FILE_EIO,
			      "the file is another one than it was when it was opened");
		return NULL;
	}
	reading->lost = false;
	s->files.slots[fd] = file;
	return file;
}

/* ":FD"; the rest of the packet is still to come. NULL if it is not open, or not yet: then the
 * packet ends as *ret_result says, with the reply made if that is PACKET_REPLY. */
static struct target_file *parse_file(struct rsp *s, struct cursor *args, struct reply *r,
				      uint64_t *ret_fd, enum packet_result *ret_result)
{
	*ret_result = PACKET_REPLY;
	cursor_expect(args, ':');
	*ret_fd = cursor_hex(args);
	if (args->bad) {
		reply_failure(r, FILE_EINVAL, "it is malformed");
		return NULL;
	}
	if (*ret_fd < s->files.count && s->files.readings[*ret_fd].lost)
		return reopen(s, *ret_fd, r, ret_result);
	if (*ret_fd >= s->files.count || !s->files.slots[*ret_fd]) {
		reply_failure(r, FILE_EBADF, "no file of that number is open");
		return NULL;
	}
	return s->files.slots[*ret_fd];
}

/* vFile:setfs:PID: whose files the names are. There is one file system, that of the target that the
 * client connected to. */
enum packet_result packet_file_setfs(struct rsp *s, struct cursor *args, struct reply *r)
{
	cursor_expect(args, ':');
	uint64_t pid = cursor_hex(args);
	size_t process;
	if (cursor_done(args) && (pid == 0 || process_find(s, pid, &process)))
		reply_result(r, 0);
	else
		reply_failure(r, FILE_EINVAL, "it is malformed");
	return PACKET_REPLY;
}

/* Twice as many slots. */
static bool add_slots(struct open_files *files)
{
	size_t count = files->count ? 2 * files->count : 16;
	struct target_file **slots = reallocarray(files->slots, count, sizeof(*slots));
	if (!slots)
		return false;
	files->slots = slots;
	struct file_reading *readings = reallocarray(files->readings, count, sizeof(*readings));
	if (!readings)
		return false;
	files->readings = readings;
	memset(slots + files->count, 0, (count - files->count) * sizeof(*slots));
	memset(readings + files->count, 0, (count - files->count) * sizeof(*readings));
	files->count = count;
	return true;
}

/* The lowest free slot; false when the client has too many files open, or memory is out. */
static bool find_slot(struct open_files *files, size_t *ret)
{
	size_t slot = 0;
	while (slot < files->count && (files->slots[slot] || files->readings[slot].lost))
		slot++;
	*ret = slot;
	return slot < files->count || (slot < OPEN_MAX && add_slots(files));
}

/* Takes @file, which is open now as @slot; @name is copied. False when memory is out. */
static bool take_slot(struct rsp *s, size_t slot, const char *name, struct target_file *file)
{
	struct target_file_status status;
	struct file_reading *reading = &s->files.readings[slot];
	char *copy = strdup(name);
	if (!copy)
		return false;
	free(reading->name);
	*reading = (struct file_reading){ .name = copy };
	struct err *e = target_file_status(s->base, file, &status);
	if (!e) {
		reading->size = status.size;
		reading->mtime = status.mtime;
	}
	err_free(e);
	s->files.slots[slot] = file;
	s->files.changed = true;
	return true;
}

bool session_reserve_file(struct rsp *s, size_t slot, const char *name, uint64_t size,
			  int64_t mtime)
{
	struct open_files *files = &s->files;
	if (slot >= OPEN_MAX)
		return true;
	while (slot >= files->count)
		if (!add_slots(files))
			return false;
	struct file_reading *reading = &files->readings[slot];
	if (files->slots[slot] || reading->lost)
		return true;
	reading->name = strdup(name);
	reading->size = size;
	reading->mtime = mtime;
	reading->lost = reading->name != NULL;
	files->changed = true;
	return reading->lost;
}

/* ",FLAGS,MODE": the mode is for files that are made, which is never. */
static bool parse_flags(struct cursor *args, uint64_t *ret_flags)
{
	cursor_expect(args, ',');
	*ret_flags = cursor_hex(args);
	cursor_expect(args, ',');
	cursor_hex(args);
	return cursor_done(args);
}

/* Opens the file that the scratch buffer names. *ret stays NULL when the packet is to end as the
 * result says: the reply is made, or the file still is. */
static enum packet_result open_named(struct rsp *s, struct reply *r, struct target_file **ret)
{
	struct err *e = target_open_file(s->base, s->scratch.data, ret);
	if (e) {
		reply_file_err(r, e);
		return PACKET_REPLY;
	}
	return *ret ? PACKET_REPLY : PACKET_AGAIN;
}

/* vFile:open:NAME,FLAGS,MODE */
enum packet_result packet_file_open(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct target_file *file = NULL;
	uint64_t flags;
	size_t slot;
	if (!parse_name(s, args, r))
		return PACKET_REPLY;
	if (!parse_flags(args, &flags) || flags & ~(uint64_t)(FILE_O_WRITES | FILE_O_EXCL)) {
		reply_failure(r, FILE_EINVAL, "it is malformed");
		return PACKET_REPLY;
	}
	if (flags & FILE_O_WRITES) {
		reply_failure(r, FILE_EROFS, "files are for reading only");
		return PACKET_REPLY;
	}
	if (!find_slot(&s->files, &slot)) {
		reply_failure(r, FILE_EMFILE, "too many files are open, or memory is out");
		return PACKET_REPLY;
	}
	enum packet_result result = open_named(s, r, &file);
	if (!file)
		return result;
	if (!take_slot(s, slot, s->scratch.data, file)) {
		target_close_file(s->base, file);
		reply_failure(r, FILE_EMFILE, "memory is out");
		return PACKET_REPLY;
	}
	reply_result(r, slot);
	return PACKET_REPLY;
}

/*
 * The reply "F COUNT;DATA" with the first @len bytes of the scratch buffer, or as many as there is
 * room for when they are escaped. How many that is shows only then, so the data are moved up to
 * their number, which is returned.
 */
static size_t reply_data(struct rsp *s, struct reply *r, size_t len)
{
	static const char widest[] = "F100000;"; /* READ_MAX */
	enum { WIDEST = sizeof(widest) - 1 };
	char header[WIDEST + 1];
	reply_clear(r);
	buf_add(r->out, widest, WIDEST);
	size_t count = reply_binary(r, s->scratch.data, len);
	if (r->out->failed)
		return 0;
	size_t width = (size_t)snprintf(header, sizeof(header), "F%zx;", count);
	char *start = r->out->data + r->start;
	memcpy(start, header, width);
	memmove(start + width, start + WIDEST, r->out->len - r->start - WIDEST);
	buf_cut(r->out, r->out->len - (WIDEST - width));
	reply_changed(r);
	return count;
}

/* How many of @len bytes at @offset are read now: see READ_FIRST. A short answer is as good as any
 * other (gdb manual, "vFile:pread"): who wants more asks for the rest. */
static size_t read_length(struct file_reading *reading, uint64_t offset, uint64_t len)
{
	if (!len)
		return 0;
	if (offset != reading->next || !reading->window)
		reading->window = READ_FIRST;
	else if (reading->window < READ_MAX)
		reading->window *= READ_GROWTH;
	size_t most = reading->window < READ_MAX ? reading->window : READ_MAX;
	return len < most ? (size_t)len : most;
}

/* vFile:pread:FD,COUNT,OFFSET */
enum packet_result packet_file_read(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t fd;
	size_t done = 0;
	enum packet_result result;
	struct target_file *file = parse_file(s, args, r, &fd, &result);
	if (!file)
		return result;
	cursor_expect(args, ',');
	uint64_t len = cursor_hex(args);
	cursor_expect(args, ',');
	uint64_t offset = cursor_hex(args);
	if (!cursor_done(args)) {
		reply_failure(r, FILE_EINVAL, "it is malformed");
		return PACKET_REPLY;
	}
	struct file_reading *reading = &s->files.readings[fd];
	size_t now = read_length(reading, offset, len);
	buf_reset(&s->scratch);
	struct err *e = buf_reserve(&s->scratch, now) ? NULL : err_nomem();
	if (!e && now)
		e = target_read_file(s->base, file, offset, s->scratch.data, now, &done);
	if (e) {
		reply_file_err(r, e);
		return PACKET_REPLY;
	}
	size_t sent = reply_data(s, r, done);
	if (now)
		reading->next = offset + sent;
	return PACKET_REPLY;
}

static void put_be32(unsigned char *to, uint64_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put_be64(unsigned char *to, uint64_t value)
{
	put_be32(to, value >> 32);
	put_be32(to + 4, value);
}

/* The reply with @file's struct stat. */
static void reply_status(struct rsp *s, struct reply *r, struct target_file *file)
{
	struct target_file_status status;
	unsigned char stat[STAT_SIZE] = { 0 };
	struct err *e = target_file_status(s->base, file, &status);
	if (e) {
		reply_file_err(r, e);
		return;
	}
	put_be32(stat + STAT_INO, status.inode);
	put_be32(stat + STAT_MODE, FILE_MODE);
	put_be32(stat + STAT_NLINK, 1);
	put_be64(stat + STAT_LENGTH, status.size);
	put_be64(stat + STAT_BLOCK_SIZE, BLOCK_SIZE);
	put_be64(stat + STAT_BLOCKS, status.size / 512 + (status.size % 512 != 0));
	put_be32(stat + STAT_MTIME, (uint64_t)status.mtime);
	buf_addf(r->out, "F%x;", (unsigned)STAT_SIZE);
	reply_binary(r, stat, sizeof(stat));
}

/* vFile:fstat:FD */
enum packet_result packet_file_status(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t fd;
	enum packet_result result;
	struct target_file *file = parse_file(s, args, r, &fd, &result);
	if (!file)
		return result;
	if (cursor_done(args))
		reply_status(s, r, file);
	else
		reply_failure(r, FILE_EINVAL, "it is malformed");
	return PACKET_REPLY;
}

/* vFile:stat:NAME */
enum packet_result packet_file_stat(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct target_file *file = NULL;
	if (!parse_name(s, args, r))
		return PACKET_REPLY;
	if (!cursor_done(args)) {
		reply_failure(r, FILE_EINVAL, "it is malformed");
		return PACKET_REPLY;
	}
	enum packet_result result = open_named(s, r, &file);
	if (!file)
		return result;
	reply_status(s, r, file);
	target_close_file(s->base, file);
	return PACKET_REPLY;
}

/* vFile:close:FD */
enum packet_result packet_file_close(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t fd;
	enum packet_result result;
	struct target_file *file = parse_file(s, args, r, &fd, &result);
	if (!file)
		return result;
	if (!cursor_done(args)) {
		reply_failure(r, FILE_EINVAL, "it is malformed");
		return PACKET_REPLY;
	}
	target_close_file(s->base, file);
	s->files.slots[fd] = NULL;
	s->files.changed = true;
	reply_result(r, 0);
	return PACKET_REPLY;
}

/* vFile:pwrite, vFile:unlink: nothing is changed, whatever they name. */
enum packet_result packet_file_write(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
	reply_failure(r, FILE_EROFS, "files are for reading only");
	return PACKET_REPLY;
}
