// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/prologue.h"

#include <string.h>

#include "base/bytes.h"

/* Instructions by their encodings in the Intel SDM, vol. 2. */
enum {
	OP_PUSH = 0x50, /* + register */
	OP_MOV_IMMEDIATE = 0xb8,
	REX_B = 0x41,
	PUSH_RBP = 0x55,
};

/* What begins functions, or stands between their pushes, and moves neither rsp nor rbp. */
static const struct {
	unsigned char bytes[9];
	unsigned char fixed; /* bytes that must be these */
	unsigned char len;
} harmless[] = {
	{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4, 4 },	    /* endbr64 */
	{ { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5, 5 }, /* a no-op, for ftrace and BPF */
	{ { 0x66, 0x66, 0x66, 0x66, 0x90 }, 5, 5 }, /* the same, on older CPUs */
	{ { 0x0f, 0x1f, 0x00 }, 3, 3 },		    /* no-ops */
	{ { 0x66, 0x90 }, 2, 2 },		    /* */
	{ { 0x31, 0xc0 }, 2, 2 },		    /* xor %eax,%eax */
	{ { 0x65, 0x48, 0x8b, 0x04, 0x25 }, 5, 9 }, /* mov %gs:NUMBER,%rax */
};

static size_t harmless_length(const unsigned char *code, size_t len)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (len >= harmless[i].len && !memcmp(code, harmless[i].bytes, harmless[i].fixed))
			return harmless[i].len;
	/* mov $NUMBER,%r32 but for esp and ebp */
	if (len >= 5 && (code[0] & 0xf8) == OP_MOV_IMMEDIATE && code[0] != 0xbc && code[0] != 0xbd)
		return 5;
	/* mov %r64,%r64 to another than rsp and rbp: of 48-4f 89 /r the low three bits */
	if (len >= 3 && (code[0] & 0xf8) == 0x48 && code[1] == 0x89 && code[2] >> 6 == 3 &&
	    (code[0] & 1 || ((code[2] & 7) != 4 && (code[2] & 7) != 5)))
		return 3;
	return 0;
}

struct prologue {
	uint64_t at; /* the next instruction */
	int depth;   /* CFA - rsp */
	int rbp;     /* where rbp was pushed: CFA + this; 0 if nowhere yet */
	size_t count;
	struct cfi_row *rows;
};

/* A row from the next instruction on: the CFA is @base + @offset. */
static void add_row(struct prologue *p, enum orc_base base, int offset)
{
	if (p->count == PROLOGUE_ROWS)
		return;
	p->rows[p->count++] = (struct cfi_row){
		.start = p->at,
		.valid = true,
		.entry = { .type = ORC_CALL,
			   .sp = base,
			   .sp_offset = (int16_t)offset,
			   .bp = p->rbp ? ORC_PREV_SP : ORC_UNDEFINED,
			   .bp_offset = (int16_t)p->rbp },
	};
}

static void push(struct prologue *p, bool is_rbp, size_t length)
{
	p->at += length;
	p->depth += 8;
	if (is_rbp && !p->rbp)
		p->rbp = -p->depth;
	add_row(p, ORC_SP, p->depth);
}

/* sub $NUMBER,%rsp: its length, and the number in *ret; 0 for another instruction. */
static size_t make_room(const unsigned char *code, size_t len, int *ret)
{
	static const unsigned char near[] = { 0x48, 0x83, 0xec }, far[] = { 0x48, 0x81, 0xec };
	if (len >= 4 && !memcmp(code, near, sizeof(near)) && code[3] < 0x80) {
		*ret = code[3];
		return 4;
	}
	if (len >= 7 && !memcmp(code, far, sizeof(far)) && get_u32(code + 3) < INT16_MAX / 2) {
		*ret = (int)get_u32(code + 3);
		return 7;
	}
	return 0;
}

/* One instruction at @code; 0 for one that is not known, or what ends a prologue (*ret_done). */
static size_t step(struct prologue *p, const unsigned char *code, size_t len, bool *ret_done)
{
	static const unsigned char frame_pointer[] = { 0x48, 0x89, 0xe5 };
	int room;
	if (p->depth == 8 && len >= 5 && code[0] == 0xe8) {
		/* call __fentry__, before anything is pushed */
		p->at += 5;
		return 5;
	}
	if ((code[0] & 0xf8) == OP_PUSH) {
		push(p, code[0] == PUSH_RBP, 1);
		return 1;
	}
	if (len >= 2 && code[0] == REX_B && (code[1] & 0xf8) == OP_PUSH) {
		push(p, false, 2);
		return 2;
	}
	if (len >= sizeof(frame_pointer) && !memcmp(code, frame_pointer, sizeof(frame_pointer)) &&
	    p->rbp == -p->depth) {
		p->at += sizeof(frame_pointer);
		add_row(p, ORC_BP, p->depth);
		*ret_done = true;
		return 0;
	}
	size_t length = make_room(code, len, &room);
	if (length) {
		p->at += length;
		p->depth += room;
		add_row(p, ORC_SP, p->depth);
		*ret_done = true;
		return 0;
	}
	length = harmless_length(code, len);
	p->at += length;
	return length;
}

size_t prologue_rows(const unsigned char *code, size_t len, uint64_t start,
		     struct cfi_row ret[PROLOGUE_ROWS])
{
	struct prologue p = { .at = start, .depth = 8, .rows = ret };
	bool done = false;
	add_row(&p, ORC_SP, p.depth);
	for (size_t at = 0, length = 1; at < len && length && !done; at += length)
		length = step(&p, code + at, len - at, &done);
	return done && p.count < PROLOGUE_ROWS ? p.count : 0;
}

bool prologue_is_hooked(const unsigned char *code, size_t len)
{
	enum { HOOK = 5, ENDBR = 4, CALL = 0xe8 };
	static const unsigned char endbr[ENDBR] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const unsigned char hooks[][HOOK] = { { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
						     { 0x66, 0x66, 0x66, 0x66, 0x90 } };
	size_t at = len >= ENDBR && !memcmp(code, endbr, ENDBR) ? ENDBR : 0;
	if (len - at < HOOK)
		return false;
	return code[at] == CALL || !memcmp(code + at, hooks[0], HOOK) ||
	       !memcmp(code + at, hooks[1], HOOK);
}
