// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/qmp_text.h"

#include <ctype.h>
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "vmcore/dump/notes.h"
#include "vmcore/memory/ranges.h"

enum {
	RANGES_MAX = 1 << 12,
	CPUS_MAX = 1 << 13,
};

/* ---- the memory ---- */

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');
	return end ? end + 1 : NULL;
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* The first line behind those that name the address spaces of the view that "memory" has. */
static const char *find_view(const char *text)
{
	bool wanted = false;
	for (const char *line = text; line; line = next_line(line)) {
		if (begins(line, "FlatView"))
			wanted = false;
		else if (begins(line, " AS \"memory\""))
			wanted = true;
		else if (wanted && begins(line, "  "))
			return line;
	}
	return NULL;
}

/*
 * "  0000000000100000-0000000027ffffff (prio 0, ram): mem @0000000000100000 KVM". False for what is
 * no RAM; *ret_bad is set for what is no such line.
 */
static bool parse_range(const char *line, struct qmp_ram *ret, bool *ret_bad, bool *ret_rom)
{
	uint64_t last;
	size_t len = strcspn(line, "\r\n");
	char copy[512];
	*ret_bad = true;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, line, len);
	copy[len] = '\0';
	const char *kind = strstr(copy, " (prio ");
	const char *rest = strstr(copy, "): ");
	if (!kind || !rest || kind - copy != 2 + 16 + 1 + 16 || copy[18] != '-' ||
	    !hex_u64(copy + 2, 16, &ret->at.start) || !hex_u64(copy + 19, 16, &last) ||
	    last < ret->at.start)
		return false;
	*ret_bad = false;
	kind = strstr(kind, ", ");
	if (!kind || last == UINT64_MAX || (!begins(kind, ", ram): ") && !begins(kind, ", rom): ")))
		return false;
	rest += strlen("): ");
	ret->at.end = last + 1;
	ret->offset = 0;
	const char *offset = strstr(rest, " @");
	if (offset && !hex_u64(offset + 2, strspn(offset + 2, "0123456789abcdef"), &ret->offset)) {
		*ret_bad = true;
		return false;
	}
	size_t name_len = offset ? (size_t)(offset - rest) : strlen(rest);
	/* With KVM, whose memory it is too, comes last. */
	static const char kvm[] = " KVM";
	if (!offset && name_len > strlen(kvm) && !strcmp(rest + name_len - strlen(kvm), kvm))
		name_len -= strlen(kvm);
	if (ret->offset > UINT64_MAX - (ret->at.end - ret->at.start))
		return false;
	*ret_rom = begins(kind, ", rom");
	ret->region = strndup(rest, name_len);
	return true;
}

static bool has_region(const struct qmp_map *m, const char *region)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->list[i].region, region))
			return true;
	return false;
}

static struct err *add_range(struct qmp_map *m, size_t *capacity, struct qmp_ram range)
{
	if (!range.region)
		return err_nomem();
	if (m->count == RANGES_MAX || (m->count && range.at.start < m->list[m->count - 1].at.end)) {
		free(range.region);
		return err_new(ERR_FORMAT, "its ranges are too many or not in order");
	}
	if (m->count == *capacity) {
		size_t grown = *capacity ? 2 * *capacity : 16;
		struct qmp_ram *list = reallocarray(m->list, grown, sizeof(*list));
		if (!list) {
			free(range.region);
			return err_nomem();
		}
		m->list = list;
		*capacity = grown;
	}
	m->list[m->count++] = range;
	return NULL;
}

struct err *qmp_map_parse(const char *text, struct qmp_map *ret)
{
	struct qmp_map m = { 0 };
	size_t capacity = 0;
	struct err *e = NULL;
	for (const char *line = find_view(text); !e && line && begins(line, "  ");
	     line = next_line(line)) {
		struct qmp_ram range = { 0 };
		bool bad, rom;
		if (parse_range(line, &range, &bad, &rom)) {
			/* RAM that is written no more, with the firmware's copy; not its chip,
			 * which is at the end of 4 GiB. */
			if (range.region && rom && !has_region(&m, range.region))
				free(range.region);
			else
				e = add_range(&m, &capacity, range);
		}
		if (bad)
			e = err_new(ERR_FORMAT, "no range of memory: '%.*s'",
				    (int)strcspn(line, "\n"), line);
	}
	if (!e && !m.count)
		e = err_new(ERR_FORMAT, "no RAM in the address space \"memory\"");
	if (e) {
		qmp_map_free(&m);
		return err_wrap(e, "'info mtree -f'");
	}
	*ret = m;
	return NULL;
}

