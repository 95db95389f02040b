// SPDX-License-Identifier: GPL-2.0-or-later
/* The first instructions of a system call, and the last ones before sysret and iret. */
#include "arch/x86_64/unwind/pt_regs.h"
#include "tests/unwind/scene.h"

#define PERCPU UINT64_C(0xffff888003e00000)
#define ENTRY  UINT64_C(0xffffffff82000000)

/* What the process has in its registers, as the processor leaves them: rip in rcx, eflags in r11.
 */
enum { USER_RIP = 0x401000, USER_RSP = 0x7ffe0100, USER_EFLAGS = 0x246, SP2 = 0x6014 };

/* What lies in a register that is no longer the user's. */
#define NOT_USERS UINT64_C(0x1234000)

/* Of entry_SYSCALL_64, Linux 6.1, with page table isolation on; what each instruction does. */
static const unsigned char entry[] = {
	0x0f, 0x01, 0xf8,				      /* 00 swapgs */
	0x65, 0x48, 0x89, 0x24, 0x25, 0x14, 0x60, 0x00, 0x00, /* 03 mov %rsp,%gs:0x6014 */
	0x66, 0x90,					      /* 0c nop (jmp without isolation) */
	0x0f, 0x20, 0xdc,				      /* 0e mov %cr3,%rsp */
	0x48, 0x81, 0xe4, 0xff, 0xe7, 0xff, 0xff,	      /* 11 and $~0x1800,%rsp */
	0x0f, 0x22, 0xdc,				      /* 18 mov %rsp,%cr3 */
	0x65, 0x48, 0x8b, 0x24, 0x25, 0x50, 0xfb, 0x01, 0x00, /* 1b mov %gs:0x1fb50,%rsp */
	0x6a, 0x2b,					      /* 24 push $0x2b */
	0x65, 0xff, 0x34, 0x25, 0x14, 0x60, 0x00, 0x00,	      /* 26 push %gs:0x6014 */
	0x41, 0x53,					      /* 2e push %r11 */
	0x6a, 0x33,					      /* 30 push $0x33 */
	0x51,						      /* 32 push %rcx */
	0x50,						      /* 33 push %rax */
	0x57,						      /* 34 push %rdi */
	0x53,						      /* 35 push %rbx */
	0x31, 0xff,					      /* 36 xor %edi,%edi */
	0x31, 0xdb,					      /* 38 xor %ebx,%ebx */
	0xe8, 0x00, 0x00, 0x00, 0x00,			      /* 3a call */
	0x5b,						      /* 3f pop %rbx */
};

/* Of entry_SYSENTER_compat, Linux 6.1, with page table isolation on. */
static const unsigned char by_sysenter[] = {
	0x0f, 0x01, 0xf8,				      /* 00 swapgs */
	0x50,						      /* 03 push %rax */
	0x0f, 0x20, 0xd8,				      /* 04 mov %cr3,%rax */
	0x48, 0x25, 0xff, 0xe7, 0xff, 0xff,		      /* 07 and $~0x1800,%rax */
	0x0f, 0x22, 0xd8,				      /* 0d mov %rax,%cr3 */
	0x58,						      /* 10 pop %rax */
	0x65, 0x48, 0x8b, 0x24, 0x25, 0x50, 0xfb, 0x01, 0x00, /* 11 mov %gs:0x1fb50,%rsp */
	0x6a, 0x2b,					      /* 1a push $0x2b */
	0x6a, 0x00,					      /* 1c push $0 */
	0x9c,						      /* 1e pushf */
	0x6a, 0x23,					      /* 1f push $0x23 */
	0x6a, 0x00,					      /* 21 push $0 */
	0x57,						      /* 23 push %rdi */
	0x31, 0xff,					      /* 24 xor %edi,%edi */
	0x90,						      /* 26 */
};

/* Of its end: from the stack that the user's page tables have, too. */
static const unsigned char leave_by_sysret[] = {
	0x5f,		  /* 0 pop %rdi */
	0x5c,		  /* 1 pop %rsp */
	0x0f, 0x01, 0xf8, /* 2 swapgs */
	0x48, 0x0f, 0x07, /* 5 sysretq */
};

