/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exits of guests are called by their makers. */
#ifndef VMCORE_KVM_X86_EXIT_NAMES_H
#define VMCORE_KVM_X86_EXIT_NAMES_H

#include <stdint.h>

/* A VMCB's EXITCODE (AMD64 APM volume 2, appendix C), without VMEXIT_; NULL if it has no name. */
const char *svm_exit_name(uint64_t code);
/* A basic exit reason (Intel SDM volume 3, appendix C); NULL if it has no name. */
const char *vmx_exit_name(uint64_t reason);

#endif
