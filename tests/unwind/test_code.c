// SPDX-License-Identifier: GPL-2.0-or-later
/* What code says of its stack: prologues of several shapes, and paths that are not certain. */
#include "arch/x86_64/unwind/code_parts.h"
#include "tests/unwind/scene.h"

enum { RBX, RBP, R12, R13, R14, R15 };

/* A function at FUN_A, and what is known where it stands. */
struct function {
	struct fake fake;
	unsigned char code[0x300];
	struct code_table *table;
};

static void begin(struct function *f)
{
	memset(f, 0, sizeof(*f));
	memset(f->code, 0xcc, sizeof(f->code));
	fake_memory(&f->fake, FUN_A, f->code, sizeof(f->code));
	fake_text(&f->fake, FUN_A, 0x100);
	fake_text(&f->fake, FUN_B, 0x100);
	fake_text(&f->fake, FUN_C, 0x100);
}

static void put(struct function *f, uint64_t address, const char *bytes, size_t len)
{
	memcpy(f->code + (address - FUN_A), bytes, len);
}

#define PUT(f, address, bytes) put(f, address, bytes, sizeof(bytes) - 1)

static void follow(struct function *f)
{
	struct code_source source = fake_code(&f->fake);
	assert_null(code_table_new(&source, FUN_A, &f->table));
}

static struct code_rules at(struct function *f, uint64_t offset)
{
	struct code_rules r;
	assert_true(code_table_at(f->table, FUN_A + offset, &r));
	return r;
}

static void assert_unknown(struct function *f, uint64_t offset)
{
	struct code_rules r;
	assert_false(code_table_at(f->table, FUN_A + offset, &r));
}

static void assert_saved(const struct code_rules *r, unsigned i, enum code_base base, int offset)
{
	assert_int_equal(r->saved[i].base, base);
	assert_int_equal(r->saved[i].offset, offset);
}

static void assert_kept(const struct code_rules *r, unsigned i)
{
	assert_true(r->in_register >> i & 1);
	assert_int_equal(r->saved[i].base, CODE_NOWHERE);
}

static void assert_lost_register(const struct code_rules *r, unsigned i)
{
	assert_false(r->in_register >> i & 1);
	assert_int_equal(r->saved[i].base, CODE_NOWHERE);
}

static void test_pushes_and_pops(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x41\x54"		   /* 0: push %r12 */
	    "\x53"		   /* 2: push %rbx */
	    "\x48\x83\xec\x18"	   /* 3: sub $24,%rsp */
	    "\x48\x89\xfb"	   /* 7: mov %rdi,%rbx */
	    "\xe8\xf1\x00\x00\x00" /* a: call FUN_B */
	    "\x48\x83\xc4\x18"	   /* f: add $24,%rsp */
	    "\x5b"		   /* 13: pop %rbx */
	    "\x41\x5c"		   /* 14: pop %r12 */
	    "\xc3");		   /* 16: ret */
	follow(&f);
	struct code_rules r = at(&f, 0);
	assert_true(r.by_rsp && r.rsp_offset == 8);
	assert_kept(&r, RBX);
	r = at(&f, 3);
	assert_true(r.by_rsp && r.rsp_offset == 24);
	assert_saved(&r, R12, CODE_AT_CFA, -16);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	assert_true(r.in_register >> RBX & 1); /* until it is overwritten, both */
	assert_true(code_table_call(f.table, FUN_A + 0xf, &r));
	assert_int_equal(r.rsp_offset, 48);
	assert_false(r.in_register >> RBX & 1);
	assert_kept(&r, RBP);
	/* What has been popped lies below rsp, where interrupts write. */
	r = at(&f, 0x14);
	assert_kept(&r, RBX);
	r = at(&f, 0x16);
	assert_kept(&r, R12);
	assert_int_equal(r.rsp_offset, 8);
	assert_false(code_table_call(f.table, FUN_A + 0x13, &r)); /* behind no call */
	assert_unknown(&f, 8);					  /* within an instruction */
	assert_unknown(&f, 0x17);				  /* behind the end */
	code_table_free(f.table);
}

static void test_frame_and_leave(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x55"	       /* 0: push %rbp */
	    "\x48\x89\xe5"     /* 1: mov %rsp,%rbp */
	    "\x53"	       /* 4: push %rbx */
	    "\x48\x29\xc4"     /* 5: sub %rax,%rsp */
	    "\x31\xdb"	       /* 8: xor %ebx,%ebx */
	    "\x48\x8b\x5d\xf8" /* a: mov -8(%rbp),%rbx */
	    "\xc9"	       /* e: leave */
	    "\xc3");	       /* f: ret */
	follow(&f);
	struct code_rules r = at(&f, 0xa);
	assert_false(r.by_rsp);
	assert_true(r.by_rbp && r.rbp_offset == 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	assert_saved(&r, RBP, CODE_AT_CFA, -16);
	assert_false(r.in_register >> RBX & 1);
	r = at(&f, 0xf);
	assert_true(r.by_rsp && r.rsp_offset == 8 && !r.by_rbp);
	assert_kept(&r, RBX);
	assert_kept(&r, RBP);
	code_table_free(f.table);
}

