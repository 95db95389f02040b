/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_UNWIND_X86_64_H
#define ARCH_X86_64_UNWIND_X86_64_H

#include "unwind/arch.h"

/* For unwind_source.arch; its asks are a struct x86_asks. */
extern const struct unwind_arch x86_64_unwind;

#endif
