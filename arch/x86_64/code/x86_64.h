/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_CODE_X86_64_H
#define ARCH_X86_64_CODE_X86_64_H

extern const struct code_arch x86_64_code;

#endif