/* Of swapgs_restore_regs_and_return_to_usermode: rdi has led to pt_regs.di, and the iret frame is
 * copied, with a branch in between. */
static const unsigned char leave_by_iret[] = {
	0xff, 0x77, 0x30,	/* 00 push 0x30(%rdi): ss */
	0xff, 0x77, 0x28,	/* 03 push 0x28(%rdi): rsp */
	0xff, 0x77, 0x20,	/* 06 push 0x20(%rdi): eflags */
	0xff, 0x77, 0x18,	/* 09 push 0x18(%rdi): cs */
	0xff, 0x77, 0x10,	/* 0c push 0x10(%rdi): rip */
	0xff, 0x37,		/* 0f push (%rdi): rdi */
	0x50,			/* 11 push %rax */
	0x0f, 0x20, 0xdf,	/* 12 mov %cr3,%rdi */
	0x48, 0x89, 0xf8,	/* 15 mov %rdi,%rax */
	0x73, 0x04,		/* 18 jae 1e */
	0x48, 0x83, 0xcf, 0x01, /* 1a or $1,%rdi */
	0x0f, 0x22, 0xdf,	/* 1e mov %rdi,%cr3 */
	0x58,			/* 21 pop %rax */
	0x5f,			/* 22 pop %rdi */
	0x0f, 0x01, 0xf8,	/* 23 swapgs */
	0x48, 0xcf,		/* 26 iretq */
};

static uint64_t percpu[0x1000];
static unsigned char text[0x100];

static uint64_t users(enum reg n)
{
	switch (n) {
	case REG_RCX:
	case REG_RIP:
		return USER_RIP;
	case REG_R11:
	case REG_EFLAGS:
		return USER_EFLAGS;
	case REG_RSP:
		return USER_RSP;
	default:
		return 0x1111 * (uint64_t)(n + 1);
	}
}

/* The CPU stands at @at of @code, which is entry code, with the user's registers but for rsp. */
static void stand(struct scene *s, const unsigned char *code, size_t len, uint64_t at)
{
	set_up(s);
	memset(percpu, 0, sizeof(percpu));
	fake_memory(&s->fake, PERCPU, percpu, sizeof(percpu));
	memset(text, 0xcc, sizeof(text));
	memcpy(text, code, len);
	fake_memory(&s->fake, ENTRY, text, sizeof(text));
	fake_text(&s->fake, ENTRY, 0x100);
	fake_orc(&s->fake, ENTRY, 0x100, orc_end);
	s->fake.edge_start = ENTRY;
	s->fake.edge_end = ENTRY + 0x100;
	for (enum reg n = REG_RAX; n < REG_RIP; n++)
		regs_set(&s->first, n, users(n));
	regs_set(&s->first, REG_RIP, ENTRY + at);
	regs_set(&s->first, REG_CS, 0x10);
}

/* Two frames: the last is user mode's, with all general registers as the process has them. */
static void assert_users(struct scene *s, uint32_t unknown)
{
	assert_int_equal(s->frames.end, END_USER);
	assert_int_equal(s->frames.count, 2);
	const struct regs *r = &s->frames.list[1].regs;
	assert_int_equal(frame_mode(&s->frames.list[1]), FRAME_USER);
	for (enum reg n = REG_RAX; n <= REG_EFLAGS; n++) {
		if (unknown >> n & 1) {
			assert_false(regs_known(r, n));
			continue;
		}
		assert_true(regs_known(r, n));
		assert_int_equal(r->value[n], users(n));
	}
	frames_free(&s->frames);
}

static void put_sp2(uint64_t value)
{
	memcpy((unsigned char *)percpu + SP2, &value, sizeof(value));
}

