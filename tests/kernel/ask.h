/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the server asks of a kernel that was opened, for tests that only want it to end. */
#ifndef TESTS_KERNEL_ASK_H
#define TESTS_KERNEL_ASK_H

#include "tests/kernel/machine.h"

/* Memory that is out fails the test; all other errors are answers. */
void ask_kernel(struct machine *m);

#endif