void qmp_map_free(struct qmp_map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->list[i].region);
	free(m->list);
	*m = (struct qmp_map){ 0 };
}

const struct qmp_ram *qmp_map_from(const struct qmp_map *m, uint64_t pa)
{
	return ranges_from(m->list, m->count, sizeof(*m->list), pa);
}

size_t qmp_words_parse(const char *text, uint8_t *out, size_t len)
{
	size_t done = 0;
	for (const char *at = text; done + 8 <= len && (at = strstr(at, " 0x")); done += 8) {
		uint64_t word;
		at += 3;
		if (!hex_u64(at, strspn(at, "0123456789abcdef"), &word))
			break;
		put_u64(out + done, word);
	}
	return done;
}

/* ---- the CPUs ---- */

/* In the order of the words of a PRSTATUS note's pr_reg (struct user_regs_struct) and of QEMU's own
 * (QEMU, target/i386/arch_dump.c: x86_64_user_regs_struct, QEMUX86CPUState). */
static const char *const prstatus_names[] = {
	"R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9",  "R8",
	"RAX", "RCX", "RDX", "RSI", "RDI", NULL,  "RIP", NULL,	"RFL", "RSP",
};
static const char *const qemu_names[] = {
	"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RSP", "RBP", "R8",
	"R9",  "R10", "R11", "R12", "R13", "R14", "R15", "RIP", "RFL",
};
static const char *const segments[] = {
	"CS", "DS", "ES", "FS", "GS", "SS", "LDT", "TR", "GDT", "IDT",
};

enum {
	PRSTATUS_BYTES = 336,
	PR_PID = 32,
	PR_REG = 112,
	PR_CS = PR_REG + 17 * 8,
	PR_SS = PR_REG + 20 * 8,
	PR_FS_BASE = PR_REG + 21 * 8, /* gs_base, ds, es, fs, gs follow */
	QEMU_REGS = 8,
	QEMU_SEGMENTS = QEMU_REGS + 18 * 8,
	QEMU_SEGMENT_BYTES = 24, /* selector, limit, flags, padding, base */
	QEMU_CR = QEMU_SEGMENTS + 10 * QEMU_SEGMENT_BYTES,
	QEMU_BYTES = QEMU_CR + 5 * 8,
};

/* The text of one CPU. */
struct cpu_text {
	const char *text;
	size_t len;
};

/* What follows "NAME=" or "NAME =" at the beginning of a line or behind a blank. */
static const char *find_field(const struct cpu_text *cpu, const char *name)
{
	size_t name_len = strlen(name);
	for (size_t at = 0; at + name_len + 2 < cpu->len; at++) {
		const char *p = cpu->text + at;
		if ((at && p[-1] != ' ' && p[-1] != '\n') || strncmp(p, name, name_len))
			continue;
		p += name_len;
		p += *p == ' ';
		if (*p == '=')
			return p + 1;
	}
	return NULL;
}

static bool find_hex(const struct cpu_text *cpu, const char *name, uint64_t *ret)
{
	const char *at = find_field(cpu, name);
	return at && hex_u64(at, strspn(at, "0123456789abcdef"), ret);
}

/* "0010 0000000000000000 ffffffff 00c09300 ...": selector, base, limit, flags. Those of the
 * descriptor tables have base and limit only. */
static bool find_segment(const struct cpu_text *cpu, const char *name, uint64_t word[4])
{
	const char *at = find_field(cpu, name);
	bool table = !strcmp(name, "GDT") || !strcmp(name, "IDT");
	word[0] = word[3] = 0;
	for (unsigned i = table; at && i < (table ? 3 : 4); i++) {
		at += strspn(at, " ");
		size_t digits = strspn(at, "0123456789abcdef");
		if (!hex_u64(at, digits, &word[i]))
			return false;
		at += digits;
	}
	return at;
}

