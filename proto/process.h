/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of proto/: what a client has attached to. Without the extension "multiprocess" that is one
 * target, which vAttach puts another in the place of; with it several, each a process to gdb.
 */
#ifndef PROTO_PROCESS_H
#define PROTO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/target.h"

struct buf;
struct rsp;
struct rsp_shared;

struct process {
	uint64_t id;		   /* as the client knows it, never 0 */
	struct rsp_shared *shared; /* borrowed */
	bool entered;		   /* by the directory, which it is given back to */
	bool attached;		   /* false: the client has detached, and nothing took its place */
	struct target_view view;   /* while another one is current */
};

/* The first one, whose target the client connected to. */
ERR_MUST_CHECK struct err *processes_begin(struct rsp *s, struct rsp_shared *shared);
void processes_end(struct rsp *s);

/* A client is attached to at most so many. */
enum { PROCESSES_MAX = 64 };

/*
 * The one at the index @i, which another process of ours has had, is here, too, with nothing
 * selected yet. @i: the first, or one behind the last. ERR_NOTFOUND where it is not there any more.
 */
ERR_MUST_CHECK struct err *process_restore(struct rsp *s, size_t i, uint64_t id, bool entered,
					   bool attached);

/* Makes the one at @i current: s->shared, s->target and s->view are its. */
void process_select(struct rsp *s, size_t i);

/* The same, where what was selected of the current one is not to be kept. */
void process_make_current(struct rsp *s, size_t i);

/* Whether there is one with this id that the client is attached to; its index goes to @ret. */
bool process_find(const struct rsp *s, uint64_t id, size_t *ret);

/*
 * Attaches to the target with this id, and makes it current: beside the others, or in the place of
 * the one there is. ERR_NOTFOUND where there is no such target, ERR_INVALID where the client has it
 * already.
 */
ERR_MUST_CHECK struct err *process_attach(struct rsp *s, uint64_t id);

/* The client no longer looks at it. What it asks without naming one goes to another then. */
void process_detach(struct rsp *s, size_t i);

#endif
