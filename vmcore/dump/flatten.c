// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/flatten.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/file.h"

/*
 * struct makedumpfile_header and struct makedumpfile_data_header in makedumpfile.h; numbers are
 * big-endian on every machine.
 */
enum {
	FLAT_HEADER = 4096,
	AT_TYPE = 16,	    /* int64, 1 */
	AT_VERSION = 24,    /* int64, 1 */
	RECORD_HEADER = 16, /* int64 offset, int64 size; both -1 in the last one */
};

enum {
	CHUNK = 1 << 20,
	PROGRESS_STEP = 16 << 20,
	BLOCK = 4096, /* zeros of this size become holes */
};

/* What ext4 can hold; no dump comes near. */
static const uint64_t size_max = UINT64_C(1) << 44;

/* A file being put together. */
struct rebuild {
	const struct dump_file *in; /* borrowed */
	const struct dump_options *options;
	const char *folder; /* where @fd is, for messages */
	int fd;
	uint64_t size;	 /* nothing was written behind this */
	uint8_t *buffer; /* CHUNK bytes */
	uint64_t reported;
};

static uint64_t big_endian(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static const char *temporary_folder(void)
{
	const char *folder = getenv("TMPDIR");
	return folder && *folder ? folder : "/var/tmp";
}

static struct err *write_error(const struct rebuild *r, int errnum)
{
	if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
		return err_errno(errnum,
				 "it is flattened, and %s has no room to put it together, which "
				 "takes up to %" PRIu64 " MiB: make room, or set TMPDIR to a "
				 "folder that has it, or use makedumpfile -R",
				 r->folder, r->in->size >> 20);
	return err_errno(errnum, "write the reassembled dump in %s", r->folder);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

static struct err *write_all(struct rebuild *r, const uint8_t *p, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(r->fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return write_error(r, errno);
		p += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return NULL;
}

/* Zeros where nothing was written yet stay a hole. */
static struct err *put(struct rebuild *r, const uint8_t *p, size_t len, uint64_t at)
{
	struct err *e = NULL;
	while (len > 0 && !e) {
		size_t n = len < BLOCK ? len : BLOCK;
		if (at < r->size || !is_zero(p, n))
			e = write_all(r, p, n, at);
		p += n;
		len -= n;
		at += n;
		if (at > r->size)
			r->size = at;
	}
	return e;
}

static void report(struct rebuild *r, uint64_t done)
{
	if (!r->options->progress || (done < r->reported + PROGRESS_STEP && done < r->in->size))
		return;
	r->reported = done;
	r->options->progress(r->options->closure, "putting the flattened dump together", done,
			     r->in->size);
}

/* Copies a record of @len bytes that lies at @from to @to; *ret_cut if the file ends before. */
static struct err *copy_record(struct rebuild *r, uint64_t from, uint64_t len, uint64_t to,
			       bool *ret_cut)
{
	while (len > 0) {
		size_t n = len < CHUNK ? (size_t)len : CHUNK, done;
		struct err *e = dump_file_read_part(r->in, from, r->buffer, n, &done);
		if (!e)
			e = put(r, r->buffer, done, to);
		if (e)
			return e;
		if (done < n) {
			*ret_cut = true;
			return NULL;
		}
		from += n;
		to += n;
		len -= n;
		report(r, from);
	}
	return NULL;
}

static struct err *copy_records(struct rebuild *r, bool *ret_cut)
{
	uint64_t at = FLAT_HEADER;
	for (bool cut = false; !cut;) {
		uint8_t header[RECORD_HEADER];
		size_t done;
		struct err *e = dump_file_read_part(r->in, at, header, sizeof(header), &done);
		if (e)
			return e;
		if (done < sizeof(header)) {
			cut = true;
			*ret_cut = true;
			break;
		}
		uint64_t to = big_endian(header), len = big_endian(header + 8);
		if (to == UINT64_MAX)
			break;
		if (to > size_max || len == 0 || len > size_max - to)
			return err_new(ERR_FORMAT,
				       "it is flattened and damaged: the record at 0x%" PRIx64
				       " says 0x%" PRIx64 " bytes at 0x%" PRIx64,
				       at, len, to);
		at += sizeof(header);
		e = copy_record(r, at, len, to, &cut);
		if (e)
			return e;
		*ret_cut = cut;
		at += len;
	}
	return NULL;
}

static struct err *check_header(const struct dump_file *f)
{
	uint8_t header[FLAT_HEADER];
	struct err *e = dump_file_read(f, 0, header, sizeof(header),
				       "the header of the flattened "
				       "format");
	if (e)
		return e;
	uint64_t type = big_endian(header + AT_TYPE), version = big_endian(header + AT_VERSION);
	if (type != 1 || version != 1)
		return err_new(ERR_UNSUPPORTED,
			       "it is flattened in a way that is not known here (type %" PRIu64
			       ", version %" PRIu64 "): use makedumpfile -R",
			       type, version);
	return NULL;
}

static struct err *rebuild(struct rebuild *r, bool *ret_cut)
{
	struct err *e = copy_records(r, ret_cut);
	if (e)
		return e;
	if (r->size == 0)
		return err_new(ERR_FORMAT, "it is flattened, and there is nothing in it");
	report(r, r->in->size);
	/* The file may end in a hole. */
	if (ftruncate(r->fd, (off_t)r->size) < 0)
		return write_error(r, errno);
	return NULL;
}

struct err *flatten_undo(struct dump_file *f, const struct dump_options *options)
{
	struct err *e = check_header(f);
	if (e)
		return e;
	struct rebuild r = { .in = f, .options = options, .folder = temporary_folder() };
	r.fd = files_temporary(r.folder, 0600);
	if (r.fd < 0)
		return err_errno(errno,
				 "it is flattened, and no temporary file to put it together can be "
				 "made in %s: set TMPDIR to another folder",
				 r.folder);
	r.buffer = malloc(CHUNK);
	bool cut = false;
	e = r.buffer ? rebuild(&r, &cut) : err_nomem();
	free(r.buffer);
	if (e) {
		close(r.fd);
		return e;
	}
	log_debug(LOG_DUMP, "%s: flattened, %" PRIu64 " bytes put together in %s", f->path, r.size,
		  r.folder);
	close(f->fd);
	f->fd = r.fd;
	f->size = r.size;
	f->flattened = true;
	f->cut = cut;
	return NULL;
}
