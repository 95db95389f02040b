// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/switch.h"

#include "base/bytes.h"
#include "arch/x86_64/unwind/decode.h"

enum { OLD_FRAME_BYTES = 16, CALL_REL32 = 0xe8, CALL_BYTES = 5 };

size_t switch_frame_bytes(const struct switch_layout *layout)
{
	if (!layout->frame_size)
		return OLD_FRAME_BYTES;
	return layout->frame_size > SWITCH_FRAME_MAX ? SWITCH_FRAME_MAX : layout->frame_size;
}

static bool set_from_frame(const struct switch_layout *layout, const unsigned char *frame,
			   struct regs *regs)
{
	const struct {
		enum reg reg;
		uint64_t offset;
	} members[] = {
		{ REG_R15, layout->r15 },      { REG_R14, layout->r14 }, { REG_R13, layout->r13 },
		{ REG_R12, layout->r12 },      { REG_RBX, layout->bx },	 { REG_RBP, layout->bp },
		{ REG_RIP, layout->ret_addr },
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (!range_within(members[i].offset, 8, switch_frame_bytes(layout)))
			return false;
		regs_set(regs, members[i].reg, get_u64(frame + members[i].offset));
	}
	return true;
}

bool switch_registers(const struct switch_layout *layout, uint64_t sp, const void *frame,
		      bool forked, struct regs *ret)
{
	struct regs regs = { .arch = &x86_64_regs };
	if (layout->frame_size) {
		if (!set_from_frame(layout, frame, &regs))
			return false;
		regs_set(&regs, REG_RSP, sp + layout->frame_size);
	} else {
		uint64_t rip = forked ? layout->fork_resume : layout->resume;
		if (!rip)
			return false;
		regs_set(&regs, REG_RIP, rip);
		if (forked) {
			/* The jump to ret_from_fork leaves out the pops: pt_regs lie at rsp. */
			regs_set(&regs, REG_RSP, sp);
		} else {
			/*
			 * The macro declares rbx and r12-r15 clobbered: at this point they hold
			 * nothing of the task, whose own copies __schedule's prologue saved.
			 */
			regs_set(&regs, REG_RBP, get_u64(frame));
			regs_set(&regs, REG_EFLAGS, get_u64((const unsigned char *)frame + 8));
			regs_set(&regs, REG_RSP, sp + OLD_FRAME_BYTES);
		}
	}
	*ret = regs;
	return true;
}

bool switch_find_call(const void *code, size_t len, uint64_t address, uint64_t callee,
		      uint64_t *ret_after)
{
	const unsigned char *p = code;
	unsigned found = 0;
	for (size_t i = 0; i + CALL_BYTES <= len; i++) {
		uint64_t after = address + i + CALL_BYTES;
		if (p[i] != CALL_REL32 || after + (uint64_t)(int32_t)get_u32(p + i + 1) != callee)
			continue;
		*ret_after = after;
		found++;
	}
	return found == 1;
}

/* ---- what the code says of the frame ---- */

enum { PUSHES_MAX = 8 };

/* Sets the offsets from the registers that were pushed, the last of which lies at the frame's
 * start; false if one is missing. */
static bool set_layout(const uint8_t *pushed, unsigned count, struct switch_layout *ret)
{
	struct switch_layout l = { 0 };
	const struct {
		enum reg reg;
		uint64_t *offset;
	} wants[] = {
		{ REG_R15, &l.r15 }, { REG_R14, &l.r14 }, { REG_R13, &l.r13 },
		{ REG_R12, &l.r12 }, { REG_RBX, &l.bx },  { REG_RBP, &l.bp },
	};
	for (size_t w = 0; w < sizeof(wants) / sizeof(*wants); w++) {
		unsigned n = 0;
		while (n < count && pushed[n] != wants[w].reg)
			n++;
		if (n == count)
			return false;
		*wants[w].offset = 8 * (uint64_t)(count - 1 - n);
	}
	l.ret_addr = 8 * (uint64_t)count;
	l.frame_size = l.ret_addr + 8;
	*ret = l;
	return true;
}

bool switch_find_frame(const void *code, size_t len, uint64_t address, struct switch_layout *ret,
		       uint64_t *ret_sp)
{
	const unsigned char *p = code;
	uint8_t pushed[PUSHES_MAX];
	unsigned count = 0;
	struct decoded d;
	for (size_t at = 0; at < len; at += d.len) {
		if (!decode(p + at, len - at, address + at, &d) || d.flow != FLOW_NEXT)
			return false;
		if (d.act == ACT_PUSH && count < PUSHES_MAX) {
			pushed[count++] = d.src;
		} else if (d.act == ACT_STORE && d.src == REG_RSP && d.base == REG_RDI &&
			   d.number > 0) {
			*ret_sp = (uint64_t)d.number;
			return set_layout(pushed, count, ret);
		} else if (d.act != ACT_OTHER || d.writes & 1U << REG_RSP || d.stored) {
			return false;
		}
	}
	return false;
}

/* testl $1 << TIF_FORK, n(%reg): 0xf7 /0 with a byte of displacement and four of the constant. */
bool switch_find_flags(const void *code, size_t len, uint64_t *ret)
{
	enum { TEST = 0xf7, MODRM_MASK = 0xf8, MODRM = 0x40, RSP = 4, BYTES = 7 };
	const unsigned char *p = code;
	unsigned found = 0;
	for (size_t i = 0; i + BYTES <= len; i++) {
		if (p[i] != TEST || (p[i + 1] & MODRM_MASK) != MODRM || (p[i + 1] & 7) == RSP ||
		    get_u32(p + i + 3) != 1U << SWITCH_TIF_FORK)
			continue;
		*ret = p[i + 2];
		found++;
	}
	return found == 1;
}