/* False if the text does not have all. */
static bool make_notes(const struct cpu_text *cpu, uint8_t *prstatus, uint8_t *qemu)
{
	uint64_t value, word[4];
	for (size_t i = 0; i < sizeof(prstatus_names) / sizeof(*prstatus_names); i++) {
		if (!prstatus_names[i])
			continue;
		if (!find_hex(cpu, prstatus_names[i], &value))
			return false;
		put_u64(prstatus + PR_REG + 8 * i, value);
	}
	for (size_t i = 0; i < sizeof(qemu_names) / sizeof(*qemu_names); i++) {
		if (!find_hex(cpu, qemu_names[i], &value))
			return false;
		put_u64(qemu + QEMU_REGS + 8 * i, value);
	}
	for (size_t i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
		uint8_t *segment = qemu + QEMU_SEGMENTS + QEMU_SEGMENT_BYTES * i;
		if (!find_segment(cpu, segments[i], word))
			return false;
		put_u32(segment, (uint32_t)word[0]);
		put_u32(segment + 4, (uint32_t)word[2]);
		put_u32(segment + 8, (uint32_t)word[3]);
		put_u64(segment + 16, word[1]);
		/* cs; fs and gs with their bases; the others in prstatus's own order */
		static const uint16_t selector_at[] = { PR_CS,		 PR_FS_BASE + 16,
							PR_FS_BASE + 24, PR_FS_BASE + 32,
							PR_FS_BASE + 40, PR_SS };
		if (i < sizeof(selector_at) / sizeof(*selector_at))
			put_u64(prstatus + selector_at[i], word[0]);
		if (!strcmp(segments[i], "FS"))
			put_u64(prstatus + PR_FS_BASE, word[1]);
		if (!strcmp(segments[i], "GS"))
			put_u64(prstatus + PR_FS_BASE + 8, word[1]);
	}
	for (unsigned i = 0; i < 5; i++) {
		char name[] = { 'C', 'R', (char)('0' + i), 0 };
		if (i == 1)
			continue;
		if (!find_hex(cpu, name, &value))
			return false;
		put_u64(qemu + QEMU_CR + 8 * i, value);
	}
	return true;
}

static size_t put_note(uint8_t *out, const char *name, uint32_t type, const uint8_t *desc,
		       size_t len)
{
	size_t name_len = strlen(name) + 1;
	put_u32(out, (uint32_t)name_len);
	put_u32(out + 4, (uint32_t)len);
	put_u32(out + 8, type);
	memset(out + sizeof(Elf64_Nhdr), 0, 8);
	memcpy(out + sizeof(Elf64_Nhdr), name, name_len);
	memcpy(out + sizeof(Elf64_Nhdr) + 8, desc, len);
	return sizeof(Elf64_Nhdr) + 8 + len;
}

static struct err *add_cpu(const struct cpu_text *cpu, unsigned number, struct notes *notes)
{
	uint8_t prstatus[PRSTATUS_BYTES] = { 0 }, qemu[QEMU_BYTES] = { 0 };
	uint8_t bytes[2 * (sizeof(Elf64_Nhdr) + 8) + PRSTATUS_BYTES + QEMU_BYTES];
	size_t len, damage;
	if (!make_notes(cpu, prstatus, qemu))
		return NULL;
	put_u32(prstatus + PR_PID, number + 1);
	put_u32(qemu, 1);
	put_u32(qemu + 4, sizeof(qemu));
	len = put_note(bytes, "CORE", NT_PRSTATUS, prstatus, sizeof(prstatus));
	len += put_note(bytes + len, "QEMU", 0, qemu, sizeof(qemu));
	return notes_parse(notes, bytes, len, &damage);
}

struct err *qmp_registers_parse(const char *text, struct notes *notes)
{
	struct err *e = NULL;
	const char *at = begins(text, "CPU#") ? text : strstr(text, "\nCPU#");
	for (unsigned n = 0; !e && at && n < CPUS_MAX; n++) {
		const char *next = strstr(at + 1, "\nCPU#");
		struct cpu_text cpu = { at, next ? (size_t)(next - at) : strlen(at) };
		e = add_cpu(&cpu, n, notes);
		at = next;
	}
	return e;
}