/* Registers saved by mov, on one path alone. */
static void test_shrink_wrapping(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x48\x83\xec\x18"	   /* 0: sub $24,%rsp */
	    "\x85\xff"		   /* 4: test %edi,%edi */
	    "\x74\x10"		   /* 6: je 18 */
	    "\x48\x89\x5c\x24\x08" /* 8: mov %rbx,8(%rsp) */
	    "\x89\xfb"		   /* d: mov %edi,%ebx */
	    "\x90\x90\x90\x90"	   /* f */
	    "\x48\x8b\x5c\x24\x08" /* 13: mov 8(%rsp),%rbx */
	    "\x48\x83\xc4\x18"	   /* 18: add $24,%rsp */
	    "\xc3");		   /* 1c: ret */
	follow(&f);
	struct code_rules r = at(&f, 0xf);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	assert_false(r.in_register >> RBX & 1);
	/* The slot holds it on one of the paths, the register on both. */
	r = at(&f, 0x18);
	assert_kept(&r, RBX);
	code_table_free(f.table);
}

/* Two paths that do not agree: neither is believed. */
static void test_paths_differ(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x55"	   /* 0: push %rbp */
	    "\x48\x89\xe5" /* 1: mov %rsp,%rbp */
	    "\x85\xff"	   /* 4: test %edi,%edi */
	    "\x74\x03"	   /* 6: je b */
	    "\x53"	   /* 8: push %rbx */
	    "\x31\xdb"	   /* 9: xor %ebx,%ebx */
	    "\x90"	   /* b: nop */
	    "\xc9\xc3");   /* c: leave, ret */
	follow(&f);
	struct code_rules r = at(&f, 0xb);
	assert_false(r.by_rsp);
	assert_true(r.by_rbp);
	assert_lost_register(&r, RBX);
	assert_kept(&r, R12);
	code_table_free(f.table);
}

/* gcc's way to have more alignment than its caller gives. */
/* A jump past a lock prefix: two instructions end at one place, and the next one is reached from
 * both. */
static void test_instructions_overlap(void **state)
{
	(void)state;
	struct function f;
	struct code_row row;
	uint64_t last = 0;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x53"	       /* 0: push %rbx */
	    "\x85\xff"	       /* 1: test %edi,%edi */
	    "\x74\x04"	       /* 3: je 9 */
	    "\x31\xdb"	       /* 5: xor %ebx,%ebx */
	    "\x90"	       /* 7: nop */
	    "\xf0\x48\xff\x0f" /* 8: lock decq (%rdi); 9: decq (%rdi) */
	    "\x90"	       /* c: nop */
	    "\x5b"	       /* d: pop %rbx */
	    "\xc3");
	follow(&f);
	struct code_rules r = at(&f, 9);
	assert_true(r.in_register >> RBX & 1);
	r = at(&f, 0xc);
	assert_false(r.in_register >> RBX & 1);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	/* All of them, one after the other. */
	for (size_t i = 0; code_table_row(f.table, i, &row); i++) {
		assert_true(row.start > last || !i);
		assert_true(row.end > row.start);
		assert_non_null(row.rules);
		assert_int_equal(code_table_rows_before(f.table, row.start), i);
		last = row.start;
	}
	assert_int_equal(last, FUN_A + 0xe);
	assert_int_equal(code_table_rows_before(f.table, FUN_A + 0x100), 10);
	code_table_free(f.table);
}