/* The state at each instruction of the entry, by what has been done before. */
static const struct {
	uint64_t at;
	uint64_t rsp;	 /* 0: on the task's stack, after so many pushes */
	unsigned pushes; /* of eight */
	bool kept;	 /* the user's rsp is in the per-CPU variable */
	bool no_rdi, no_rbx;
} on_entry[] = {
	{ 0x00, USER_RSP, 0, false, false, false }, { 0x03, USER_RSP, 0, false, false, false },
	{ 0x0c, USER_RSP, 0, true, false, false },  { 0x0e, USER_RSP, 0, true, false, false },
	{ 0x11, NOT_USERS, 0, true, false, false }, { 0x18, NOT_USERS, 0, true, false, false },
	{ 0x1b, NOT_USERS, 0, true, false, false }, { 0x24, 0, 0, true, false, false },
	{ 0x26, 0, 1, true, false, false },	    { 0x2e, 0, 2, true, false, false },
	{ 0x30, 0, 3, true, false, false },	    { 0x32, 0, 4, true, false, false },
	{ 0x33, 0, 5, true, false, false },	    { 0x34, 0, 6, true, false, false },
	{ 0x35, 0, 7, true, false, false },	    { 0x36, 0, 8, true, false, false },
	{ 0x38, 0, 8, true, true, false },	    { 0x3a, 0, 8, true, true, true },
};

static void each_instruction_of_an_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(on_entry) / sizeof(*on_entry); i++) {
		struct scene s;
		stand(&s, entry, sizeof(entry), on_entry[i].at);
		s.fake.edge.start = ENTRY;
		s.fake.edge.percpu = PERCPU;
		if (on_entry[i].kept)
			put_sp2(USER_RSP);
		const uint64_t words[8] = {
			0x2b,	  USER_RSP,	  USER_EFLAGS,	  0x33,
			USER_RIP, users(REG_RAX), users(REG_RDI), users(REG_RBX)
		};
		for (unsigned p = 0; p < on_entry[i].pushes; p++)
			s.task[WORDS - 1 - p] = words[p];
		regs_set(&s.first, REG_RSP,
			 on_entry[i].rsp ? on_entry[i].rsp
					 : task_address(WORDS - on_entry[i].pushes));
		if (on_entry[i].no_rdi)
			regs_set(&s.first, REG_RDI, 0);
		if (on_entry[i].no_rbx)
			regs_set(&s.first, REG_RBX, 0);
		run(&s, true);
		assert_users(&s, 0);
	}
}

/* Where the user's rsp was put is not known: it is neither what rsp is, nor anything else. */
static void an_entry_on_an_unknown_cpu(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, entry, sizeof(entry), 0x18);
	s.fake.edge.start = ENTRY;
	regs_set(&s.first, REG_RSP, NOT_USERS);
	put_sp2(USER_RSP);
	run(&s, true);
	assert_users(&s, UINT32_C(1) << REG_RSP);
}

/* Behind a call rcx is anybody's. */
static void no_entry_behind_its_call(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, entry, sizeof(entry), 0x3f);
	s.fake.edge.start = ENTRY;
	s.fake.edge.percpu = PERCPU;
	regs_set(&s.first, REG_RSP, USER_RSP);
	run(&s, true);
	assert_lost(&s, 1, "is on no stack");
}

static void each_instruction_of_sysenter(void **state)
{
	static const struct {
		uint64_t at;
		unsigned entry_pushes, pushes; /* on the entry stack, and on the task's */
		bool no_rax, no_rdi;
	} steps[] = {
		{ 0x00, 0, 0, false, false }, { 0x03, 0, 0, false, false },
		{ 0x04, 1, 0, false, false }, { 0x07, 1, 0, true, false },
		{ 0x0d, 1, 0, true, false },  { 0x10, 1, 0, true, false },
		{ 0x11, 0, 0, false, false }, { 0x1a, 0, 0, false, false },
		{ 0x1c, 0, 1, false, false }, { 0x1e, 0, 2, false, false },
		{ 0x1f, 0, 3, false, false }, { 0x21, 0, 4, false, false },
		{ 0x23, 0, 5, false, false }, { 0x24, 0, 6, false, false },
		{ 0x26, 0, 6, false, true },
	};
	const uint32_t lost =
		UINT32_C(1) << REG_RIP | UINT32_C(1) << REG_RSP | UINT32_C(1) << REG_EFLAGS;
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct scene s;
		stand(&s, by_sysenter, sizeof(by_sysenter), steps[i].at);
		s.fake.edge.start = ENTRY;
		s.fake.edge.by = ENTRY_BY_SYSENTER;
		const uint64_t words[6] = { 0x2b, 0, 0x46, 0x23, 0, users(REG_RDI) };
		for (unsigned p = 0; p < steps[i].pushes; p++)
			s.task[WORDS - 1 - p] = words[p];
		s.irq[WORDS - 1] = users(REG_RAX);
		regs_set(&s.first, REG_RSP,
			 steps[i].pushes || steps[i].at == 0x1a
				 ? task_address(WORDS - steps[i].pushes)
				 : IRQ + 8 * (WORDS - (uint64_t)steps[i].entry_pushes));
		if (steps[i].no_rax)
			regs_set(&s.first, REG_RAX, NOT_USERS);
		if (steps[i].no_rdi)
			regs_set(&s.first, REG_RDI, 0);
		run(&s, true);
		assert_int_equal(s.frames.list[1].regs.value[REG_CS], 0x23);
		assert_users(&s, lost);
	}
}

