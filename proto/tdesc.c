// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/tdesc.h"

#include <string.h>

#include "base/buf.h"
#include "proto/target.h"

/* A bit by its name, as `info registers` shows it between brackets when it is set. */
struct flag {
	const char *name;
	unsigned bit;
};

/* A type whose value gdb prints as "0x80050033 [ PE WP PG ]". */
struct flags_type {
	const char *name;
	unsigned bytes;
	const struct flag *flags; /* ends in a row without a name */
};

/* Intel SDM volume 1, 3.4.3, and volume 3, 2.3. */
static const struct flag eflags[] = {
	{ "CF", 0 },  { "PF", 2 },   { "AF", 4 },   { "ZF", 6 },  { "SF", 7 },	{ "TF", 8 },
	{ "IF", 9 },  { "DF", 10 },  { "OF", 11 },  { "NT", 14 }, { "RF", 16 }, { "VM", 17 },
	{ "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 }, { NULL, 0 },
};

/* Intel SDM volume 1, 10.2.3. */
static const struct flag mxcsr[] = {
	{ "IE", 0 },  { "DE", 1 },  { "ZE", 2 },  { "OE", 3 },	{ "UE", 4 },
	{ "PE", 5 },  { "DAZ", 6 }, { "IM", 7 },  { "DM", 8 },	{ "ZM", 9 },
	{ "OM", 10 }, { "UM", 11 }, { "PM", 12 }, { "FZ", 15 }, { NULL, 0 },
};

/* Intel SDM volume 3, 2.5. */
static const struct flag cr0[] = {
	{ "PE", 0 },  { "MP", 1 },  { "EM", 2 },  { "TS", 3 },	{ "ET", 4 },  { "NE", 5 },
	{ "WP", 16 }, { "AM", 18 }, { "NW", 29 }, { "CD", 30 }, { "PG", 31 }, { NULL, 0 },
};

static const struct flag cr4[] = {
	{ "VME", 0 },	      { "PVI", 1 },    { "TSD", 2 },	  { "DE", 3 },	  { "PSE", 4 },
	{ "PAE", 5 },	      { "MCE", 6 },    { "PGE", 7 },	  { "PCE", 8 },	  { "OSFXSR", 9 },
	{ "OSXMMEXCPT", 10 }, { "UMIP", 11 },  { "LA57", 12 },	  { "VMXE", 13 }, { "SMXE", 14 },
	{ "FSGSBASE", 16 },   { "PCIDE", 17 }, { "OSXSAVE", 18 }, { "KL", 19 },	  { "SMEP", 20 },
	{ "SMAP", 21 },	      { "PKE", 22 },   { "CET", 23 },	  { "PKS", 24 },  { NULL, 0 },
};

/* AMD64 APM volume 2, 3.1.7: the union of both makers' bits. */
static const struct flag efer[] = {
	{ "SCE", 0 },	 { "LME", 8 },	  { "LMA", 10 }, { "NXE", 11 }, { "SVME", 12 },
	{ "LMSLE", 13 }, { "FFXSR", 14 }, { "TCE", 15 }, { NULL, 0 },
};

/* What the type column of a register table may say beside gdb's predefined types. */
static const struct flags_type flags_types[] = {
	{ "i386_eflags", 4, eflags }, { "i386_mxcsr", 4, mxcsr }, { "x64_cr0", 8, cr0 },
	{ "x64_cr4", 8, cr4 },	      { "x64_efer", 8, efer },
};

static const struct flags_type *find_flags_type(const char *name)
{
	for (size_t i = 0; i < sizeof(flags_types) / sizeof(flags_types[0]); i++) {
		if (strcmp(flags_types[i].name, name) == 0)
			return &flags_types[i];
	}
	return NULL;
}

static void add_flags_type(const struct flags_type *type, struct buf *out)
{
	buf_addf(out, "<flags id=\"%s\" size=\"%u\">\n", type->name, type->bytes);
	for (const struct flag *f = type->flags; f->name; f++)
		buf_addf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", f->name, f->bit,
			 f->bit);
	buf_addstr(out, "</flags>\n");
}

/* Types of rows [first, end), each once: a type is known only within its feature. */
static void add_types(const struct target_register *table, size_t first, size_t end,
		      struct buf *out)
{
	bool added[sizeof(flags_types) / sizeof(flags_types[0])] = { false };
	for (size_t i = first; i < end; i++) {
		const struct flags_type *type = find_flags_type(table[i].type);
		if (!type || added[type - flags_types])
			continue;
		added[type - flags_types] = true;
		add_flags_type(type, out);
	}
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " %s=\"", name);
	buf_addxml(out, value);
	buf_addch(out, '"');
}

static void add_register(const struct target_register *reg, struct buf *out)
{
	buf_addstr(out, "<reg");
	add_attribute(out, "name", reg->name);
	buf_addf(out, " bitsize=\"%u\"", reg->bits);
	add_attribute(out, "type", reg->type);
	if (reg->group)
		add_attribute(out, "group", reg->group);
	if (reg->no_save)
		add_attribute(out, "save-restore", "no");
	buf_addstr(out, "/>\n");
}

/* The end of the rows that are of the same feature as row @first. */
static size_t feature_end(const struct target_register_ops *registers, size_t first)
{
	const struct target_register *table = registers->table;
	size_t end = first + 1;
	while (end < registers->count && strcmp(table[end].feature, table[first].feature) == 0)
		end++;
	return end;
}

static struct err *check_table(const struct target_register_ops *registers)
{
	size_t bytes = 0;
	if (!registers->count)
		return err_new(ERR_INVALID, "the register table is empty");
	for (size_t i = 0; i < registers->count; i++) {
		const struct target_register *reg = &registers->table[i];
		if (!reg->bits || reg->bits % 8 || reg->bits > 512)
			return err_new(ERR_INVALID, "register %s has %u bits", reg->name,
				       reg->bits);
		bytes += reg->bits / 8;
		if (bytes > TARGET_REGISTERS_MAX)
			return err_new(ERR_INVALID,
				       "the registers up to %s take more than %d bytes", reg->name,
				       TARGET_REGISTERS_MAX);
	}
	/* Quadratic in the features, of which there are a handful. */
	for (size_t a = 0; a < registers->count; a = feature_end(registers, a)) {
		for (size_t b = feature_end(registers, a); b < registers->count; b++) {
			if (strcmp(registers->table[a].feature, registers->table[b].feature) == 0)
				return err_new(ERR_INVALID,
					       "register %s stands apart from the others of %s",
					       registers->table[b].name,
					       registers->table[b].feature);
		}
	}
	return NULL;
}

struct err *tdesc_build(const struct target_register_ops *registers, struct buf *out)
{
	struct err *e = check_table(registers);
	if (e)
		return e;
	/*
	 * osabi none: with GNU/Linux gdb would look for shared libraries where a process's dynamic
	 * linker lists them, and never ask for qXfer:libraries, which is how modules are told.
	 */
	buf_addstr(out, "<?xml version=\"1.0\"?>\n"
			"<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			"<target version=\"1.0\">\n"
			"<architecture>i386:x86-64</architecture>\n"
			"<osabi>none</osabi>\n");
	for (size_t first = 0; first < registers->count;) {
		size_t end = feature_end(registers, first);
		buf_addstr(out, "<feature");
		add_attribute(out, "name", registers->table[first].feature);
		buf_addstr(out, ">\n");
		add_types(registers->table, first, end, out);
		for (; first < end; first++)
			add_register(&registers->table[first], out);
		buf_addstr(out, "</feature>\n");
	}
	buf_addstr(out, "</target>\n");
	return buf_error(out);
}
