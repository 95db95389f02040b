/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a row of unwind information says of the frame below it: where the CFA is, and of each
 * register where the caller's value is. Private to vmcore/image/.
 */
#ifndef ARCH_X86_64_IMAGE_CFI_STATE_H
#define ARCH_X86_64_IMAGE_CFI_STATE_H

#include <stdbool.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/image/cfi_writer.h"

enum cfi_rule_kind {
	RULE_UNDEFINED,
	RULE_SAME,
	RULE_CFA,    /* it is the CFA, as all debuggers take for granted of rsp */
	RULE_AT_CFA, /* saved at CFA + offset */
	RULE_AT_RBP, /* saved at rbp + offset */
	RULE_AT_RSP, /* saved at rsp + offset */
};

struct cfi_rule {
	enum cfi_rule_kind kind;
	int offset;
};

enum cfi_cfa_kind {
	CFA_REGISTER,  /* register + offset */
	CFA_IN_MEMORY, /* [register + inner] + offset */
};

/* The registers that there are rules for, all of pt_regs but fs, gs, ds and es, and their numbers
 * in DWARF (System V ABI for x86-64, figure 3.36). */
enum { CFI_COLUMNS = 20 };
extern const struct cfi_column {
	enum reg reg;
	unsigned char dwarf;
} cfi_columns[CFI_COLUMNS];

struct cfi_state {
	enum cfi_cfa_kind cfa;
	enum reg base;
	int inner, offset;
	struct cfi_rule rules[CFI_COLUMNS];
};

/* A frame that was left by a call and saved nothing but its caller's pc. */
struct cfi_state cfi_state_called(void);

/* What @row says; with @keeps_callee_saved as in struct orc_function. */
struct cfi_state cfi_state_of(const struct cfi_row *row, bool keeps_callee_saved);

bool cfi_state_same_cfa(const struct cfi_state *a, const struct cfi_state *b);
bool cfi_state_same_rule(const struct cfi_rule *a, const struct cfi_rule *b);
bool cfi_state_same(const struct cfi_state *a, const struct cfi_state *b);

#endif
