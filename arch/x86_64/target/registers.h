/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_TARGET_REGISTERS_H
#define ARCH_X86_64_TARGET_REGISTERS_H

#include "server/target/arch.h"

extern const struct target_arch x86_64_target;

#endif
