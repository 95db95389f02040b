// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fp_code FILE: whether frame pointers alone find the caller from every instruction of compiled
 * code that may be interrupted, and from behind every call, as its CFI does; or do not answer.
 *
 * FILE is an executable whose functions keep a frame pointer (a vmlinux, or what gcc
 * -fno-omit-frame-pointer made), with CFI for the truth. For each instruction a stack is laid out
 * as CFI says it is there, with one caller that has called the function directly and one that has
 * done so by a pointer. The lengths of instructions must be objdump's. Prints how many answers were
 * right and how many were none; each wrong one is a line. Exit status: 0, 1 (a wrong answer), 77
 * (objdump is missing), 2 (the file cannot be used).
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/unwind/asks.h"
#include "arch/x86_64/unwind/insn.h"
#include "arch/x86_64/unwind/x86_64.h"
#include "base/err.h"
#include "tests/unwind/code_image.h"
#include "unwind/unwind.h"

/* A stack, and the code of callers, where no kernel's image is. */
#define STACK	UINT64_C(0xffffc90000100000)
#define CALLERS UINT64_C(0xffffffffc0000000)
#define CFA	(STACK + 0x6000)
#define FRAME	(STACK + 0x6400) /* the caller's, and that of its caller */
#define NEXT	(STACK + 0x6600)

enum {
	STACK_BYTES = 0x8000,
	FRAME_MAX = 0x5f00, /* what has more is left out */
	CALLERS_BYTES = 0x100,
	DIRECT = 0x10,	/* where a call of the function is, in CALLERS */
	POINTER = 0x20, /* a call by a register */
	INNER = 0x40,	/* a function that has just been called */
	CALL_BYTES = 5,
	POINTER_BYTES = 2,
	ALIGNED = 0x38, /* from rbp to the CFA where the stack was aligned */
	RSP = 7,	/* DWARF's numbers */
	RBP = 6,
	SHOWN = 40,
};

/* What CFI says of one place. */
struct row {
	bool known;
	bool by_rbp;  /* the CFA is rbp + 16 */
	bool aligned; /* by rbp, but the CFA is elsewhere: a copy of the return address is there */
	uint64_t distance; /* of rsp from the CFA; CFI tells it only if it does not go by rbp */
	bool rbp_saved;	   /* at CFA - 16 */
};

/* How far below rbp the code has moved rsp, which CFI does not tell: by its pushes and
 * subtractions, in the order in which they are written down. */
struct depth {
	uint64_t now, full;
	bool settled; /* full is what the whole function has, but for its ends */
};

struct place {
	struct code_image *image;
	uint64_t stack[STACK_BYTES / 8];
	unsigned char callers[CALLERS_BYTES];
};

struct score {
	unsigned long right, none, wrong;
};

/* ---- the source ---- */

static struct err *read_memory(void *self, uint64_t address, void *out, size_t len)
{
	const struct place *p = self;
	const struct {
		uint64_t address, size;
		const void *bytes;
	} own[] = {
		{ STACK, sizeof(p->stack), p->stack },
		{ CALLERS, sizeof(p->callers), p->callers },
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (address >= own[i].address && len <= own[i].size &&
		    address - own[i].address <= own[i].size - len) {
			memcpy(out, (const char *)own[i].bytes + (address - own[i].address), len);
			return NULL;
		}
	}
	return code_image_read(p->image, address, out, len);
}

static bool is_text(void *self, uint64_t pc, uint64_t *ret_function)
{
	const struct place *p = self;
	const struct code_function *f = code_image_function(p->image, pc);
	if (pc >= CALLERS && pc < CALLERS + CALLERS_BYTES)
		*ret_function = pc >= CALLERS + INNER ? CALLERS + INNER : CALLERS;
	else if (f)
		*ret_function = f->start;
	else
		return false;
	return true;
}

static bool find_stack(void *self, uint64_t address, struct unwind_stack *ret)
{
	(void)self;
	*ret = (struct unwind_stack){ STACK, STACK + STACK_BYTES, "task" };
	return address >= STACK && address < STACK + STACK_BYTES;
}

