// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/switch.h"

#include "base/bytes.h"

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