static void test_realigned(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x4c\x8d\x54\x24\x08" /* 0: lea 8(%rsp),%r10 */
	    "\x48\x83\xe4\xe0"	   /* 5: and $-32,%rsp */
	    "\x41\xff\x72\xf8"	   /* 9: push -8(%r10) */
	    "\x55"		   /* d: push %rbp */
	    "\x48\x89\xe5"	   /* e: mov %rsp,%rbp */
	    "\x41\x54"		   /* 11: push %r12 */
	    "\x41\x52"		   /* 13: push %r10 */
	    "\x53"		   /* 15: push %rbx */
	    "\xe8\xe5\x00\x00\x00" /* 16: call FUN_B */
	    "\x4c\x8b\x55\xf0"	   /* 1b: mov -16(%rbp),%r10 */
	    "\x5b"		   /* 1f: pop %rbx */
	    "\xc9"		   /* 20: leave */
	    "\x49\x8d\x62\xf8"	   /* 21: lea -8(%r10),%rsp */
	    "\xc3");		   /* 25: ret */
	follow(&f);
	struct code_rules r;
	assert_true(code_table_call(f.table, FUN_A + 0x1b, &r));
	assert_false(r.by_rsp || r.by_rbp);
	assert_int_equal(r.cfa_at.base, CODE_AT_RSP);
	assert_int_equal(r.cfa_at.offset, 8);
	assert_int_equal(r.cfa_add, 0);
	assert_true(r.rbp_relative && r.rbp_distance == 24);
	assert_saved(&r, RBX, CODE_AT_RSP, 0);
	assert_saved(&r, R12, CODE_AT_RSP, 16);
	assert_saved(&r, RBP, CODE_AT_RSP, 24);
	r = at(&f, 0x25);
	assert_true(r.by_rsp && r.rsp_offset == 8);
	assert_kept(&r, RBP);
	code_table_free(f.table);
}

/* call_on_stack(): mov %rsp,(%rax); mov %rax,%rsp; call; pop %rsp. */
static void test_other_stack(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x53"		   /* 0: push %rbx */
	    "\x48\x89\x20"	   /* 1: mov %rsp,(%rax) */
	    "\x48\x89\xc4"	   /* 4: mov %rax,%rsp */
	    "\xe8\xf4\x00\x00\x00" /* 7: call FUN_B */
	    "\x5c"		   /* c: pop %rsp */
	    "\x5b\xc3");	   /* d: pop %rbx, ret */
	follow(&f);
	struct code_rules r;
	assert_true(code_table_call(f.table, FUN_A + 0xc, &r));
	assert_false(r.by_rsp);
	assert_int_equal(r.cfa_at.base, CODE_AT_RSP);
	assert_int_equal(r.cfa_at.offset, 0);
	assert_int_equal(r.cfa_add, 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	r = at(&f, 0xd);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	code_table_free(f.table);
}

/* A task is switched out, and another goes on in its own frame of the same function. */
static void test_task_switch(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x53"			   /* 0: push %rbx */
	    "\x48\x89\xa7\x00\x10\x00\x00" /* 1: mov %rsp,0x1000(%rdi) */
	    "\x48\x8b\xa6\x00\x10\x00\x00" /* 8: mov 0x1000(%rsi),%rsp */
	    "\x90"			   /* f: nop */
	    "\x48\x8b\xa6\x00\x20\x00\x00" /* 10: mov 0x2000(%rsi),%rsp */
	    "\x5b\xc3");		   /* 17 */
	follow(&f);
	struct code_rules r = at(&f, 0xf);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	assert_int_equal(r.in_register, 0);
	assert_unknown(&f, 0x17);
	code_table_free(f.table);
}

/* The same where rsp was rounded down, as gcc 4.8 does in __schedule of 3.10: rbp, which is pushed
 * for the time, is the frame's own again when it is popped. */
static void test_aligned_switch(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x55"			   /* 0: push %rbp */
	    "\x48\x89\xe5"		   /* 1: mov %rsp,%rbp */
	    "\x53"			   /* 4: push %rbx */
	    "\x48\x83\xe4\xf0"		   /* 5: and $-16,%rsp */
	    "\x55"			   /* 9: push %rbp */
	    "\x48\x89\xf5"		   /* a: mov %rsi,%rbp */
	    "\x48\x89\xa7\x00\x10\x00\x00" /* d: mov %rsp,0x1000(%rdi) */
	    "\x48\x8b\xa6\x00\x10\x00\x00" /* 14: mov 0x1000(%rsi),%rsp */
	    "\x90"			   /* 1b: nop */
	    "\x5d"			   /* 1c: pop %rbp */
	    "\x90"			   /* 1d: nop */
	    "\x48\x8d\x65\xf8"		   /* 1e: lea -8(%rbp),%rsp */
	    "\x5b\x5d\xc3");		   /* 22 */
	follow(&f);
	struct code_rules r = at(&f, 0x1b);
	assert_false(r.by_rsp || r.by_rbp);
	assert_int_equal(r.cfa_at.base, CODE_AT_RSP);
	assert_int_equal(r.cfa_at.offset, 0);
	assert_int_equal(r.cfa_add, 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	r = at(&f, 0x1d);
	assert_true(r.by_rbp && r.rbp_offset == 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	r = at(&f, 0x22);
	assert_true(r.by_rsp && r.rsp_offset == 24);
	code_table_free(f.table);
}

/* Nobody knows where a jump by a register leads: what only it reaches is unknown, and what others
 * reach holds only where it holds at the jump as well. */
static void test_jump_by_register(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x85\xff"	 /* 0: test %edi,%edi */
	    "\x74\x06"	 /* 2: je a */
	    "\x53"	 /* 4: push %rbx */
	    "\x31\xdb"	 /* 5: xor %ebx,%ebx */
	    "\xff\xe0"	 /* 7: jmp *%rax */
	    "\xcc"	 /* 9 */
	    "\x90"	 /* a: nop, reached from 2, and perhaps from 7 */
	    "\xc3"	 /* b: ret */
	    "\x90"	 /* c: nop, reached from 7 alone */
	    "\x5b\xc3"); /* d */
	follow(&f);
	assert_unknown(&f, 0xc);
	assert_unknown(&f, 0xa);
	struct code_rules r = at(&f, 7);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	code_table_free(f.table);
}

