// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/package_stream.h"

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include "base/buf.h"
#include "base/err.h"
#include "base/printable.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/unpack.h"

/* deb(5): an ar archive. rpm: a "lead" of fixed form (rpmlead.h) in front of all else. */
static const char deb_magic[] = "!<arch>\n";
static const char rpm_magic[] = "\xed\xab\xee\xdb";

/* tar(5): in the header of its first file, with the digits of its version or GNU's blanks behind
 * it. */
static const char tar_magic[] = "ustar";
enum { TAR_MAGIC_AT = 257 };

enum package_kind { NO_PACKAGE, DEB, RPM, TAR };

/* Whether a compressed file called @path has a tar archive in it: NAME.tar.xz and the like, which
 * only unpacking would tell for certain. */
static bool has_tar_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strstr(slash ? slash + 1 : path, ".tar.");
}

static enum package_kind kind_of(int fd, const char *path)
{
	char head[TAR_MAGIC_AT + sizeof(tar_magic) - 1] = { 0 };
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < (ssize_t)sizeof(deb_magic) - 1)
		return NO_PACKAGE;
	if (!memcmp(head, deb_magic, sizeof(deb_magic) - 1))
		return DEB;
	if (!memcmp(head, rpm_magic, sizeof(rpm_magic) - 1))
		return RPM;
	if (!memcmp(head + TAR_MAGIC_AT, tar_magic, sizeof(tar_magic) - 1))
		return TAR;
	return unpack_kind(head, (size_t)n) && has_tar_name(path) ? TAR : NO_PACKAGE;
}

bool package_stream_is_package(const char *path)
{
	int fd;
	struct err *e = debug_file_open_regular(path, &fd);
	if (e) {
		err_free(e);
		return false;
	}
	bool is = kind_of(fd, path) != NO_PACKAGE;
	close(fd);
	return is;
}

#ifdef HAVE_LIBARCHIVE
enum {
	BLOCK = 1 << 20, /* bytes read at a time */
	/* How much more comes out than went in. Packages of kernels come to a tenth at least. */
	RATIO_MAX = 64,
	ALWAYS_ALLOWED = 64 << 20,
	MEMBERS_MAX = 16, /* of a .deb; deb(5) has three */
};

struct package_stream {
	int fd; /* owned */
	uint64_t total;
	struct archive *deb;   /* owned; the .deb around it, or NULL */
	struct archive *files; /* owned */
	uint64_t made;	       /* bytes that came out so far */
	bool unread;	       /* of the file at hand something is left */
};

void package_stream_close(struct package_stream *s)
{
	if (!s)
		return;
	archive_read_free(s->files);
	archive_read_free(s->deb);
	close(s->fd);
	free(s);
}

/* What libarchive says of @a. Its words may have some of the archive's in them. */
static struct err *failure(struct archive *a)
{
	const char *why = archive_error_string(a);
	struct buf words = BUF_INIT;
	add_printable(&words, why ? why : "no reason is known");
	struct err *e = err_new(ERR_FORMAT, "it is damaged or cut off (%s)", words.data);
	buf_free(&words);
	return e;
}

/* What distributions pack with. libarchive would start programs for what it was built without:
 * never. */
static int allow_filters(struct archive *a)
{
	int worst = ARCHIVE_OK;
	if (archive_zlib_version())
		worst |= archive_read_support_filter_gzip(a);
	if (archive_liblzma_version()) {
		worst |= archive_read_support_filter_xz(a);
		worst |= archive_read_support_filter_lzma(a);
	}
	if (archive_bzlib_version())
		worst |= archive_read_support_filter_bzip2(a);
	if (archive_libzstd_version())
		worst |= archive_read_support_filter_zstd(a);
	return worst;
}