/* pt_regs has zeros for what SYSENTER does not keep until the handler has set it. */
static void a_handler_of_sysenter(void **state)
{
	(void)state;
	for (int set = 0; set < 2; set++) {
		struct scene s;
		stand(&s, by_sysenter, sizeof(by_sysenter), 0x26);
		s.fake.edge.start = ENTRY;
		s.fake.edge.by = ENTRY_BY_SYSENTER;
		fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
		s.fake.orc[0].entry =
			(struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true };
		s.task[PT_REGS_AT_TOP - 1] = ENTRY + 0x27;
		put_user_regs(s.task, PT_REGS_AT_TOP);
		s.task[PT_REGS_AT_TOP + 16] = set ? USER_RIP : 0;
		s.task[PT_REGS_AT_TOP + 17] = 0x23;
		s.task[PT_REGS_AT_TOP + 19] = set ? USER_RSP : 0;
		regs_set(&s.first, REG_RIP, FUN_A);
		regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 1));
		run(&s, true);
		assert_int_equal(s.frames.end, END_USER);
		assert_int_equal(s.frames.count, 3);
		const struct regs *r = &s.frames.list[2].regs;
		assert_int_equal(regs_known(r, REG_RIP), set);
		assert_int_equal(regs_known(r, REG_RSP), set);
		assert_int_equal(regs_known(r, REG_EFLAGS), set);
		assert_true(regs_known(r, REG_RBX));
		/* What it has there is not the program's. */
		assert_false(regs_known(r, REG_R8) || regs_known(r, REG_R11));
		frames_free(&s.frames);
	}
}

/* A program of 32 bits that has jumped to 0 is there. */
static void a_jump_to_zero(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, by_sysenter, sizeof(by_sysenter), 0x26);
	s.fake.edge.start = ENTRY;
	s.fake.edge.by = ENTRY_BY_SYSCALL32;
	s.fake.orc[0].entry = (struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true };
	put_user_regs(s.task, PT_REGS_AT_TOP);
	s.task[PT_REGS_AT_TOP + 16] = 0;
	s.task[PT_REGS_AT_TOP + 17] = 0x23;
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP));
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_true(regs_known(&s.frames.list[1].regs, REG_RIP));
	frames_free(&s.frames);
}

/* Behind the call of error_entry(), which has left pt_regs where rsp is and, of user mode, copied
 * it to where rax says. Tables have the iret frame where rsp is. */
static void an_exception_before_it_moves(void **state)
{
	static const unsigned char code[] = {
		0xe8, 0x1b, 0x00, 0x00, 0x00, /* 00 call ENTRY + 0x20 */
		0x48, 0x89, 0xc4,	      /* 05 mov %rax,%rsp */
	};
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct scene s;
		stand(&s, code, sizeof(code), 5);
		s.fake.orc[0].entry = (struct orc_entry){
			.type = ORC_REGS_PARTIAL, .sp = ORC_SP, .sp_offset = 8, .signal = true
		};
		s.fake.edge.makes_regs = ENTRY + (known ? 0x20 : 0x30);
		put_user_regs(s.irq, WORDS - 21);
		put_user_regs(s.task, PT_REGS_AT_TOP);
		s.task[PT_REGS_AT_TOP + 16] = USER_RIP;
		regs_set(&s.first, REG_RSP, IRQ + 8 * (WORDS - 21));
		regs_set(&s.first, REG_RAX, task_address(PT_REGS_AT_TOP));
		run(&s, true);
		bool right = s.frames.count == 2 && rip_of(&s, 1) == USER_RIP;
		assert_int_equal(right, known);
		frames_free(&s.frames);
	}
}