/* With the stack as at the beginning, another function goes on in this one's place. */
static void test_tail_call_by_register(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x85\xff"	 /* 0: test %edi,%edi */
	    "\x74\x05"	 /* 2: je 9 */
	    "\x53\x5b"	 /* 4: push %rbx, pop %rbx */
	    "\xff\xe0"	 /* 6: jmp *%rax */
	    "\xcc"	 /* 8 */
	    "\x53"	 /* 9: push %rbx */
	    "\x90"	 /* a: nop */
	    "\x5b\xc3"); /* b */
	follow(&f);
	struct code_rules r = at(&f, 0xa);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	code_table_free(f.table);
}

/* A table of addresses of eight bytes, of which the code says where it is. */
static void test_jump_table(void **state)
{
	(void)state;
	struct function f;
	uint64_t table[3] = { FUN_A + 0x20, FUN_A + 0x30, 0 };
	begin(&f);
	fake_memory(&f.fake, UINT64_C(0xffffffff82000000), table, sizeof(table));
	PUT(&f, FUN_A,
	    "\x53"			     /* 0: push %rbx */
	    "\xff\x24\xfd\x00\x00\x00\x82"); /* 1: jmp *table(,%rdi,8) */
	PUT(&f, FUN_A + 0x20, "\x31\xdb\x5b\xc3");
	PUT(&f, FUN_A + 0x30, "\x90\x5b\xc3");
	follow(&f);
	struct code_rules r = at(&f, 0x22);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	assert_false(r.in_register >> RBX & 1);
	r = at(&f, 0x31);
	assert_true(r.in_register >> RBX & 1);
	code_table_free(f.table);
}

/* A retpoline in place: a call of what is in the same function, which overwrites its return
 * address. */
static void test_inner_call(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x53"		   /* 0: push %rbx */
	    "\xe8\x02\x00\x00\x00" /* 1: call 8 */
	    "\xf3\x90"		   /* 6: pause, from where nothing is certain */
	    "\x48\x89\x04\x24"	   /* 8: mov %rax,(%rsp) */
	    "\xc3");		   /* c: ret */
	follow(&f);
	struct code_rules r = at(&f, 1);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	assert_unknown(&f, 6);
	assert_unknown(&f, 0xc);
	code_table_free(f.table);
}

/* The loop that fills the CPU's return stack buffer, with %rax counting its rounds. */
#define FILLS(round, counts, branch)                   \
	"\x53"		       /* 0: push %rbx */      \
		round	       /* 1: mov $16,%rax */   \
	"\xe8\x07\x00\x00\x00" /* 8: call 14 */        \
	"\xf3\x90\x0f\xae\xe8" /* d: pause, lfence */  \
	"\xeb\xf9"	       /* 12: jmp d */         \
	"\xe8\x07\x00\x00\x00" /* 14: call 20 */       \
	"\xf3\x90\x0f\xae\xe8" /* 19: pause, lfence */ \
	"\xeb\xf9"	       /* 1e: jmp 19 */        \
		counts	       /* 20: dec %rax */      \
			branch /* 23: jne 8 */         \
	"\x48\x81\xc4\x00\x01\x00\x00"                 \
	"\x90\x5b\xc3" /* 25: add $256,%rsp; 2c: nop; pop %rbx; ret */
#define ROUNDS(n) "\x48\xc7\xc0" n "\x00\x00\x00"
#define DECREMENT "\x48\xff\xc8"
#define NOT_ZERO  "\x75\xe3"

static void test_return_stack_filled(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A, FILLS(ROUNDS("\x10"), DECREMENT, NOT_ZERO));
	follow(&f);
	struct code_rules r = at(&f, 0x25);
	assert_true(r.by_rsp && r.rsp_offset == 16 + 256);
	r = at(&f, 0x2c);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	/* In each round rsp is elsewhere. */
	for (uint64_t offset = 8; offset < 0x25; offset++)
		assert_unknown(&f, offset);
	code_table_free(f.table);
}

