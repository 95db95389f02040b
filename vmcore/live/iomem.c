// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/iomem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/hex.h"

enum {
	RANGES_MAX = 1 << 20,
	RANGES_LAST_MS = 1000, /* how long they are believed */
};

/*
 * "00100000-bffdffff : System RAM", indented where it lies within another; memory that was added
 * while running says by whom: "System RAM (kmem)", "System RAM (virtio_mem)".
 */
static bool parse_line(const char *line, struct pa_range *ret, const char **ret_name)
{
	uint64_t last;
	line += strspn(line, " ");
	size_t first_len = strcspn(line, "-");
	const char *second = line + first_len + (line[first_len] == '-');
	size_t second_len = strcspn(second, " ");
	if (!hex_u64(line, first_len, &ret->start) || !hex_u64(second, second_len, &last) ||
	    last < ret->start || last == UINT64_MAX)
		return false;
	ret->end = last + 1;
	*ret_name = second + second_len;
	return true;
}

static bool is_ram(const char *name)
{
	static const char ram[] = " : System RAM";
	return !strncmp(name, ram, strlen(ram)) && strchr(" \n", name[strlen(ram)]);
}

/* Sorts, and joins what overlaps or touches. */
static void settle(struct ram_map *m)
{
	size_t kept = 0;
	qsort(m->list, m->count, sizeof(*m->list), ranges_by_start);
	for (size_t i = 0; i < m->count; i++) {
		struct pa_range *last = kept ? &m->list[kept - 1] : NULL;
		if (last && m->list[i].start <= last->end) {
			if (m->list[i].end > last->end)
				last->end = m->list[i].end;
		} else {
			m->list[kept++] = m->list[i];
		}
	}
	m->count = kept;
}

static struct err *add(struct ram_map *m, size_t *capacity, struct pa_range range)
{
	if (m->count == RANGES_MAX)
		return err_new(ERR_FORMAT, "it lists more than %d ranges", RANGES_MAX);
	if (m->count == *capacity) {
		size_t grown = *capacity ? 2 * *capacity : 16;
		struct pa_range *list = reallocarray(m->list, grown, sizeof(*list));
		if (!list)
			return err_nomem();
		m->list = list;
		*capacity = grown;
	}
	m->list[m->count++] = range;
	return NULL;
}

static struct err *read_ranges(FILE *file, struct ram_map *m)
{
	char line[256];
	size_t capacity = 0;
	struct err *e = NULL;
	while (!e && fgets(line, sizeof(line), file)) {
		struct pa_range range;
		const char *name;
		if (!parse_line(line, &range, &name))
			continue;
		if (is_ram(name))
			e = add(m, &capacity, range);
		else if (!strcmp(name, " : Kernel code\n") && !m->kernel_code)
			m->kernel_code = range.start;
	}
	if (e)
		return e;
	if (ferror(file))
		return err_errno(errno, "read it");
	if (!m->count)
		return err_new(ERR_FORMAT, "it lists no System RAM");
	settle(m);
	/* Who may not see addresses sees zeros. */
	if (m->list[m->count - 1].end == 1)
		return err_new(ERR_IO,
			       "it shows no addresses: CAP_SYS_ADMIN is needed to see them");
	return NULL;
}

struct err *ram_map_read(const char *path, struct ram_map *ret)
{
	struct iomem m = IOMEM_INIT;
	struct err *e = iomem_open(path, &m);
	if (e)
		return e;
	*ret = m.ram;
	m.ram = (struct ram_map){ 0 };
	iomem_close(&m);
	return NULL;
}

void ram_map_free(struct ram_map *m)
{
	free(m->list);
	*m = (struct ram_map){ 0 };
}

const struct pa_range *ram_map_from(const struct ram_map *m, uint64_t pa)
{
	return ranges_from(m->list, m->count, sizeof(*m->list), pa);
}

bool ram_map_same(const struct ram_map *a, const struct ram_map *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->list, b->list, a->count * sizeof(*a->list)));
}

struct err *iomem_open(const char *path, struct iomem *ret)
{
	struct iomem m = { .file = fopen(path, "re"), .path = path };
	if (!m.file)
		return err_errno(errno, "find out from %s what is RAM", path);
	struct err *e = iomem_renew(&m);
	if (e) {
		iomem_close(&m);
		return e;
	}
	*ret = m;
	return NULL;
}

struct err *iomem_renew(struct iomem *m)
{
	struct ram_map map = { 0 };
	rewind(m->file);
	struct err *e = read_ranges(m->file, &map);
	if (e) {
		ram_map_free(&map);
		return err_wrap(e, "find out from %s what is RAM", m->path);
	}
	ram_map_free(&m->ram);
	m->ram = map;
	return NULL;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool iomem_is_old(const struct iomem *m)
{
	return now_ms() - m->looked_at >= RANGES_LAST_MS;
}

void iomem_looked(struct iomem *m)
{
	m->looked_at = now_ms();
}

void iomem_close(struct iomem *m)
{
	if (m->file)
		fclose(m->file);
	ram_map_free(&m->ram);
	err_free(m->why);
	*m = (struct iomem)IOMEM_INIT;
}