/* Of asm_fred_entrypoint_user and _kernel. */
static const unsigned char by_fred[] = {
	0xf3, 0x0f, 0x1e, 0xfa, /* 0 endbr64 */
	0x57,			/* 4 push %rdi */
	0x56,			/* 5 push %rsi */
	0x31, 0xf6,		/* 6 xor %esi,%esi */
	0x48, 0x89, 0xe7,	/* 8 mov %rsp,%rdi */
};

/* What the processor tells of the event lies above segments, and behind all. */
static void each_instruction_of_fred(void **state)
{
	static const struct {
		uint64_t at;
		unsigned pushes;
	} steps[] = { { 0, 0 }, { 4, 0 }, { 5, 1 }, { 6, 2 }, { 8, 2 } };
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(steps) / sizeof(*steps); i++) {
		const bool user = i % 2;
		const uint64_t at = steps[i / 2].at, pushes = steps[i / 2].pushes;
		struct scene s;
		stand(&s, by_fred, sizeof(by_fred), at);
		s.fake.edge.start = ENTRY;
		s.fake.edge.by = ENTRY_BY_FRED;
		fake_orc(&s.fake, FUN_B, 0x100, orc_end);
		const uint64_t frame[] = {
			6,
			user ? USER_RIP : FUN_B + 8,
			(user ? 0x33 : 0x10) | UINT64_C(1) << 16,
			USER_EFLAGS,
			user ? (uint64_t)USER_RSP : task_address(WORDS - 1),
			(user ? 0x2b : 0x18) | UINT64_C(0x1230e0000) | UINT64_C(1) << 57,
			0x1234,
			0,
		};
		memcpy(s.task + WORDS - 16, frame, sizeof(frame));
		s.task[WORDS - 17] = users(REG_RDI);
		s.task[WORDS - 18] = users(REG_RSI);
		regs_set(&s.first, REG_RCX, users(REG_RCX));
		regs_set(&s.first, REG_RSP, task_address(WORDS - 16 - pushes));
		if (at == 8)
			regs_set(&s.first, REG_RSI, 0);
		run(&s, true);
		assert_true(s.frames.count >= 2);
		const struct regs *r = &s.frames.list[1].regs;
		assert_int_equal(r->value[REG_CS], user ? 0x33 : 0x10);
		assert_int_equal(r->value[REG_SS], user ? 0x2b : 0x18);
		assert_int_equal(r->value[REG_RIP], frame[1]);
		assert_int_equal(r->value[REG_RSI], users(REG_RSI));
		assert_int_equal(s.frames.end, user ? END_USER : END_KTHREAD);
		if (user)
			assert_users(&s, 0);
		else
			frames_free(&s.frames);
	}
}

/* Of what a handler was called with, too. */
static void pt_regs_of_fred(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, by_fred, sizeof(by_fred), 8);
	s.fake.edge_end = s.fake.edge_start;
	s.fake.orc[0].entry = (struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true };
	put_user_regs(s.task, PT_REGS_AT_TOP - 2);
	s.task[PT_REGS_AT_TOP - 2 + 17] |= UINT64_C(3) << 16;
	s.task[PT_REGS_AT_TOP - 2 + 20] |= UINT64_C(0x1230e0000);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 2));
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.list[1].regs.value[REG_CS], 0x33);
	assert_int_equal(s.frames.list[1].regs.value[REG_SS], 0x2b);
	frames_free(&s.frames);
}

/* Of entry_INT80_compat, Linux 5.10, with page table isolation on. */
static const unsigned char by_int80[] = {
	0x0f, 0x01, 0xf8,				      /* 00 swapgs */
	0x50,						      /* 03 push %rax */
	0x57,						      /* 04 push %rdi */
	0x0f, 0x20, 0xdf,				      /* 05 mov %cr3,%rdi */
	0x0f, 0x22, 0xdf,				      /* 08 mov %rdi,%cr3 */
	0x48, 0x89, 0xe7,				      /* 0b mov %rsp,%rdi */
	0x65, 0x48, 0x8b, 0x24, 0x25, 0x0c, 0x60, 0x00, 0x00, /* 0e mov %gs:0x600c,%rsp */
	0xff, 0x77, 0x30,				      /* 17 push 0x30(%rdi) */
	0xff, 0x37,					      /* 1a push (%rdi) */
	0x56,						      /* 1c push %rsi */
	0x31, 0xf6,					      /* 1d xor %esi,%esi */
	0x90,						      /* 1f */
};

