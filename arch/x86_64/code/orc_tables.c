// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/code/orc_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/code/orc_file.h"
#include "arch/x86_64/unwind/orc.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/ko_file.h"

/* Debian's kernels have 600,000 entries, in 6 MB. */
enum { ENTRIES_MAX = 8 << 20, IP_BYTES = 4 };

/* One table: its entries by the address where each begins to hold; it holds up to the next one's.
 */
struct table {
	bool tried;
	unsigned generation; /* of the modules' files, then */
	size_t count;
	uint64_t *starts;    /* owned; ascending */
	unsigned char *rows; /* owned; ORC_RAW_BYTES each */
};

struct orc_tables {
	const struct kernel *k; /* borrowed, like the next */
	const struct modules *modules;
	struct module_files *files; /* borrowed; NULL: there are none */
	bool format_known;
	enum orc_format format; /* of all tables: modules are built like their kernel */
	struct table kernel;
	struct table *of_modules; /* owned; by index of modules */
};

/* Where a table lies in memory. */
struct place {
	uint64_t rows, ips, count;
};

struct err *orc_tables_new(const struct kernel *k, const struct modules *modules,
			   struct module_files *files, struct orc_tables **ret)
{
	struct orc_tables *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->k = k;
	t->modules = modules;
	t->files = files;
	t->of_modules = calloc(modules->count + 1, sizeof(*t->of_modules));
	if (!t->of_modules) {
		free(t);
		return err_nomem();
	}
	*ret = t;
	return NULL;
}

static void free_table(struct table *t)
{
	free(t->starts);
	free(t->rows);
	t->starts = NULL;
	t->rows = NULL;
	t->count = 0;
}

void orc_tables_free(struct orc_tables *t)
{
	if (!t)
		return;
	free_table(&t->kernel);
	for (size_t i = 0; i < t->modules->count; i++)
		free_table(&t->of_modules[i]);
	free(t->of_modules);
	free(t);
}

/* ---- order ---- */

static bool is_sorted(const struct table *t)
{
	for (size_t i = 1; i < t->count; i++)
		if (t->starts[i] < t->starts[i - 1])
			return false;
	return true;
}

struct row {
	uint64_t start;
	unsigned char raw[ORC_RAW_BYTES];
	bool weak;
};

/* As orc_sort_cmp() in arch/x86/kernel/unwind_orc.c: where a real entry and one that only ends what
 * lies before it begin at the same address, the real one comes last, where the search finds it. */
static int by_start(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (int)y->weak - (int)x->weak;
}

/* Kernels before 5.6 sort their own table while they boot, and modules' ones when they are loaded:
 * one that has not come so far, or is damaged, is not in order. */
static struct err *sort_table(struct table *t, enum orc_format format)
{
	if (is_sorted(t))
		return NULL;
	struct row *rows = calloc(t->count, sizeof(*rows));
	if (!rows)
		return err_nomem();
	for (size_t i = 0; i < t->count; i++) {
		struct orc_entry entry;
		rows[i].start = t->starts[i];
		memcpy(rows[i].raw, t->rows + i * ORC_RAW_BYTES, ORC_RAW_BYTES);
		rows[i].weak =
			!orc_decode(format, rows[i].raw, &entry) || entry.type == ORC_NOTHING;
	}
	qsort(rows, t->count, sizeof(*rows), by_start);
	for (size_t i = 0; i < t->count; i++) {
		t->starts[i] = rows[i].start;
		memcpy(t->rows + i * ORC_RAW_BYTES, rows[i].raw, ORC_RAW_BYTES);
	}
	free(rows);
	return NULL;
}

/* ---- reading ---- */

/* From memory; what of the image the dump does not have, from the vmlinux. */
static struct err *read_image(const struct kernel *k, uint64_t va, void *out, size_t len)
{
	struct err *e = kernel_read(k, va, out, len);
	if (!e || !err_memory_kind(err_code(e)))
		return e;
	struct err *failed = orc_file_read(k, va, out, len);
	if (!failed) {
		err_free(e);
		return NULL;
	}
	log_debug(LOG_UNWIND, "%s", err_msg(failed));
	err_free(failed);
	return e;
}