static bool is_return(void *self, uint64_t function)
{
	const struct place *p = self;
	const struct code_function *f = code_image_function(p->image, function);
	return f && f->start == function && !strcmp(f->name, "__x86_return_thunk");
}

/* ---- one instruction ---- */

/* False where CFI says nothing that a compiler's code with frame pointers has. */
static bool read_row(const struct code_image *im, uint64_t pc, struct row *ret)
{
	Dwarf_Frame *frame;
	Dwarf_Op *ops, memory[3];
	size_t count;
	bool ok = false;
	ret->aligned = false;
	if (dwarf_cfi_addrframe(im->cfi, pc, &frame) != 0)
		return false;
	if (dwarf_frame_cfa(frame, &ops, &count) == 0 && count == 1 &&
	    (ops->atom == DW_OP_breg0 + RSP || ops->atom == DW_OP_breg0 + RBP)) {
		ret->by_rbp = ops->atom == DW_OP_breg0 + RBP;
		ret->distance = ops->number;
		ok = !ret->by_rbp || ops->number == 16;
	} else if (count == 2 && ops && ops[0].atom == DW_OP_breg0 + RBP &&
		   ops[1].atom == DW_OP_deref) {
		ret->by_rbp = ret->aligned = ok = true;
	} else if (count == 1 && ops && ops->atom == DW_OP_bregx) {
		ret->by_rbp = ops->number == RBP;
		ret->distance = ops->number2;
		ok = ops->number == RSP || (ret->by_rbp && ops->number2 == 16);
	}
	if (ok && dwarf_frame_register(frame, RBP, memory, &ops, &count) == 0) {
		ret->rbp_saved = count != 0;
		ok = ret->aligned ? count >= 1 && ops[count - 1].atom == DW_OP_breg0 + RBP
		     : count == 0 ? ops == NULL
				  : count == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
					    ops[1].number == (Dwarf_Word)-16;
	} else {
		ok = false;
	}
	free(frame);
	return ok;
}

static void put_word(struct place *p, uint64_t address, uint64_t value)
{
	p->stack[(address - STACK) / 8] = value;
}

static uint64_t put_caller(struct place *p, uint64_t function, bool direct)
{
	static const unsigned char begin[] = { 0x55, 0x48, 0x89, 0xe5 }; /* push; mov %rsp,%rbp */
	static const unsigned char by_rax[POINTER_BYTES] = { 0xff, 0xd0 };
	uint32_t distance = (uint32_t)(function - (CALLERS + DIRECT + CALL_BYTES));
	memset(p->callers, 0x90, sizeof(p->callers));
	memcpy(p->callers, begin, sizeof(begin));
	memcpy(p->callers + INNER, begin, sizeof(begin));
	p->callers[DIRECT] = 0xe8;
	memcpy(p->callers + DIRECT + 1, &distance, sizeof(distance));
	memcpy(p->callers + POINTER, by_rax, sizeof(by_rax));
	return direct ? CALLERS + DIRECT + CALL_BYTES : CALLERS + POINTER + POINTER_BYTES;
}

/* The registers at @pc. */
static struct regs lay_out(struct place *p, uint64_t pc, const struct row *row, uint64_t back)
{
	struct regs regs = { 0 };
	for (size_t i = 0; i < STACK_BYTES / 8; i++)
		p->stack[i] = 0x1122334400000000 + i;
	uint64_t frame = CFA - (row->aligned ? ALIGNED : 16);
	put_word(p, CFA - 8, back);
	put_word(p, row->rbp_saved ? frame + 8 : CFA - 8, back);
	if (row->rbp_saved)
		put_word(p, frame, FRAME);
	put_word(p, FRAME, NEXT);
	put_word(p, FRAME + 8, CALLERS + POINTER + POINTER_BYTES);
	regs_set(&regs, REG_RIP, pc);
	regs_set(&regs, REG_RSP, CFA - row->distance);
	regs_set(&regs, REG_RBP, row->by_rbp ? frame : FRAME);
	return regs;
}