static void each_instruction_of_int80(void **state)
{
	static const struct {
		uint64_t at;
		unsigned entry_pushes, pushes; /* on the entry stack, and on the task's */
		uint64_t rdi;		       /* 0: the user's; 1: the entry stack's rsp */
		bool no_rsi;
	} steps[] = {
		{ 0x00, 0, 0, 0, false },	  { 0x03, 0, 0, 0, false },
		{ 0x04, 1, 0, 0, false },	  { 0x05, 2, 0, 0, false },
		{ 0x08, 2, 0, NOT_USERS, false }, { 0x0b, 2, 0, NOT_USERS, false },
		{ 0x0e, 2, 0, 1, false },	  { 0x17, 2, 0, 1, false },
		{ 0x1a, 2, 1, 1, false },	  { 0x1c, 2, 2, 1, false },
		{ 0x1d, 2, 3, 1, false },	  { 0x1f, 2, 3, 1, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const bool moved = steps[i].at >= 0x17;
		struct scene s;
		stand(&s, by_int80, sizeof(by_int80), steps[i].at);
		s.fake.edge.start = ENTRY;
		s.fake.edge.by = ENTRY_BY_INT80;
		const uint64_t words[] = { 0x2b,     USER_RSP,	     USER_EFLAGS,   0x23,
					   USER_RIP, users(REG_RAX), users(REG_RDI) };
		for (unsigned p = 0; p < 5 + steps[i].entry_pushes; p++)
			s.irq[WORDS - 1 - p] = words[p];
		const uint64_t copies[] = { 0x2b, users(REG_RDI), users(REG_RSI) };
		for (unsigned p = 0; p < steps[i].pushes; p++)
			s.task[WORDS - 1 - p] = copies[p];
		const uint64_t entry_rsp = IRQ + 8 * (WORDS - 5 - (uint64_t)steps[i].entry_pushes);
		regs_set(&s.first, REG_RSP,
			 moved ? task_address(WORDS - steps[i].pushes) : entry_rsp);
		if (steps[i].rdi)
			regs_set(&s.first, REG_RDI, steps[i].rdi == 1 ? entry_rsp : steps[i].rdi);
		if (steps[i].no_rsi)
			regs_set(&s.first, REG_RSI, 0);
		run(&s, true);
		assert_int_equal(s.frames.count, 2);
		assert_int_equal(s.frames.list[1].regs.value[REG_CS], 0x23);
		assert_users(&s, moved ? UINT32_C(1) << REG_RDI : 0);
	}
}

/* Of entry_SYSCALL_compat: rsp is in r8 for a while, which is never the user's. */
static const unsigned char by_syscall32[] = {
	0x0f, 0x01, 0xf8,				      /* 00 swapgs */
	0x41, 0x89, 0xe0,				      /* 03 mov %esp,%r8d */
	0x66, 0x90,					      /* 06 nop */
	0x0f, 0x20, 0xdc,				      /* 08 mov %cr3,%rsp */
	0x65, 0x48, 0x8b, 0x24, 0x25, 0x50, 0xfb, 0x01, 0x00, /* 0b mov %gs:0x1fb50,%rsp */
	0x6a, 0x2b,					      /* 14 push $0x2b */
	0x41, 0x50,					      /* 16 push %r8 */
	0x45, 0x31, 0xc0,				      /* 18 xor %r8d,%r8d */
	0x41, 0x53,					      /* 1b push %r11 */
};

static void each_instruction_of_syscall32(void **state)
{
	static const struct {
		uint64_t at, rsp;
		unsigned pushes;
	} steps[] = {
		{ 0x00, USER_RSP, 0 }, { 0x03, USER_RSP, 0 },  { 0x06, USER_RSP, 0 },
		{ 0x08, USER_RSP, 0 }, { 0x0b, NOT_USERS, 0 }, { 0x14, 0, 0 },
		{ 0x16, 0, 1 },	       { 0x18, 0, 2 },	       { 0x1b, 0, 2 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct scene s;
		stand(&s, by_syscall32, sizeof(by_syscall32), steps[i].at);
		s.fake.edge.start = ENTRY;
		s.fake.edge.by = ENTRY_BY_SYSCALL32;
		s.task[WORDS - 1] = 0x2b;
		s.task[WORDS - 2] = USER_RSP;
		regs_set(&s.first, REG_RSP,
			 steps[i].rsp ? steps[i].rsp : task_address(WORDS - steps[i].pushes));
		if (steps[i].at > 0x03)
			regs_set(&s.first, REG_R8, USER_RSP);
		if (steps[i].at > 0x18)
			regs_set(&s.first, REG_R8, 0);
		run(&s, true);
		assert_int_equal(s.frames.list[1].regs.value[REG_CS], 0x23);
		assert_users(&s, UINT32_C(1) << REG_R8);
	}
}

static void each_instruction_before_sysret(void **state)
{
	static const struct {
		uint64_t at;
		unsigned popped;
	} steps[] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 5, 2 } };
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct scene s;
		stand(&s, leave_by_sysret, sizeof(leave_by_sysret), steps[i].at);
		s.irq[WORDS - 2] = users(REG_RDI);
		s.irq[WORDS - 1] = USER_RSP;
		if (!steps[i].popped)
			regs_set(&s.first, REG_RDI, NOT_USERS);
		regs_set(&s.first, REG_RSP,
			 steps[i].popped == 2 ? (uint64_t)USER_RSP
					      : IRQ + 8 * (WORDS - 2 + steps[i].popped));
		run(&s, true);
		assert_users(&s, 0);
	}
}