/* Each start is kept as its distance from where it is written (.orc_unwind_ip): here @ips, whose
 * first is at @address. */
static struct err *decode_starts(const unsigned char *ips, uint64_t address, size_t count,
				 struct table *t)
{
	t->starts = calloc(count, sizeof(*t->starts));
	if (!t->starts)
		return err_nomem();
	for (size_t i = 0; i < count; i++)
		t->starts[i] = address + i * IP_BYTES +
			       (uint64_t)(int64_t)(int32_t)get_u32(ips + i * IP_BYTES);
	return NULL;
}

static struct err *read_starts(const struct kernel *k, const struct place *p, struct table *t)
{
	unsigned char *ips = malloc(p->count * IP_BYTES);
	struct err *e = ips ? read_image(k, p->ips, ips, p->count * IP_BYTES) : err_nomem();
	if (!e)
		e = decode_starts(ips, p->ips, p->count, t);
	free(ips);
	return e;
}

static struct err *read_table(const struct kernel *k, const struct place *p, struct table *t)
{
	if (!p->rows || !p->ips || !p->count)
		return err_new(ERR_NOTFOUND, "there is none");
	if (p->count > ENTRIES_MAX)
		return err_new(ERR_CORRUPT, "%" PRIu64 " entries are too many", p->count);
	t->rows = malloc(p->count * ORC_RAW_BYTES);
	struct err *e =
		t->rows ? read_image(k, p->rows, t->rows, p->count * ORC_RAW_BYTES) : err_nomem();
	if (!e)
		e = read_starts(k, p, t);
	if (!e)
		t->count = p->count;
	return e;
}

/* The linker script's bounds (include/asm-generic/vmlinux.lds.h, ORC_UNWIND_TABLE). */
static bool find_kernel_table(const struct kernel *k, struct place *ret)
{
	uint64_t rows_end, ips_end;
	if (!kernel_symbol(k, "__start_orc_unwind", &ret->rows) ||
	    !kernel_symbol(k, "__stop_orc_unwind", &rows_end) ||
	    !kernel_symbol(k, "__start_orc_unwind_ip", &ret->ips) ||
	    !kernel_symbol(k, "__stop_orc_unwind_ip", &ips_end))
		return false;
	ret->count = (ips_end - ret->ips) / IP_BYTES;
	return ips_end > ret->ips && rows_end > ret->rows &&
	       (rows_end - ret->rows) / ORC_RAW_BYTES == ret->count;
}

/* By the hash that kernels from 6.4 on carry (ORC_HEADER in vmlinux.lds.h); a table without one,
 * or with one that is not known, speaks for itself. */
static bool find_format(const struct kernel *k, const struct table *t, enum orc_format *ret)
{
	uint8_t hash[ORC_HEADER_BYTES];
	uint64_t start, stop;
	if (kernel_symbol(k, "__start_orc_header", &start) &&
	    kernel_symbol(k, "__stop_orc_header", &stop) && stop - start == sizeof(hash)) {
		struct err *e = read_image(k, start, hash, sizeof(hash));
		bool read = !e;
		err_free(e);
		if (read && orc_format_of_header(hash, ret))
			return true;
	}
	return orc_format_guess(t->rows, t->count, ret);
}

static struct err *load_kernel_table(struct orc_tables *t)
{
	struct place p;
	if (!find_kernel_table(t->k, &p))
		return err_new(ERR_NOTFOUND, "there is none");
	struct err *e = read_table(t->k, &p, &t->kernel);
	if (e)
		return e;
	t->format_known = find_format(t->k, &t->kernel, &t->format);
	if (!t->format_known)
		return err_new(ERR_UNSUPPORTED, "it is in a format that is not known");
	return sort_table(&t->kernel, t->format);
}

