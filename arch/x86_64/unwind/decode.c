// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/decode.h"

#include <Zydis/Zydis.h>

enum { ALL_REGS = 0xffff, ALL_BUT_RSP = ALL_REGS & ~(1 << REG_RSP) };

struct parts {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* The general register that @reg is, or is a part of. */
static uint8_t number_of(ZydisRegister reg)
{
	static const uint8_t in_order[GPR_COUNT] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
		REG_R8,	 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return DECODE_NO_REG;
	return in_order[whole - ZYDIS_REGISTER_RAX];
}

static bool is_register(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_REGISTER;
}

/* A general register, all 64 bits of it. */
static bool is_whole(const ZydisDecodedOperand *o)
{
	return is_register(o) && o->size == 64 && number_of(o->reg.value) != DECODE_NO_REG;
}

static bool is_memory(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_MEMORY;
}

static bool is_immediate(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

/* Memory that goes by no segment of its own: per-CPU variables and the like are no stack. */
static bool is_plain(const ZydisDecodedOperand *o)
{
	return is_memory(o) && o->mem.segment != ZYDIS_REGISTER_FS &&
	       o->mem.segment != ZYDIS_REGISTER_GS;
}

/* The base, index and displacement of @o; an address by rip has none of them but the number. */
static bool set_place(const struct parts *p, const ZydisDecodedOperand *o, uint64_t pc,
		      struct decoded *d)
{
	if (!is_plain(o) || p->insn.address_width != 64)
		return false;
	d->number = o->mem.disp.value;
	d->base = d->index = DECODE_NO_REG;
	d->scale = o->mem.scale;
	if (o->mem.base == ZYDIS_REGISTER_RIP)
		d->number = (int64_t)(pc + d->len + (uint64_t)d->number);
	else if (o->mem.base != ZYDIS_REGISTER_NONE)
		d->base = number_of(o->mem.base);
	if (o->mem.index != ZYDIS_REGISTER_NONE)
		d->index = number_of(o->mem.index);
	return true;
}

static uint8_t byte_size(const ZydisDecodedOperand *o)
{
	unsigned bytes = o->size / 8U;
	return bytes > UINT8_MAX ? UINT8_MAX : (uint8_t)bytes;
}

/* What is only there to order accesses to memory: lock orq $0,(%rsp). */
static bool changes_nothing(const struct parts *p)
{
	ZydisMnemonic m = p->insn.mnemonic;
	return (m == ZYDIS_MNEMONIC_OR || m == ZYDIS_MNEMONIC_ADD) &&
	       is_immediate(&p->operands[1]) && !p->operands[1].imm.value.u;
}

/* All that the instruction says that it writes. */
static void add_writes(const struct parts *p, uint64_t pc, struct decoded *d)
{
	for (unsigned i = 0; i < p->insn.operand_count; i++) {
		const ZydisDecodedOperand *o = &p->operands[i];
		if (!(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (is_register(o)) {
			uint8_t n = number_of(o->reg.value);
			if (n != DECODE_NO_REG)
				d->writes |= (uint16_t)(1U << n);
		} else if (is_memory(o) && !changes_nothing(p) &&
			   o->mem.type == ZYDIS_MEMOP_TYPE_MEM && set_place(p, o, pc, d) &&
			   d->base != DECODE_NO_REG && d->index == DECODE_NO_REG) {
			d->stored = byte_size(o);
		}
	}
}

/* What runs something else in between, or hands registers over by rules of its own. */
static void add_special_writes(ZydisMnemonic m, struct decoded *d)
{
	switch (m) {
	case ZYDIS_MNEMONIC_VMLAUNCH: /* comes back with the guest's, but for rsp */
	case ZYDIS_MNEMONIC_VMRESUME:
	case ZYDIS_MNEMONIC_VMRUN:
	case ZYDIS_MNEMONIC_TDCALL:
	case ZYDIS_MNEMONIC_SEAMCALL:
		d->writes = ALL_BUT_RSP;
		break;
	case ZYDIS_MNEMONIC_SKINIT:
	case ZYDIS_MNEMONIC_GETSEC:
	case ZYDIS_MNEMONIC_ENCLU:
	case ZYDIS_MNEMONIC_ENTER:
		d->writes = ALL_REGS;
		break;
	case ZYDIS_MNEMONIC_INT: /* iretq takes rsp from what the CPU has pushed */
		d->writes = ALL_BUT_RSP;
		break;
	case ZYDIS_MNEMONIC_ENCLS:
	case ZYDIS_MNEMONIC_ENCLV:
		d->writes |= 1 << REG_RAX | 1 << REG_RBX | 1 << REG_RCX | 1 << REG_RDX;
		break;
	case ZYDIS_MNEMONIC_SYSCALL: /* in programs */
		d->writes |= 1 << REG_RAX;
		break;
	default:
		break;
	}
}

static void set_target(const struct parts *p, uint64_t pc, enum flow direct, enum flow indirect,
		       struct decoded *d)
{
	const ZydisDecodedOperand *o = &p->operands[0];
	if (is_immediate(o) && o->imm.is_relative) {
		d->flow = (uint8_t)direct;
		d->target = pc + d->len + o->imm.value.u;
		return;
	}
	d->flow = (uint8_t)indirect;
	d->src = is_whole(o) ? number_of(o->reg.value) : DECODE_NO_REG;
	d->base = d->index = DECODE_NO_REG;
	if (is_memory(o) && !set_place(p, o, pc, d))
		d->number = 0;
}

static void set_flow(const struct parts *p, uint64_t pc, struct decoded *d)
{
	bool far = p->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	switch (p->insn.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		set_target(p, pc, FLOW_BRANCH, FLOW_STOP, d);
		d->if_not_zero = p->insn.mnemonic == ZYDIS_MNEMONIC_JNZ;
		return;
	case ZYDIS_CATEGORY_UNCOND_BR:
		set_target(p, pc, FLOW_JUMP, far ? FLOW_STOP : FLOW_JUMP_INDIRECT, d);
		return;
	case ZYDIS_CATEGORY_CALL:
		set_target(p, pc, FLOW_CALL, far ? FLOW_STOP : FLOW_CALL_INDIRECT, d);
		return;
	default:
		break;
	}
	switch (p->insn.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
		d->flow = far ? FLOW_STOP : FLOW_RETURN;
		break;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		d->flow = FLOW_TRAP;
		break;
	case ZYDIS_MNEMONIC_INT1:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_SYSEXIT:
	case ZYDIS_MNEMONIC_SYSRET:
		d->flow = FLOW_STOP;
		break;
	case ZYDIS_MNEMONIC_XBEGIN:
		set_target(p, pc, FLOW_BRANCH, FLOW_STOP, d);
		break;
	default:
		break;
	}
}

static void set_push_or_pop(const struct parts *p, uint64_t pc, struct decoded *d)
{
	const ZydisDecodedOperand *o = &p->operands[0];
	bool whole = is_whole(o);
	if (p->insn.operand_width != 64)
		return;
	switch (p->insn.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
		d->act = ACT_PUSH;
		d->src = whole ? number_of(o->reg.value) : DECODE_NO_REG;
		if (is_memory(o) && (!set_place(p, o, pc, d) || d->index != DECODE_NO_REG))
			d->base = DECODE_NO_REG;
		break;
	case ZYDIS_MNEMONIC_PUSHFQ:
		d->act = ACT_PUSH;
		d->src = DECODE_NO_REG;
		break;
	case ZYDIS_MNEMONIC_POP: /* pop to memory that goes by rsp: by the rsp behind it */
		if (!whole && is_memory(o) && o->mem.base == ZYDIS_REGISTER_RSP)
			break;
		d->act = ACT_POP;
		d->dst = whole ? number_of(o->reg.value) : DECODE_NO_REG;
		break;
	case ZYDIS_MNEMONIC_POPFQ:
		d->act = ACT_POP;
		d->dst = DECODE_NO_REG;
		break;
	case ZYDIS_MNEMONIC_LEAVE:
		d->act = ACT_LEAVE;
		break;
	default:
		break;
	}
}

/* mov, of all 64 bits. */
static void set_move(const struct parts *p, uint64_t pc, struct decoded *d)
{
	const ZydisDecodedOperand *to = &p->operands[0], *from = &p->operands[1];
	if (is_whole(to) && is_whole(from)) {
		d->act = ACT_MOVE;
		d->src = number_of(from->reg.value);
	} else if (is_whole(to) && is_immediate(from)) {
		d->act = ACT_CONSTANT;
		d->number = from->imm.value.s;
	} else if (is_whole(to) && is_memory(from) && set_place(p, from, pc, d)) {
		if (d->index != DECODE_NO_REG && d->scale == 8)
			d->act = ACT_TABLE;
		else if (d->index == DECODE_NO_REG && d->base != DECODE_NO_REG)
			d->act = ACT_LOAD;
	} else if (is_memory(to) && to->size == 64 && set_place(p, to, pc, d) &&
		   d->index == DECODE_NO_REG && d->base != DECODE_NO_REG) {
		d->act = ACT_STORE;
		d->src = is_whole(from) ? number_of(from->reg.value) : DECODE_NO_REG;
	}
	if (is_whole(to))
		d->dst = number_of(to->reg.value);
}

static void set_arithmetic(const struct parts *p, uint64_t pc, struct decoded *d)
{
	const ZydisDecodedOperand *to = &p->operands[0], *from = &p->operands[1];
	ZydisMnemonic m = p->insn.mnemonic;
	if (!is_whole(to))
		return;
	d->dst = number_of(to->reg.value);
	if (m == ZYDIS_MNEMONIC_DEC) {
		d->act = ACT_ADD;
		d->number = -1;
		return;
	}
	if (m == ZYDIS_MNEMONIC_LEA && set_place(p, from, pc, d) && d->index == DECODE_NO_REG) {
		d->act = d->base == DECODE_NO_REG ? ACT_CONSTANT : ACT_ADDRESS;
	} else if (is_immediate(from)) {
		int64_t n = from->imm.value.s;
		d->number = m == ZYDIS_MNEMONIC_SUB ? (int64_t)(0 - (uint64_t)n) : n;
		if (m == ZYDIS_MNEMONIC_ADD || m == ZYDIS_MNEMONIC_SUB)
			d->act = ACT_ADD;
		else if (m == ZYDIS_MNEMONIC_AND && n < 0 && !(-n & (-n - 1)) && -n <= 65536)
			d->act = ACT_ALIGN;
	}
}

static void set_act(const struct parts *p, uint64_t pc, struct decoded *d)
{
	switch (p->insn.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHFQ:
	case ZYDIS_MNEMONIC_POP:
	case ZYDIS_MNEMONIC_POPFQ:
	case ZYDIS_MNEMONIC_LEAVE:
		set_push_or_pop(p, pc, d);
		break;
	case ZYDIS_MNEMONIC_MOV:
		set_move(p, pc, d);
		break;
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_DEC:
		set_arithmetic(p, pc, d);
		break;
	default:
		break;
	}
}

bool decode(const unsigned char *code, size_t len, uint64_t pc, struct decoded *ret)
{
	ZydisDecoder decoder;
	struct parts p;
	struct decoded d = { .dst = DECODE_NO_REG,
			     .src = DECODE_NO_REG,
			     .base = DECODE_NO_REG,
			     .index = DECODE_NO_REG };
	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &p.insn, p.operands)))
		return false;
	d.len = p.insn.length;
	add_writes(&p, pc, &d);
	add_special_writes(p.insn.mnemonic, &d);
	set_flow(&p, pc, &d);
	if (d.flow == FLOW_NEXT)
		set_act(&p, pc, &d);
	*ret = d;
	return true;
}
