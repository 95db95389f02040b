// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/qmp_copy.h"

#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/live/qmp.h"
#include "vmcore/live/qmp_text.h"
#include "vmcore/memory/memory.h"

/* A round trip to QEMU takes longer than copying 64 KiB; who reads on gets ever more at once. */
enum {
	BLOCK_SHIFT = 16,
	BLOCK_SIZE = 1 << BLOCK_SHIFT,
	BLOCKS = 64, /* a block has its place by its number */
	AHEAD_MAX = 16,
};

struct block {
	uint64_t start, end; /* physical addresses of what it holds; nothing if they are equal */
};

struct qmp_copy {
	struct qmp *q; /* borrowed */
	int fd;	       /* the anonymous file; -1 without pmemsave */
	char name[64]; /* what it is called within QEMU */
	struct block blocks[BLOCKS];
	uint8_t *bytes; /* BLOCKS blocks; owned */
	uint8_t *many;	/* AHEAD_MAX blocks; owned */
	uint64_t next;	/* behind the block that was fetched last */
	unsigned ahead; /* how many were fetched at once */
};

/* Hands the anonymous file to QEMU, which says what number it has there. */
static struct err *hand_over(struct qmp_copy *c)
{
	struct json_object *answer;
	c->fd = memfd_create("vmcore-gdbserver", MFD_CLOEXEC);
	if (c->fd < 0)
		return err_errno(errno, "make an anonymous file");
	struct err *e = qmp_command(c->q, "add-fd", NULL, c->fd, &answer);
	if (e)
		return e;
	struct json_object *number = qmp_member(answer, "fd");
	if (json_object_is_type(number, json_type_int))
		snprintf(c->name, sizeof(c->name), "/proc/self/fd/%d", json_object_get_int(number));
	json_object_put(answer);
	return *c->name ? NULL : err_new(ERR_FORMAT, "'add-fd' says no number");
}

static struct err *save(struct qmp_copy *c, uint64_t pa, uint8_t *out, size_t len)
{
	struct json_object *arguments = NULL;
	qmp_put_number(&arguments, "val", pa);
	qmp_put_number(&arguments, "size", len);
	qmp_put_string(&arguments, "filename", c->name);
	struct err *e = qmp_command(c->q, "pmemsave", arguments, -1, NULL);
	if (e)
		return e;
	ssize_t n = pread(c->fd, out, len, 0);
	if (n < 0)
		return err_errno(errno, "read what QEMU saved");
	if ((size_t)n != len)
		return err_new(ERR_IO, "QEMU saved %zd bytes of %zu", n, len);
	return NULL;
}

/* One page. */
static struct err *print(struct qmp_copy *c, uint64_t pa, uint8_t *out, size_t len)
{
	char command[64];
	char *text;
	snprintf(command, sizeof(command), "xp /%zugx 0x%" PRIx64, (len + 7) / 8, pa);
	struct err *e = qmp_monitor(c->q, command, &text);
	if (e)
		return e;
	if (qmp_words_parse(text, out, len) != len)
		e = err_new(ERR_IO, "QEMU does not print the memory at 0x%" PRIx64, pa);
	free(text);
	return e;
}

struct err *qmp_copy_new(struct qmp *q, uint64_t probe, struct qmp_copy **ret)
{
	struct qmp_copy *c = calloc(1, sizeof(*c));
	uint8_t bytes[64];
	if (!c)
		return err_nomem();
	c->q = q;
	c->fd = -1;
	c->bytes = malloc((size_t)BLOCKS * BLOCK_SIZE);
	c->many = malloc((size_t)AHEAD_MAX * BLOCK_SIZE);
	struct err *e = c->bytes && c->many ? hand_over(c) : err_nomem();
	if (!e)
		e = save(c, probe, bytes, sizeof(bytes));
	if (e && err_code(e) != ERR_NOMEM) {
		log_debug(LOG_MEMORY, "pmemsave: %s", err_msg(e));
		err_free(e);
		if (c->fd >= 0)
			close(c->fd);
		c->fd = -1;
		e = print(c, probe, bytes, sizeof(bytes));
	}
	if (e) {
		qmp_copy_free(c);
		return e;
	}
	*ret = c;
	return NULL;
}

void qmp_copy_free(struct qmp_copy *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->bytes);
	free(c->many);
	free(c);
}

const char *qmp_copy_way(const struct qmp_copy *c)
{
	return c->fd >= 0 ? "pmemsave" : "xp";
}

static size_t place_of(uint64_t pa)
{
	return (pa >> BLOCK_SHIFT) % BLOCKS;
}

/* The part of [@pa, @end) that lies within @ram. */
static struct block within(const struct qmp_ram *ram, uint64_t pa, uint64_t end)
{
	return (struct block){ pa > ram->at.start ? pa : ram->at.start,
			       end < ram->at.end ? end : ram->at.end };
}

/* Fetches the block of @pa, and those behind it if the one before was fetched last. */
static struct err *fetch(struct qmp_copy *c, const struct qmp_ram *ram, uint64_t pa)
{
	uint64_t first = pa & ~(uint64_t)(BLOCK_SIZE - 1);
	unsigned count = first == c->next && c->ahead ? 2 * c->ahead : 1;
	if (count > AHEAD_MAX)
		count = AHEAD_MAX;
	struct block all = within(ram, first, first + (uint64_t)count * BLOCK_SIZE);
	struct err *e = save(c, all.start, c->many, (size_t)(all.end - all.start));
	if (e)
		return e;
	for (uint64_t at = all.start; at < all.end;) {
		uint64_t end = (at | (BLOCK_SIZE - 1)) + 1;
		struct block *b = &c->blocks[place_of(at)];
		*b = within(ram, at, end);
		memcpy(c->bytes + place_of(at) * BLOCK_SIZE, c->many + (at - all.start),
		       (size_t)(b->end - b->start));
		at = b->end;
	}
	c->next = all.end;
	c->ahead = count;
	return NULL;
}

/* Its page of @ram, which is as much as `xp` is asked for at once. */
static struct err *fetch_page(struct qmp_copy *c, const struct qmp_ram *ram, uint64_t pa)
{
	uint64_t first = pa & ~(uint64_t)(PAGE_SIZE - 1);
	struct block page = within(ram, first, first + PAGE_SIZE);
	struct err *e = print(c, page.start, c->many, (size_t)(page.end - page.start));
	if (e)
		return e;
	c->blocks[place_of(pa)] = page;
	memcpy(c->bytes + place_of(pa) * BLOCK_SIZE, c->many, (size_t)(page.end - page.start));
	return NULL;
}

struct err *qmp_copy_read(struct qmp_copy *c, const struct qmp_ram *ram, uint64_t pa, void *out,
			  size_t len)
{
	const struct block *b = &c->blocks[place_of(pa)];
	if (pa < b->start || pa + len > b->end) {
		struct err *e = c->fd >= 0 ? fetch(c, ram, pa) : fetch_page(c, ram, pa);
		if (e)
			return err_wrap(e, "read guest memory at 0x%" PRIx64, pa);
	}
	memcpy(out, c->bytes + place_of(pa) * BLOCK_SIZE + (pa - b->start), len);
	return NULL;
}

void qmp_copy_forget(struct qmp_copy *c)
{
	memset(c->blocks, 0, sizeof(c->blocks));
	c->ahead = 0;
	c->next = 0;
}