static void tell(const struct place *p, uint64_t pc, const struct frame *f, const char *when)
{
	const struct code_function *function = code_image_function(p->image, pc);
	printf("%s+0x%" PRIx64 "%s: rip 0x%" PRIx64 ", rsp CFA%+" PRId64 ", rbp 0x%" PRIx64 "\n",
	       function->name, pc - function->start, when, f->regs.value[REG_RIP],
	       (int64_t)(f->regs.value[REG_RSP] - CFA), f->regs.value[REG_RBP]);
}

/* @called: the frame is the second, and its function has called the first. */
static void try(struct place *p, uint64_t pc, const struct row *row, bool direct, bool called,
		struct score *score)
{
	const struct code_function *function = code_image_function(p->image, pc);
	if (row->distance > FRAME_MAX)
		return;
	uint64_t back = put_caller(p, function->start, direct);
	struct regs first = lay_out(p, pc, row, back);
	static const struct x86_asks asks = { .is_return = is_return };
	struct unwind_source source = {
		.self = p,
		.read = read_memory,
		.is_text = is_text,
		.stack = find_stack,
		.asks = &asks,
		.arch = &x86_64_unwind,
		.page_size = 4096,
	};
	struct frames frames;
	size_t number = called ? 2 : 1;
	if (called) {
		uint64_t rsp = first.value[REG_RSP] - 8;
		put_word(p, rsp, pc);
		regs_set(&first, REG_RSP, rsp);
		regs_set(&first, REG_RIP, CALLERS + INNER);
	}
	struct err *e = unwind(&source, &first, HOW_NOTE, true, &frames);
	if (e)
		code_image_die(err_msg(e));
	const struct frame *caller = &frames.list[number];
	if (frames.count <= number)
		score->none++;
	else if (caller->regs.value[REG_RIP] == back && caller->regs.value[REG_RSP] == CFA &&
		 regs_known(&caller->regs, REG_RBP) && caller->regs.value[REG_RBP] == FRAME)
		score->right++;
	else if (++score->wrong <= SHOWN)
		tell(p, pc, caller, called ? ", behind a call" : direct ? ", called" : "");
	frames_free(&frames);
}

/* ---- all of them ---- */