static void each_instruction_before_iret(void **state)
{
	/* Words on the second stack, from its top down, as they are pushed. */
	const uint64_t words[7] = { 0x2b,     USER_RSP,	      USER_EFLAGS,   0x33,
				    USER_RIP, users(REG_RDI), users(REG_RAX) };
	static const struct {
		uint64_t at;
		unsigned pushes; /* that are there: popped ones are not */
		uint64_t rdi;	 /* 0: pt_regs.di; 1: the user's */
		bool no_rax;
	} steps[] = {
		{ 0x00, 0, 0, false },	       { 0x03, 1, 0, false },
		{ 0x06, 2, 0, false },	       { 0x09, 3, 0, false },
		{ 0x0c, 4, 0, false },	       { 0x0f, 5, 0, false },
		{ 0x11, 6, 0, false },	       { 0x12, 7, 0, false },
		{ 0x15, 7, NOT_USERS, false }, { 0x18, 7, NOT_USERS, true },
		{ 0x1a, 7, NOT_USERS, true },  { 0x1e, 7, NOT_USERS, true },
		{ 0x21, 7, NOT_USERS, true },  { 0x22, 6, NOT_USERS, false },
		{ 0x23, 5, 1, false },	       { 0x26, 5, 1, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct scene s;
		stand(&s, leave_by_iret, sizeof(leave_by_iret), steps[i].at);
		/* pt_regs.di and what lies above it, at the top of the task's stack */
		s.task[WORDS - 7] = users(REG_RDI);
		s.task[WORDS - 6] = 0xffff;
		for (unsigned w = 0; w < 5; w++)
			s.task[WORDS - 1 - w] = words[w];
		for (unsigned w = 0; w < steps[i].pushes; w++)
			s.irq[WORDS - 1 - w] = words[w];
		regs_set(&s.first, REG_RSP, IRQ + 8 * (WORDS - (uint64_t)steps[i].pushes));
		if (steps[i].rdi != 1)
			regs_set(&s.first, REG_RDI,
				 steps[i].rdi ? steps[i].rdi : task_address(WORDS - 7));
		if (steps[i].no_rax)
			regs_set(&s.first, REG_RAX, NOT_USERS);
		run(&s, true);
		assert_int_equal(s.frames.count, 2);
		assert_users(&s, 0);
	}
}

/* An NMI came at the entry's second instruction. */
static void an_entry_that_was_interrupted(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, entry, sizeof(entry), 3);
	s.fake.edge.start = ENTRY;
	s.fake.edge.percpu = PERCPU;
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true });
	for (unsigned i = 0; i < 21; i++)
		s.irq[WORDS - 21 + i] = users(pt_regs_order[i]);
	s.irq[WORDS - 21 + 16] = ENTRY + 3;
	s.irq[WORDS - 21 + 17] = 0x10;
	s.irq[WORDS - 21 + 19] = USER_RSP;
	regs_set(&s.first, REG_RIP, FUN_A + 0x10);
	regs_set(&s.first, REG_RSP, IRQ + 8 * (WORDS - 21));
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(rip_of(&s, 1), ENTRY + 3);
	assert_int_equal(rip_of(&s, 2), USER_RIP);
	assert_int_equal(s.frames.list[2].regs.value[REG_RSP], USER_RSP);
	frames_free(&s.frames);
}

