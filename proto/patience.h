/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of proto/: how long a client has waited, and what is made before it asks. See rsp.h. */
#ifndef PROTO_PATIENCE_H
#define PROTO_PATIENCE_H

#include <stdbool.h>

struct rsp;

/* Whether the client has sent another packet than the one in s->frame so long after that one that
 * it may have given its answer up; one that sends several at once waits for them all. lldb's
 * question whether it missed something is none. */
bool patience_moved_on(const struct rsp *s);

/* Whether the packet in s->frame must be answered now, be it by an error. */
bool patience_is_short(const struct rsp *s);

/* Whether the packet in s->frame has waited for longer than the client does. */
bool patience_is_over(const struct rsp *s);

/* Does a slice of what the client will surely ask for. False while there is more, and time for it
 * before the packet in s->frame must be answered. */
bool patience_prepare(struct rsp *s);

#endif
