// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/unpack.h"

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/err.h"

enum {
	CHUNK = 64 << 10,
	/* Of what a module can be packed to: Debian's and Fedora's come to a third or a fifth. What
	 * is short may be all zeros. */
	RATIO_MAX = 64,
	ALWAYS_ALLOWED = 1 << 20,
	/* Of a decoder's memory: 8 MiB is what a kernel's build uses. */
	WINDOW_LOG_MAX = 27,
};

/* One being unpacked. */
struct unpacking {
	int in, out;
	uint64_t read_to; /* of in */
	uint64_t made, most;
	unsigned char packed[CHUNK], unpacked[CHUNK];
};

const char *unpack_kind(const void *head, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *kind;
	} kinds[] = {
		{ "\xfd"
		  "7zXZ",
		  6, "xz" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "\x1f\x8b", 2, "gzip" },
		{ "BZh", 3, "bzip2" },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (len >= kinds[i].len && !memcmp(head, kinds[i].magic, kinds[i].len))
			return kinds[i].kind;
	return NULL;
}

#if defined(HAVE_LZMA) || defined(HAVE_ZLIB) || defined(HAVE_ZSTD)
/* The next bytes of the input; 0 at its end. */
static struct err *fill(struct unpacking *u, size_t *ret)
{
	ssize_t n;
	do
		n = pread(u->in, u->packed, sizeof(u->packed), (off_t)u->read_to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(errno, "read it");
	u->read_to += (uint64_t)n;
	*ret = (size_t)n;
	return NULL;
}

/* Takes @len unpacked bytes. */
static struct err *emit(struct unpacking *u, size_t len)
{
	u->made += len;
	if (u->made > u->most)
		return err_new(ERR_FORMAT,
			       "it would grow to more than %llu MiB when it is unpacked, which no "
			       "file of a kernel does",
			       (unsigned long long)(u->most >> 20));
	for (size_t done = 0; done < len;) {
		ssize_t n = write(u->out, u->unpacked + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(n ? errno : ENOSPC, "unpack it");
		done += (size_t)n;
	}
	return NULL;
}

static struct err *cut_off(void)
{
	return err_new(ERR_FORMAT, "it is compressed and cut off");
}

static struct err *damaged(const char *why)
{
	return err_new(ERR_FORMAT, "it is compressed and damaged (%s)", why);
}
#endif

#ifdef HAVE_LZMA
static struct err *unpack_xz(struct unpacking *u)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret result = lzma_stream_decoder(&s, UINT64_C(1) << WINDOW_LOG_MAX, 0);
	struct err *e = result == LZMA_OK ? NULL : err_nomem();
	while (!e && result != LZMA_STREAM_END) {
		if (!s.avail_in) {
			s.next_in = u->packed;
			e = fill(u, &s.avail_in);
			if (!e && !s.avail_in)
				e = cut_off();
			if (e)
				break;
		}
		s.next_out = u->unpacked;
		s.avail_out = sizeof(u->unpacked);
		result = lzma_code(&s, LZMA_RUN);
		if (result == LZMA_OK || result == LZMA_STREAM_END)
			e = emit(u, sizeof(u->unpacked) - s.avail_out);
		else if (result == LZMA_MEMLIMIT_ERROR)
			e = err_new(ERR_FORMAT, "it wants more memory to be unpacked than any "
						"file of a kernel does");
		else if (result == LZMA_MEM_ERROR)
			e = err_nomem();
		else
			e = damaged("xz");
	}
	lzma_end(&s);
	return e;
}
#endif

#ifdef HAVE_ZLIB
static struct err *unpack_gzip(struct unpacking *u)
{
	enum { GZIP = 16 /* added to the logarithm of the window */ };
	z_stream s = { 0 };
	if (inflateInit2(&s, MAX_WBITS + GZIP) != Z_OK)
		return err_nomem();
	struct err *e = NULL;
	for (int result = Z_OK; !e && result != Z_STREAM_END;) {
		size_t len = 0;
		if (!s.avail_in) {
			e = fill(u, &len);
			if (!e && !len)
				e = cut_off();
			if (e)
				break;
			s.next_in = u->packed;
			s.avail_in = (uInt)len;
		}
		s.next_out = u->unpacked;
		s.avail_out = sizeof(u->unpacked);
		result = inflate(&s, Z_NO_FLUSH);
		if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
			e = emit(u, sizeof(u->unpacked) - s.avail_out);
		else
			e = damaged("gzip");
	}
	inflateEnd(&s);
	return e;
}
#endif

#ifdef HAVE_ZSTD
static struct err *unpack_zstd(struct unpacking *u)
{
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer in = { u->packed, 0, 0 };
	size_t result = 1;
	if (!s)
		return err_nomem();
	ZSTD_DCtx_setParameter(s, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	struct err *e = NULL;
	while (!e && result) {
		ZSTD_outBuffer out = { u->unpacked, sizeof(u->unpacked), 0 };
		if (in.pos == in.size) {
			in.pos = 0;
			e = fill(u, &in.size);
			if (!e && !in.size)
				e = cut_off();
			if (e)
				break;
		}
		result = ZSTD_decompressStream(s, &out, &in);
		e = ZSTD_isError(result) ? damaged("zstd") : emit(u, out.pos);
	}
	ZSTD_freeDStream(s);
	return e;
}
#endif

typedef struct err *unpacker(struct unpacking *u);

static unpacker *unpacker_of(const char *kind)
{
#ifdef HAVE_LZMA
	if (!strcmp(kind, "xz"))
		return unpack_xz;
#endif
#ifdef HAVE_ZLIB
	if (!strcmp(kind, "gzip"))
		return unpack_gzip;
#endif
#ifdef HAVE_ZSTD
	if (!strcmp(kind, "zstd"))
		return unpack_zstd;
#endif
	return NULL;
}

static struct err *run(unpacker *unpack, int fd, uint64_t size, uint64_t most, int *ret)
{
	struct unpacking *u = malloc(sizeof(*u));
	if (!u)
		return err_nomem();
	u->in = fd;
	u->out = memfd_create("unpacked", MFD_CLOEXEC);
	u->read_to = u->made = 0;
	u->most = size < most / RATIO_MAX ? size * RATIO_MAX + ALWAYS_ALLOWED : most;
	struct err *e = u->out < 0 ? err_errno(errno, "unpack it") : unpack(u);
	if (!e)
		*ret = u->out;
	else if (u->out >= 0)
		close(u->out);
	free(u);
	return e;
}

struct err *unpack_file(int fd, uint64_t most, int *ret)
{
	unsigned char head[8] = { 0 };
	struct stat st;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	const char *kind = n > 0 ? unpack_kind(head, (size_t)n) : NULL;
	*ret = -1;
	if (!kind)
		return NULL;
	unpacker *unpack = unpacker_of(kind);
	if (!unpack)
		return err_new(ERR_UNSUPPORTED,
			       "it is compressed with %s, which this program was built without; "
			       "decompress it first",
			       kind);
	if (fstat(fd, &st))
		return err_errno(errno, "look at it");
	return run(unpack, fd, (uint64_t)st.st_size, most, ret);
}

struct err *unpack_in_place(int *fd, uint64_t most, bool *ret_packed)
{
	int unpacked;
	struct err *e = unpack_file(*fd, most, &unpacked);
	*ret_packed = !e && unpacked >= 0;
	if (*ret_packed) {
		close(*fd);
		*fd = unpacked;
	}
	return e;
}