/* What looks much like it, and is something else. */
static void test_return_stack_not_filled(void **state)
{
	static const struct {
		const char *code;
		unsigned at, len;
		const char *change;
	} others[] = {
		{ FILLS(ROUNDS("\x10"), DECREMENT, "\x74\xe3"), 0, 0, "" },	  /* je */
		{ FILLS(ROUNDS("\x10"), DECREMENT, "\x75\xdc"), 0, 0, "" },	  /* jne 1 */
		{ FILLS(ROUNDS("\x10"), "\x48\xff\xc0", NOT_ZERO), 0, 0, "" },	  /* inc %rax */
		{ FILLS(ROUNDS("\x10"), "\x48\xff\xcb", NOT_ZERO), 0, 0, "" },	  /* dec %rbx */
		{ FILLS(ROUNDS("\x00"), DECREMENT, NOT_ZERO), 0, 0, "" },	  /* 2^64 rounds */
		{ FILLS(ROUNDS("\x7f"), DECREMENT, NOT_ZERO), 0, 0, "" },	  /* too many */
		{ FILLS("\x0f\x1f\x80\0\0\0\0", DECREMENT, NOT_ZERO), 0, 0, "" }, /* some rounds */
		{ FILLS(ROUNDS("\x10"), DECREMENT, NOT_ZERO), 0x0d, 2, "\x50\x90" }, /* push %rax */
		{ FILLS(ROUNDS("\x10"), DECREMENT, NOT_ZERO), 0x12, 2, "\xeb\x18" }, /* jmp 2c */
		{ FILLS(ROUNDS("\x10"), DECREMENT, NOT_ZERO), 0x12, 2, "\x66\x90" }, /* nop */
		{ FILLS(ROUNDS("\x10"), DECREMENT, NOT_ZERO), 0x0d, 2, "\xf3\xc3" }, /* ret */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct function f;
		begin(&f);
		put(&f, FUN_A, others[i].code, 0x2f);
		put(&f, FUN_A + others[i].at, others[i].change, others[i].len);
		follow(&f);
		assert_unknown(&f, 0x25);
		assert_unknown(&f, 0x2c);
		code_table_free(f.table);
	}
}

/* An exception that the code asks for gives rsp back as it was. */
static void test_interrupt_instruction(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x53\x31\xdb" /* 0: push %rbx; xor %ebx,%ebx */
	    "\xcd\x12"	   /* 3: int $18 */
	    "\x90\x5b\xc3");
	follow(&f);
	struct code_rules r = at(&f, 5);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	assert_lost_register(&r, R12);
	code_table_free(f.table);
}

/* A trap that never goes on, with code behind it that is reached otherwise. */
static void test_trap(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x85\xff" /* 0: test %edi,%edi */
	    "\x74\x04" /* 2: je 8 */
	    "\x53\x90" /* 4: push %rbx, nop */
	    "\x0f\x0b" /* 6: ud2 */
	    "\x90"     /* 8: nop */
	    "\xc3");   /* 9: ret */
	follow(&f);
	struct code_rules r = at(&f, 8);
	assert_true(r.by_rsp && r.rsp_offset == 8);
	assert_kept(&r, RBX);
	code_table_free(f.table);
}

/* The return address has been overwritten: there is no caller to find. */
static void test_return_address_overwritten(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x48\x89\x04\x24" /* 0: mov %rax,(%rsp) */
	    "\x90\xc3");       /* 4 */
	follow(&f);
	(void)at(&f, 0);
	assert_unknown(&f, 4);
	code_table_free(f.table);
}

/* A part that lies elsewhere has the stack of where it was jumped from. */
static void test_part(void **state)
{
	(void)state;
	struct function f;
	struct code_rules r;
	begin(&f);
	f.fake.part = FUN_C;
	f.fake.parent = FUN_A;
	PUT(&f, FUN_A,
	    "\x53"		       /* 0: push %rbx */
	    "\x85\xff"		       /* 1: test %edi,%edi */
	    "\x0f\x84\xf7\x01\x00\x00" /* 3: je FUN_C */
	    "\x5b\xc3");	       /* 9 */
	PUT(&f, FUN_C,
	    "\x41\x54"		     /* 0: push %r12 */
	    "\xe8\xf9\xfe\xff\xff"   /* 2: call FUN_B */
	    "\x41\x5c"		     /* 7: pop %r12 */
	    "\xe9\xfb\xfd\xff\xff"); /* 9: jmp FUN_A + 9 */
	follow(&f);
	assert_true(code_table_call(f.table, FUN_C + 7, &r));
	assert_true(r.by_rsp && r.rsp_offset == 24);
	assert_saved(&r, RBX, CODE_AT_CFA, -16);
	assert_saved(&r, R12, CODE_AT_CFA, -24);
	r = at(&f, 9);
	assert_true(r.by_rsp && r.rsp_offset == 16);
	code_table_free(f.table);
}

