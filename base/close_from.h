/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLOSE_FROM_H
#define BASE_CLOSE_FROM_H

/* Closes all descriptors from @first on. Safe between fork() and what ends the process or executes
 * another program. */
void close_from(int first);

#endif
