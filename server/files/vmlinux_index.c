// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/vmlinux_index.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "server/files/index_section.h"
#include "server/files/overlay.h"
#include "vmcore/names/files/symbol_cache.h"

enum {
	INDEX_MAX = 256 << 20, /* bytes; a kernel's has 6 MB */
	LENGTH_SIZE = 8,       /* what comes first through the pipe */
	WAIT_MS = 1,
};

struct vmlinux_index {
	struct symbol_cache *cache; /* owned; NULL: no index is made */
	vmlinux_indexer *indexer;
	void *indexer_self;
	int fd;		  /* of the vmlinux; owned, -1 before */
	struct buf name;  /* of the file in the cache */
	int pipe;	  /* owned; -1: nothing is under way */
	struct buf bytes; /* of the index; while it comes, with its length before it */
	bool ready;
};

struct err *vmlinux_index_new(const struct vmlinux_index_options *options,
			      struct vmlinux_index **ret)
{
	struct vmlinux_index *x = calloc(1, sizeof(*x));
	if (!x)
		return err_nomem();
	x->indexer = options->indexer;
	x->indexer_self = options->indexer_self;
	x->fd = x->pipe = -1;
	buf_init(&x->name);
	buf_init(&x->bytes);
	struct err *e = options->folder ? symbol_cache_new(options->folder, &x->cache) : NULL;
	if (e) {
		vmlinux_index_free(x);
		return e;
	}
	*ret = x;
	return NULL;
}

void vmlinux_index_free(struct vmlinux_index *x)
{
	if (!x)
		return;
	if (x->fd >= 0)
		close(x->fd);
	if (x->pipe >= 0)
		close(x->pipe);
	symbol_cache_free(x->cache);
	buf_free(&x->name);
	buf_free(&x->bytes);
	free(x);
}

/* What was kept was written by this program, or by gdb, or by whoever owns the folder. */
static void check(struct vmlinux_index *x, const char *from)
{
	struct err *e = index_section_check(x->fd, &x->bytes);
	x->ready = !e;
	if (e) {
		log_debug(LOG_SYMBOLS, "the index of the vmlinux, %s: %s", from, err_msg(e));
		buf_free(&x->bytes);
	}
	err_free(e);
}

void vmlinux_index_begin(struct vmlinux_index *x, int fd, const char *build_id)
{
	if (!x->cache || x->fd >= 0 || !build_id || !index_section_is_wanted(fd))
		return;
	x->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	buf_addf(&x->name, "%s.gdb-index", build_id);
	if (x->fd < 0 || x->name.failed)
		return;
	if (symbol_cache_text(x->cache, x->name.data, INDEX_MAX, &x->bytes))
		check(x, x->name.data);
	if (x->ready || !x->indexer)
		return;
	x->pipe = x->indexer(x->indexer_self, x->fd);
	log_debug(LOG_SYMBOLS, "the index of the vmlinux is %s",
		  x->pipe < 0 ? strerror(errno) : "being made");
}

/* The other end is closed: whole or not at all. */
static void finish(struct vmlinux_index *x)
{
	close(x->pipe);
	x->pipe = -1;
	uint64_t len = x->bytes.len < LENGTH_SIZE ? 0 : get_u64(x->bytes.data);
	if (x->bytes.failed || !len || len != x->bytes.len - LENGTH_SIZE) {
		bool told = !len && x->bytes.len > LENGTH_SIZE;
		log_debug(LOG_SYMBOLS, "there is no index of the vmlinux: %s",
			  told ? x->bytes.data + LENGTH_SIZE : "making it broke off");
		buf_free(&x->bytes);
		return;
	}
	buf_drop(&x->bytes, LENGTH_SIZE);
	check(x, "made now");
	if (x->ready)
		symbol_cache_keep_text(x->cache, x->name.data, &x->bytes);
}

bool vmlinux_index_is_done(struct vmlinux_index *x)
{
	struct pollfd wait = { .fd = x->pipe, .events = POLLIN };
	if (x->pipe < 0 || !poll(&wait, 1, WAIT_MS))
		return x->pipe < 0;
	char part[1 << 16];
	ssize_t n = read(x->pipe, part, sizeof(part));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0)
		buf_add(&x->bytes, part, (size_t)n);
	if (n <= 0 || x->bytes.failed || x->bytes.len > INDEX_MAX)
		finish(x);
	return x->pipe < 0;
}

bool vmlinux_index_take(struct vmlinux_index *x, const struct overlay *cures, struct overlay *ret)
{
	if (!x->ready)
		return false;
	struct err *e = index_section_add(x->fd, &x->bytes, cures, ret);
	bool taken = !e;
	if (e)
		log_debug(LOG_SYMBOLS, "the index of the vmlinux: %s", err_msg(e));
	err_free(e);
	x->ready = false;
	buf_free(&x->bytes);
	return taken;
}