/* What is called last never comes back: the part that lies behind is of another function, of the
 * same name perhaps. */
static void test_part_behind_the_end(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	f.fake.part = FUN_B;
	f.fake.parent = FUN_A;
	PUT(&f, FUN_A,
	    "\x53"				       /* 0: push %rbx */
	    "\xe9\xf5\x00\x00\x00");		       /* 1: jmp FUN_A + 0xfb */
	PUT(&f, FUN_A + 0xfb, "\xe8\x00\x01\x00\x00"); /* call FUN_C */
	PUT(&f, FUN_B,
	    "\x5b"   /* 0: pop %rbx */
	    "\xc3"); /* 1: ret */
	follow(&f);
	struct code_rules r = at(&f, 0xfb);
	assert_int_equal(r.rsp_offset, 16);
	assert_unknown(&f, 0x100);
	code_table_free(f.table);
}

/* A guest has run in between: only rsp is the host's. */
/* Two functions as names tell them, and what a compiler moved out of the first one's way, without a
 * name, behind the second one, which ends in a call that never returns. */
struct nameless {
	unsigned char code[0x80];
	struct code_parts parts;
};

enum { SECOND = 0x20, PART = 0x2c };

static struct err *read_nameless(void *self, uint64_t address, void *out, size_t len)
{
	const struct nameless *n = self;
	if (address < FUN_A || address - FUN_A > sizeof(n->code) ||
	    len > sizeof(n->code) - (address - FUN_A))
		return err_new(ERR_MISSING, "no code");
	memcpy(out, n->code + (address - FUN_A), len);
	return NULL;
}

static bool nameless_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct nameless *n = self;
	if (address < FUN_A || address - FUN_A >= sizeof(n->code))
		return false;
	*ret = address - FUN_A < SECOND
		       ? (struct code_symbol){ FUN_A, FUN_A + SECOND, CODE_FUNCTION, 0 }
		       : (struct code_symbol){ FUN_A + SECOND, FUN_A + sizeof(n->code),
					       CODE_FUNCTION, 0 };
	code_parts_cut(&n->parts, address, ret);
	return true;
}

static void test_parts_without_names(void **state)
{
	(void)state;
	static const char code[] = "\x53"		      /* 0: push %rbx */
				   "\x41\x54"		      /* 1: push %r12 */
				   "\x85\xff"		      /* 3: test %edi,%edi */
				   "\x0f\x85\x21\x00\x00\x00" /* 5: jne 2c */
				   "\x41\x5c"		      /* b: pop %r12 */
				   "\x5b"		      /* d: pop %rbx */
				   "\xe9\x0d\x00\x00\x00"     /* e: jmp 20 */
				   "\xe9\x00\x10\x00\x00"     /* 13: jmp far away */
				   "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc"
				   "\x53"		   /* 20: push %rbx */
				   "\x55"		   /* 21: push %rbp */
				   "\x31\xdb"		   /* 22: xor %ebx,%ebx */
				   "\x90\x90\x90"	   /* 24: nops */
				   "\xe8\x00\x10\x00\x00"  /* 27: call of what never returns */
				   "\x90"		   /* 2c: nop */
				   "\xe9\xd9\xff\xff\xff"; /* 2d: jmp b */
	struct nameless n = { .parts = { 0 } };
	const struct code_source source = { &n, read_nameless, nameless_symbol, NULL };
	struct code_table *first, *second;
	struct code_parts found = { 0 };
	struct code_rules r;
	memset(n.code, 0xcc, sizeof(n.code));
	memcpy(n.code, code, sizeof(code) - 1);
	assert_null(code_parts_scan(&source, FUN_A, FUN_A + sizeof(n.code), &found));
	code_parts_sort(&found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.list[0].start, FUN_A + 0xb);
	assert_int_equal(found.list[0].function, FUN_A + SECOND);
	assert_int_equal(found.list[1].start, FUN_A + PART);
	assert_int_equal(found.list[1].function, FUN_A);
	assert_int_equal(code_parts_upto(&found, FUN_A + 0xa), 0);
	assert_int_equal(code_parts_upto(&found, FUN_A + 0xb), 1);
	n.parts = found;
	assert_null(code_table_new(&source, FUN_A, &first));
	assert_null(code_table_new(&source, FUN_A + SECOND, &second));
	/* In the part, and back: the first one's frame. */
	assert_true(code_table_at(first, FUN_A + PART, &r));
	assert_saved(&r, R12, CODE_AT_CFA, -24);
	assert_true(code_table_at(first, FUN_A + 0xd, &r));
	assert_kept(&r, R12);
	/* The second one's call is known, and nothing behind it. */
	assert_true(code_table_call(second, FUN_A + PART, &r));
	assert_saved(&r, RBP, CODE_AT_CFA, -24);
	assert_false(code_table_at(second, FUN_A + PART, &r));
	code_table_free(first);
	code_table_free(second);
	code_parts_free(&found);
}