static struct archive *new_archive(void)
{
	struct archive *a = archive_read_new();
	if (!a || allow_filters(a) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

static struct err *open_rpm(struct package_stream *s)
{
	s->files = new_archive();
	if (!s->files)
		return err_nomem();
	archive_read_support_filter_rpm(s->files);
	archive_read_support_format_cpio(s->files);
	if (archive_read_open_fd(s->files, s->fd, BLOCK) != ARCHIVE_OK)
		return failure(s->files);
	return NULL;
}

/* The bytes of data.tar, for the archive in it. */
static la_ssize_t read_member(struct archive *a, void *closure, const void **ret)
{
	struct package_stream *s = closure;
	size_t len = 0;
	la_int64_t at;
	*ret = NULL;
	int result = archive_read_data_block(s->deb, ret, &len, &at);
	if (result == ARCHIVE_EOF)
		return 0;
	if (result == ARCHIVE_OK)
		return (la_ssize_t)len;
	const char *why = archive_error_string(s->deb);
	archive_set_error(a, archive_errno(s->deb), "%s", why ? why : "no reason is known");
	return -1;
}

/* Goes to the member that has the files: data.tar, data.tar.xz, ... */
static struct err *find_data(struct archive *deb)
{
	static const char data[] = "data.tar";
	for (int i = 0; i < MEMBERS_MAX; i++) {
		struct archive_entry *entry;
		int result = archive_read_next_header(deb, &entry);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return failure(deb);
		const char *name = archive_entry_pathname(entry);
		if (name && !strncmp(name, data, sizeof(data) - 1))
			return NULL;
	}
	return err_new(ERR_FORMAT, "it is no Debian package: there is no data.tar in it");
}

static struct err *open_deb(struct package_stream *s)
{
	s->deb = archive_read_new();
	s->files = new_archive();
	if (!s->deb || !s->files)
		return err_nomem();
	archive_read_support_format_ar(s->deb);
	if (archive_read_open_fd(s->deb, s->fd, BLOCK) != ARCHIVE_OK)
		return failure(s->deb);
	struct err *e = find_data(s->deb);
	if (e)
		return e;
	archive_read_support_format_tar(s->files);
	if (archive_read_open(s->files, s, NULL, read_member, NULL) != ARCHIVE_OK)
		return failure(s->files);
	return NULL;
}

static struct err *open_tar(struct package_stream *s)
{
	s->files = new_archive();
	if (!s->files)
		return err_nomem();
	archive_read_support_format_tar(s->files);
	if (archive_read_open_fd(s->files, s->fd, BLOCK) != ARCHIVE_OK)
		return failure(s->files);
	return NULL;
}

struct err *package_stream_open(const char *path, struct package_stream **ret)
{
	static struct err *(*const openers[])(struct package_stream * s) = {
		[DEB] = open_deb,
		[RPM] = open_rpm,
		[TAR] = open_tar,
	};
	struct stat st;
	struct package_stream *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	struct err *e = debug_file_open_regular(path, &s->fd);
	if (e) {
		free(s);
		return e;
	}
	enum package_kind kind = kind_of(s->fd, path);
	s->total = fstat(s->fd, &st) ? 0 : (uint64_t)st.st_size;
	e = kind == NO_PACKAGE ? err_new(ERR_FORMAT, "it is no package") : openers[kind](s);
	if (e) {
		package_stream_close(s);
		return e;
	}
	*ret = s;
	return NULL;
}

uint64_t package_stream_done(const struct package_stream *s)
{
	la_int64_t done = archive_filter_bytes(s->deb ? s->deb : s->files, -1);
	return done < 0 ? 0 : (uint64_t)done;
}

uint64_t package_stream_total(const struct package_stream *s)
{
	return s->total;
}

/* The next bytes of the file at hand; *ret_end is set behind its last. */
static struct err *next_block(struct package_stream *s, uint64_t *ret_at, const void **ret_data,
			      size_t *ret_len, bool *ret_end)
{
	la_int64_t at = 0;
	const void *data = NULL;
	size_t len = 0;
	int result = archive_read_data_block(s->files, &data, &len, &at);
	*ret_end = result == ARCHIVE_EOF;
	if (*ret_end) {
		s->unread = false;
		return NULL;
	}
	if (result != ARCHIVE_OK || at < 0)
		return failure(s->files);
	s->made += len;
	if (s->made > ALWAYS_ALLOWED + RATIO_MAX * package_stream_done(s))
		return err_new(ERR_FORMAT,
			       "it would grow to more than %d times its size when it is unpacked, "
			       "which no package of a kernel does",
			       RATIO_MAX);
	*ret_at = (uint64_t)at;
	*ret_data = data;
	*ret_len = len;
	return NULL;
}

struct err *package_stream_read(struct package_stream *s, package_stream_take *take, void *closure)
{
	for (;;) {
		uint64_t at = 0;
		const void *data = NULL;
		size_t len = 0;
		bool end;
		struct err *e = next_block(s, &at, &data, &len, &end);
		if (!e && !end && len)
			e = take(closure, at, data, len);
		if (e || end)
			return e;
	}
}

static struct err *pass_over(void *closure, uint64_t at, const void *data, size_t len)
{
	(void)closure, (void)at, (void)data, (void)len;
	return NULL;
}

/* Where the name begins that other systems would have for "./usr/lib" or "/usr/lib". */
static const char *without_root(const char *path)
{
	if (path[0] == '.' && path[1] == '/')
		path++;
	while (*path == '/')
		path++;
	return path;
}

struct err *package_stream_next(struct package_stream *s, struct package_entry *ret, bool *ret_end)
{
	for (;;) {
		struct archive_entry *entry;
		/* libarchive passes over the rest, too, but without a bound. */
		struct err *e = s->unread ? package_stream_read(s, pass_over, NULL) : NULL;
		if (e)
			return e;
		int result = archive_read_next_header(s->files, &entry);
		*ret_end = result == ARCHIVE_EOF;
		if (*ret_end)
			return NULL;
		/* A warning is of a name that is not of this locale's letters. */
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return failure(s->files);
		s->unread = true;
		const char *path = archive_entry_pathname(entry);
		la_int64_t size = archive_entry_size(entry);
		if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
		    !path || size <= 0)
			continue;
		*ret = (struct package_entry){ without_root(path), (uint64_t)size };
		return NULL;
	}
}
#else

struct package_stream {
	int unused;
};

struct err *package_stream_open(const char *path, struct package_stream **ret)
{
	(void)path, (void)ret;
	return err_new(ERR_UNSUPPORTED, "it is a package, which this program was built without "
					"libarchive to read; unpack it first");
}

void package_stream_close(struct package_stream *s)
{
	free(s);
}

struct err *package_stream_next(struct package_stream *s, struct package_entry *ret, bool *ret_end)
{
	(void)s, (void)ret;
	*ret_end = true;
	return NULL;
}

struct err *package_stream_read(struct package_stream *s, package_stream_take *take, void *closure)
{
	(void)s, (void)take, (void)closure;
	return NULL;
}

uint64_t package_stream_done(const struct package_stream *s)
{
	(void)s;
	return 0;
}

uint64_t package_stream_total(const struct package_stream *s)
{
	(void)s;
	return 0;
}
#endif