/* The sections of a module's file, relocated to where the dump has the module. */
static struct err *take_sections(const struct buf *rows, const struct buf *ips, uint64_t address,
				 struct table *ret)
{
	size_t count = rows->len / ORC_RAW_BYTES;
	if (!count || count > ENTRIES_MAX || rows->len % ORC_RAW_BYTES ||
	    ips->len != count * IP_BYTES)
		return err_new(ERR_FORMAT, "its sections .orc_unwind and .orc_unwind_ip do not fit "
					   "each other");
	ret->rows = malloc(rows->len);
	if (!ret->rows)
		return err_nomem();
	memcpy(ret->rows, rows->data, rows->len);
	struct err *e = decode_starts((const unsigned char *)ips->data, address, count, ret);
	if (!e)
		ret->count = count;
	return e;
}

static struct err *read_module_file(const struct orc_tables *t, const struct module *m,
				    struct table *ret)
{
	struct ko_file *ko = NULL;
	struct buf rows = BUF_INIT, ips = BUF_INIT;
	uint64_t rows_address, ips_address = 0;
	if (!t->files)
		return err_new(ERR_NOTFOUND, "there is no file of it");
	struct err *e = module_files_ko(t->files, m, &ko);
	if (!e && !ko)
		e = err_new(ERR_NOTFOUND, "there is no file of it");
	if (!e)
		e = ko_file_section_bytes(ko, ".orc_unwind", &rows, &rows_address);
	if (!e)
		e = ko_file_section_bytes(ko, ".orc_unwind_ip", &ips, &ips_address);
	if (!e)
		e = buf_error(&rows);
	if (!e)
		e = buf_error(&ips);
	if (!e)
		e = take_sections(&rows, &ips, ips_address, ret);
	buf_free(&rows);
	buf_free(&ips);
	return e;
}

static struct err *load_module_table(const struct orc_tables *t, const struct module *m,
				     struct table *ret)
{
	struct place p = { m->orc, m->orc_ip, m->orc_count };
	struct err *e = read_table(t->k, &p, ret);
	if (e && err_memory_kind(err_code(e))) {
		struct err *failed;
		free_table(ret);
		failed = read_module_file(t, m, ret);
		if (!failed) {
			err_free(e);
			e = NULL;
		} else {
			log_debug(LOG_UNWIND, "ORC of %s from its file: %s", m->name,
				  err_msg(failed));
		}
		err_free(failed);
	}
	return e ? e : sort_table(ret, t->format);
}

static void load(struct orc_tables *t, const struct module *m, struct table *table)
{
	table->tried = true;
	struct err *e = NULL;
	if (!m)
		e = load_kernel_table(t);
	else if (t->format_known)
		e = load_module_table(t, m, table);
	if (e) {
		log_debug(LOG_UNWIND, "ORC table of %s: %s", m ? m->name : "the kernel",
			  err_msg(e));
		free_table(table);
	}
	err_free(e);
}

/* ---- finding ---- */

static struct table *loaded_table(struct orc_tables *t, const struct module *module)
{
	struct table *table = module ? &t->of_modules[module - t->modules->list] : &t->kernel;
	/* The kernel's table first: it is large enough to tell the format by. */
	if (!t->kernel.tried)
		load(t, NULL, &t->kernel);
	unsigned generation = t->files ? module_files_generation(t->files) : 0;
	if (!table->tried || (module && !table->count && table->generation != generation)) {
		table->generation = generation;
		load(t, module, table);
	}
	return table;
}

size_t orc_tables_count(struct orc_tables *t, const struct module *module)
{
	return loaded_table(t, module)->count;
}

bool orc_tables_nth(const struct orc_tables *t, const struct module *module, size_t i,
		    uint64_t *ret_start, struct orc_entry *ret)
{
	const struct table *table = module ? &t->of_modules[module - t->modules->list] : &t->kernel;
	*ret_start = table->starts[i];
	return orc_decode(t->format, table->rows + i * ORC_RAW_BYTES, ret);
}

bool orc_tables_find(struct orc_tables *t, const struct module *module, uint64_t pc,
		     struct orc_entry *ret)
{
	const struct table *table = loaded_table(t, module);
	/* The first entry above @pc is number low in the end. */
	size_t low = 0, high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->starts[middle] <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low && orc_decode(t->format, table->rows + (low - 1) * ORC_RAW_BYTES, ret);
}