static void test_guest(void **state)
{
	(void)state;
	struct function f;
	begin(&f);
	PUT(&f, FUN_A,
	    "\x55"	     /* 0: push %rbp */
	    "\x53"	     /* 1: push %rbx */
	    "\x0f\x01\xd8"   /* 2: vmrun */
	    "\x5b\x5d\xc3"); /* 5 */
	follow(&f);
	struct code_rules r = at(&f, 5);
	assert_true(r.by_rsp && r.rsp_offset == 24);
	assert_saved(&r, RBP, CODE_AT_CFA, -16);
	assert_saved(&r, RBX, CODE_AT_CFA, -24);
	assert_int_equal(r.in_register, 0);
	code_table_free(f.table);
}

/* Code that ends where nothing can be read, and none at all. */
static void test_unreadable(void **state)
{
	(void)state;
	struct function f;
	struct code_rules r;
	memset(&f, 0, sizeof(f));
	memset(f.code, 0x90, sizeof(f.code));
	fake_memory(&f.fake, FUN_A, f.code, 0x10);
	fake_text(&f.fake, FUN_A, 0x100);
	follow(&f);
	(void)at(&f, 0xf);
	assert_false(code_table_at(f.table, FUN_A + 0x10, &r));
	code_table_free(f.table);
	struct code_source source = fake_code(&f.fake);
	assert_null(code_table_new(&source, FUN_B, &f.table));
	assert_false(code_table_at(f.table, FUN_B, &r));
	code_table_free(f.table);
}

/* ---- frames ---- */

/* FUN_B + 0x20 has called FUN_A, which has saved rbx and made room. */
static void put_frames(struct scene *s)
{
	static const unsigned char code[] = {
		0x0f, 0x1f, 0x44, 0x00, 0x00, /* 0: nop */
		0x53,			      /* 5: push %rbx */
		0x48, 0x83, 0xec, 0x10,	      /* 6: sub $16,%rsp */
		0x31, 0xdb,		      /* a: xor %ebx,%ebx */
		0x90,			      /* c: nop */
	};
	static const unsigned char call[] = { 0xe8, 0xdb, 0xfe, 0xff, 0xff };
	set_up(s);
	s->fake.follows = true;
	memcpy(s->code, code, sizeof(code));
	memcpy(s->code + (FUN_B - FUN_A) + 0x20, call, sizeof(call));
	regs_set(&s->first, REG_RIP, FUN_A + 0xc);
	regs_set(&s->first, REG_RSP, task_address(100));
	regs_set(&s->first, REG_RBX, 0);
	regs_set(&s->first, REG_R12, 0x1212);
	s->task[102] = 0xbbbb;
	s->task[103] = FUN_B + 0x25;
}

/* ORC finds the caller, and does not speak of the registers. */
static void test_registers_beside_orc(void **state)
{
	(void)state;
	struct scene s;
	put_frames(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 32 });
	run(&s, true);
	const struct frame *f = &s.frames.list[1];
	assert_int_equal(f->how, HOW_ORC);
	assert_int_equal(f->regs.value[REG_RBX], 0xbbbb);
	assert_int_equal(f->saved[REG_RBX], task_address(102));
	assert_int_equal(f->regs.value[REG_R12], 0x1212);
	assert_false(f->saved_known >> REG_R12 & 1);
	assert_false(regs_known(&f->regs, REG_RDI));
	frames_free(&s.frames);
}

/* ORC has the stack elsewhere: then nobody's word on registers is taken. */
static void test_orc_disagrees(void **state)
{
	(void)state;
	struct scene s;
	put_frames(&s);
	s.task[104] = FUN_B + 0x25;
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 40 });
	run(&s, true);
	const struct frame *f = &s.frames.list[1];
	assert_int_equal(f->how, HOW_ORC);
	assert_false(regs_known(&f->regs, REG_RBX));
	assert_false(regs_known(&f->regs, REG_R12));
	frames_free(&s.frames);
}

/* Without any table: the return address must be behind a call of the function. */
static void test_code_alone(void **state)
{
	(void)state;
	struct scene s;
	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	run(&s, true);
	assert_true(s.frames.count >= 2);
	const struct frame *f = &s.frames.list[1];
	assert_int_equal(f->how, HOW_CODE);
	assert_string_equal(frame_how_name(f->how), "code");
	assert_int_equal(f->regs.value[REG_RIP], FUN_B + 0x25);
	assert_int_equal(f->regs.value[REG_RSP], task_address(104));
	assert_int_equal(f->regs.value[REG_RBX], 0xbbbb);
	frames_free(&s.frames);

	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	s.task[103] = FUN_B + 0x35; /* behind no call */
	run(&s, true);
	assert_int_equal(s.frames.count, 1);
	assert_lost(&s, 1, "is behind no call of this function");
}