/* An NMI during another one begins at the top of the same stack, above what it has stopped. */
static void an_nmi_in_an_nmi(void **state)
{
	static const unsigned char code[] = { 0x52 /* push %rdx */ };
	(void)state;
	for (int entry_code = 0; entry_code < 2; entry_code++) {
		struct scene s;
		stand(&s, code, sizeof(code), 0);
		s.fake.orc[0].entry = (struct orc_entry){ .type = ORC_REGS_PARTIAL,
							  .sp = ORC_SP,
							  .signal = true };
		if (!entry_code)
			s.fake.edge_end = s.fake.edge_start;
		fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
		fake_orc(&s.fake, FUN_B, 0x100, orc_end);
		const uint64_t frame[5] = { FUN_A, 0x10, 0x46, IRQ + 8 * (WORDS - 100), 0x18 };
		memcpy(s.irq + WORDS - 5, frame, sizeof(frame));
		s.irq[WORDS - 100] = FUN_B + 8;
		regs_set(&s.first, REG_RSP, IRQ + 8 * (WORDS - 5));
		run(&s, true);
		if (!entry_code) {
			assert_lost(&s, 1, "the wrong way");
			continue;
		}
		assert_int_equal(s.frames.count, 3);
		assert_int_equal(rip_of(&s, 1), FUN_A);
		assert_int_equal(rip_of(&s, 2), FUN_B + 8);
		frames_free(&s.frames);
	}
}

/* Tables have the end of the stack there, but somebody came. */
static void an_entry_that_is_not_understood(void **state)
{
	static const unsigned char code[] = { 0xff, 0xe0 /* jmp *%rax */ };
	struct scene s;
	(void)state;
	stand(&s, code, sizeof(code), 2);
	s.fake.edge.start = ENTRY;
	regs_set(&s.first, REG_RSP, task_address(WORDS - 30));
	run(&s, true);
	assert_lost(&s, 1, "was not understood");
}

/* Elsewhere an rsp that is on no stack is damage. */
static void other_code_without_a_stack(void **state)
{
	struct scene s;
	(void)state;
	stand(&s, entry, sizeof(entry), 0);
	s.fake.edge_end = s.fake.edge_start;
	s.fake.edge.start = ENTRY;
	run(&s, true);
	assert_lost(&s, 1, "is on no stack of this task or its CPU");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_of_an_entry),
		cmocka_unit_test(an_entry_on_an_unknown_cpu),
		cmocka_unit_test(no_entry_behind_its_call),
		cmocka_unit_test(each_instruction_of_sysenter),
		cmocka_unit_test(a_handler_of_sysenter),
		cmocka_unit_test(a_jump_to_zero),
		cmocka_unit_test(an_exception_before_it_moves),
		cmocka_unit_test(each_instruction_of_fred),
		cmocka_unit_test(pt_regs_of_fred),
		cmocka_unit_test(each_instruction_of_int80),
		cmocka_unit_test(each_instruction_of_syscall32),
		cmocka_unit_test(each_instruction_before_sysret),
		cmocka_unit_test(each_instruction_before_iret),
		cmocka_unit_test(an_entry_that_was_interrupted),
		cmocka_unit_test(an_nmi_in_an_nmi),
		cmocka_unit_test(an_entry_that_is_not_understood),
		cmocka_unit_test(other_code_without_a_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
