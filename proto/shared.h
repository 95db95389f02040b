/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of proto/: what all sessions of a target share. */
#ifndef PROTO_SHARED_H
#define PROTO_SHARED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "proto/registers.h"
#include "proto/rsp.h"

/*
 * A document with an entry a thread. It is made when first asked for, some threads at a time, so
 * that other clients are served meanwhile, and kept.
 */
struct thread_document {
	struct buf text;
	size_t next;	     /* the thread whose entry is added next */
	uint64_t generation; /* of the list that it is made of */
	bool begun, ready;
};

struct rsp_shared {
	const struct target *target; /* borrowed */
	struct rsp_turns turns;	     /* without functions if packets are answered one by one */
	unsigned sessions;	     /* so far, for their numbers */
	struct buf target_xml;
	struct register_layout layout;

	struct thread_document xml; /* qXfer:threads */
	/* Its entries as those of one process of several, and the id that it has in them. */
	struct thread_document process_xml;
	uint64_t process_id;

	struct thread_document json; /* lldb's jThreadsInfo */
	struct json json_writer;
	/* Of a stop reply to lldb, made together with the JSON: "threads:1,2;thread-pcs:..;" */
	struct buf stop_threads, stop_pcs;
	bool pcs_known;	  /* of all threads so far */
	bool with_stacks; /* the JSON has what lies on threads' stacks */
};

/* Takes the list of threads of a machine that runs anew; of another target it does nothing. */
void shared_renew_threads(struct rsp_shared *shared);

/*
 * The threads' document, borrowed until the shared data is freed or the list is taken anew;
 * *ret_document is NULL while there is more to do: call again.
 */
ERR_MUST_CHECK struct err *shared_threads_xml(struct rsp_shared *shared,
					      const struct buf **ret_document);

/* What is around the entries of qXfer:threads (gdb manual, "Thread List Format"). */
#define THREADS_XML_BEGIN                             \
	"<?xml version=\"1.0\"?>\n"                   \
	"<!DOCTYPE threads SYSTEM \"threads.dtd\">\n" \
	"<threads>\n"
#define THREADS_XML_END "</threads>\n"

/* The entries alone, whose ids are those of the process @id, as above. */
ERR_MUST_CHECK struct err *shared_process_xml(struct rsp_shared *shared, uint64_t id,
					      const struct buf **ret_entries);

/* The same for lldb: jThreadsInfo's reply, and the list of threads for stop replies. */
ERR_MUST_CHECK struct err *shared_threads_lldb(struct rsp_shared *shared,
					       const struct buf **ret_json,
					       const struct buf **ret_stop_threads);

/* Describes @tid; a thread that the target cannot describe is still listed, as "?". */
void shared_describe(const struct rsp_shared *shared, uint64_t tid, struct target_thread *ret);

/*
 * Adds the object that jThreadsInfo and jstopinfo (lldb docs, "jThreadsInfo") show of @tid.
 * @reason: why it is stopped, or NULL if it just is not running.
 */
void shared_add_thread_json(const struct rsp_shared *shared, uint64_t tid, const char *reason,
			    const struct register_values *values, struct json *j);

/* Why a session's threads are stopped, for lldb; never NULL, borrowed. */
const char *shared_stop_reason(const struct rsp_shared *shared);

#endif
