/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the server asks of a host with virtual machines, for tests that only want it to end. */
#ifndef TESTS_KVM_ASK_H
#define TESTS_KVM_ASK_H

#include "tests/kernel/machine.h"

/* ask_kernel() with KVM behind it, which tells where CPUs entered guests, then all of KVM itself.
 * Memory that is out fails the test; all other errors are answers. */
void ask_host(struct machine *m);

#endif