/* A call by a register is believed of what begins as functions do. */
static void test_called_by_register(void **state)
{
	(void)state;
	struct scene s;
	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	memcpy(s.code + (FUN_B - FUN_A) + 0x23, "\xff\xd0", 2); /* call *%rax */
	run(&s, true);
	assert_true(s.frames.count >= 2);
	assert_int_equal(s.frames.list[1].how, HOW_CODE);
	frames_free(&s.frames);

	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	memcpy(s.code + (FUN_B - FUN_A) + 0x23, "\xff\xd0", 2);
	memcpy(s.code, "\x66\x66\x66\x66\x90", 5); /* nop, as older CPUs have it */
	run(&s, true);
	assert_true(s.frames.count >= 2);
	assert_int_equal(s.frames.list[1].how, HOW_CODE);
	frames_free(&s.frames);

	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	memcpy(s.code + (FUN_B - FUN_A) + 0x23, "\xff\xd0", 2);
	memcpy(s.code, "\x90\x90\x90\x90\x90", 5); /* a label may begin like this */
	run(&s, true);
	assert_lost(&s, 1, "is behind no call of this function");
}

/* Saved and still in its register, but not the same: one of them is not what the code left there.
 */
static void test_slot_and_register_differ(void **state)
{
	(void)state;
	struct scene s;
	put_frames(&s);
	regs_forget(&s.first, REG_RBP);
	regs_set(&s.first, REG_RIP, FUN_A + 0xa);
	regs_set(&s.first, REG_RBX, 0xaaaa);
	run(&s, true);
	assert_true(s.frames.count >= 2);
	assert_false(regs_known(&s.frames.list[1].regs, REG_RBX));
	assert_true(regs_known(&s.frames.list[1].regs, REG_R12));
	frames_free(&s.frames);
}

/* Frame pointers find the caller; the code adds what they do not know. */
static void test_registers_beside_frame_pointer(void **state)
{
	static const unsigned char code[] = {
		0x55,			/* 0: push %rbp */
		0x48, 0x89, 0xe5,	/* 1: mov %rsp,%rbp */
		0x41, 0x55,		/* 4: push %r13 */
		0x45, 0x31, 0xed,	/* 6: xor %r13d,%r13d */
		0x90,			/* 9: nop */
		0x41, 0x5d, 0xc9, 0xc3, /* a: pop %r13, leave, ret */
	};
	(void)state;
	struct scene s;
	set_up(&s);
	s.fake.follows = true;
	memcpy(s.code, code, sizeof(code));
	regs_set(&s.first, REG_RIP, FUN_A + 9);
	regs_set(&s.first, REG_RSP, task_address(100));
	regs_set(&s.first, REG_RBP, task_address(101));
	regs_set(&s.first, REG_R13, 0);
	s.task[100] = 0x1313;
	s.task[101] = task_address(110);
	s.task[102] = FUN_B + 0x25;
	run(&s, true);
	assert_true(s.frames.count >= 2);
	assert_int_equal(s.frames.list[1].how, HOW_FP);
	assert_int_equal(s.frames.list[1].regs.value[REG_R13], 0x1313);
	frames_free(&s.frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pushes_and_pops),
		cmocka_unit_test(test_frame_and_leave),
		cmocka_unit_test(test_shrink_wrapping),
		cmocka_unit_test(test_paths_differ),
		cmocka_unit_test(test_instructions_overlap),
		cmocka_unit_test(test_realigned),
		cmocka_unit_test(test_other_stack),
		cmocka_unit_test(test_task_switch),
		cmocka_unit_test(test_aligned_switch),
		cmocka_unit_test(test_jump_by_register),
		cmocka_unit_test(test_tail_call_by_register),
		cmocka_unit_test(test_jump_table),
		cmocka_unit_test(test_inner_call),
		cmocka_unit_test(test_return_stack_filled),
		cmocka_unit_test(test_return_stack_not_filled),
		cmocka_unit_test(test_interrupt_instruction),
		cmocka_unit_test(test_trap),
		cmocka_unit_test(test_return_address_overwritten),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_part_behind_the_end),
		cmocka_unit_test(test_parts_without_names),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_registers_beside_orc),
		cmocka_unit_test(test_orc_disagrees),
		cmocka_unit_test(test_code_alone),
		cmocka_unit_test(test_called_by_register),
		cmocka_unit_test(test_slot_and_register_differ),
		cmocka_unit_test(test_registers_beside_frame_pointer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