/* "ffffffff81000010:\tcall   ..."; what it does is in *ret_does. */
static bool parse_line(const char *line, uint64_t *ret_pc, const char **ret_does)
{
	char *end;
	*ret_pc = strtoull(line, &end, 16);
	*ret_does = end + 2;
	return end != line && strncmp(end, ":\t", 2) == 0;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The number behind "$" or in front of "(%rbp)". */
static uint64_t number_in(const char *does)
{
	const char *at = does + strcspn(does, "$-");
	return strtoull(at + (*at != 0), NULL, 16);
}

static void settle(struct depth *d)
{
	if (!d->settled)
		d->full = d->now;
	d->settled = true;
}

static bool goes_on(const char *does)
{
	return !begins(does, "ret") && !begins(does, "jmp") && !begins(does, "ud2") &&
	       !begins(does, "repz ret");
}

/* Goes past an instruction. */
static void follow(struct depth *d, const char *does)
{
	if (begins(does, "mov    %rsp,%rbp"))
		*d = (struct depth){ 0 };
	else if (begins(does, "push"))
		d->now += 8;
	else if (begins(does, "sub    $") && strstr(does, ",%rsp"))
		d->now += number_in(does);
	else if (begins(does, "call") || begins(does, "j"))
		settle(d);
	if ((begins(does, "pop") && !strstr(does, "%rsp")) ||
	    (begins(does, "add    $") && strstr(does, ",%rsp"))) {
		settle(d);
		d->now -= begins(does, "pop") ? 8 : number_in(does);
	} else if (begins(does, "lea    -") && strstr(does, "(%rbp),%rsp")) {
		settle(d);
		d->now = number_in(does);
	} else if (!goes_on(does)) {
		settle(d);
		d->now = d->full;
	}
}

static FILE *disassemble(const char *path)
{
	int ends[2];
	if (pipe(ends) != 0)
		code_image_die("no pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execlp("objdump", "objdump", "-d", "--no-show-raw-insn", path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return pid < 0 ? NULL : fdopen(ends[0], "r");
}

/* Whether the instruction at @pc ends where the next one begins, as far as it is known. */
static bool has_length(struct place *p, uint64_t pc, uint64_t next)
{
	unsigned char code[INSN_MAX];
	struct insn insn;
	struct err *e = read_memory(p, pc, code, sizeof(code));
	bool known = !e && insn_decode(code, sizeof(code), &insn);
	err_free(e);
	/* objdump takes what waits for the FPU for a prefix, and leaves a prefix alone where a
	 * symbol lies behind it (srso_untrain_ret() is entered in two ways). */
	bool cut = (code[0] & 0xf0) == 0x40 && next - pc == 1;
	if (!known || insn.len == next - pc || code[0] == 0x9b || cut)
		return true;
	printf("the instruction at 0x%" PRIx64 " has %" PRIu64 " bytes, not %u\n", pc, next - pc,
	       insn.len);
	return false;
}

/* Calls of what keeps all registers, in place of an instruction that a CPU may lack
 * (arch_hweight.h): they need no frame. */
static bool is_call(const char *does)
{
	return begins(does, "call") && !strstr(does, "<__sw_hweight");
}

/* Whether nothing comes there from an instruction that does not go on: what fills up to where a
 * jump leads to. */
static bool is_filling(const char *does)
{
	static const char *const fillings[] = { "nop", "data16", "cs nop", "xchg   %ax,%ax",
						"int3" };
	for (size_t i = 0; i < sizeof(fillings) / sizeof(*fillings); i++)
		if (begins(does, fillings[i]))
			return true;
	return false;
}

/* One line of objdump's. @behind: the instruction before was a call, whose frame was as *last. */
static void look_at(struct place *p, uint64_t pc, const struct depth *depth, bool behind,
		    struct row *last, struct score scores[3])
{
	const struct code_function *f = code_image_function(p->image, pc);
	if (f && behind && pc != f->start && last->known)
		try(p, pc, last, true, true, &scores[2]);
	last->known = f && read_row(p->image, pc, last);
	if (!last->known)
		return;
	/* A part that lies elsewhere begins with what the function has pushed. */
	if (last->by_rbp && depth->now > INT64_MAX)
		return;
	if (last->by_rbp)
		last->distance = (last->aligned ? ALIGNED : 16) + depth->now;
	try(p, pc, last, true, false, &scores[0]);
	try(p, pc, last, false, false, &scores[1]);
}

int main(int argc, char **argv)
{
	static const char *const what[] = { "called directly", "called by a pointer",
					    "behind calls" };
	struct code_image image;
	struct score scores[3] = { 0 };
	struct depth depth = { 0 };
	struct row row = { 0 };
	if (argc != 2)
		code_image_die("needs a file");
	code_image_open(argv[1], &image);
	struct place *p = calloc(1, sizeof(*p));
	FILE *lines = disassemble(argv[1]);
	char *line = NULL;
	size_t size = 0;
	bool behind = false, reached = true;
	unsigned long wrong = 0;
	uint64_t before = 0;
	if (!p || !lines)
		code_image_die("no memory");
	p->image = &image;
	while (getline(&line, &size, lines) > 0) {
		const char *does;
		uint64_t pc;
		if (!parse_line(line + strspn(line, " "), &pc, &does)) {
			depth = (struct depth){ 0 };
			behind = false;
			reached = true;
			before = 0;
			continue;
		}
		wrong += before && !has_length(p, before, pc);
		before = strstr(does, "(bad)") ? 0 : pc;
		if (!reached && is_filling(does))
			continue;
		look_at(p, pc, &depth, behind, &row, scores);
		follow(&depth, does);
		behind = is_call(does);
		reached = goes_on(does);
	}
	free(line);
	fclose(lines);
	free(p);
	code_image_close(&image);
	for (size_t i = 0; i < 3; i++) {
		printf("%s: %lu right, %lu unknown, %lu wrong\n", what[i], scores[i].right,
		       scores[i].none, scores[i].wrong);
		wrong += scores[i].wrong;
	}
	if (!scores[0].right) {
		printf("objdump is missing, or the file has no code that CFI is about\n");
		return 77;
	}
	return wrong ? 1 : 0;
}
