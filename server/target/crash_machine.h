/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host and guests as crash's protocol wants them. */
#ifndef SERVER_TARGET_CRASH_MACHINE_H
#define SERVER_TARGET_CRASH_MACHINE_H

struct crash_ops;
struct vmcore;

/* To be called with @host. */
const struct crash_ops *crash_ops_of_kernel(const struct vmcore *host);
/* Of a guest of @host, to be called with its struct guest_view. */
const struct crash_ops *crash_ops_of_guest(const struct vmcore *host);

#endif
