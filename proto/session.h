/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of proto/: a session's state, and what depends on who the client is. */
#ifndef PROTO_SESSION_H
#define PROTO_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/frame.h"
#include "proto/process.h"
#include "proto/reply.h"
#include "proto/target.h"

struct packet;
struct rsp_directory;

/* A qSearch:memory under way; see pkt_search.c. */
struct search {
	uint64_t at;	   /* the next address to read */
	uint64_t last;	   /* the last address of the range */
	size_t carry;	   /* bytes just before @at that are at the start of the scratch buffer */
	bool read_any;	   /* something in the range could be read */
	bool past_the_end; /* @at would be above the last address there is */
	char why[REPLY_WHY_MAX]; /* the first that could not be read; as a reply's */
};

/* A copy of a document that changes, for as long as it is read. */
struct copied_document {
	struct buf text;
	const struct target_object *of; /* NULL: there is none */
	char annex[64];
};

/* A file that is open, and how it is read: where the last read ended, and how many bytes the next
 * one from there gets. */
struct file_reading {
	uint64_t next;
	size_t window;
	char *name; /* owned: what the client opened */
	uint64_t size;
	int64_t mtime;
	bool lost; /* open for the client, and to be opened again (proto/saved.h) */
};

/* What the client has open: a slot's number is the file's descriptor. NULL: free, or lost. */
struct open_files {
	bool changed;		       /* since they were saved */
	struct target_file **slots;    /* owned, and so are the files */
	struct file_reading *readings; /* owned; of the file in the same slot */
	size_t count;
};

/* A "continue" that waits to be shown something; see pkt_run.c. */
struct wait {
	bool on;	  /* it waits: there is nothing to do until others, or the client, act */
	bool interrupted; /* the client says Ctrl-C */
	bool shown;	  /* it has been shown something, and @words says why; or interrupted */
	struct buf words;
};

struct processes {
	struct process *list; /* owned; at least one */
	size_t count, current;
};

struct rsp {
	struct rsp_shared *shared;   /* borrowed; the current process's */
	const struct target *target; /* borrowed; the same as the shared one's */
	/* What the client connected to: its files and tables are there whatever is attached. */
	const struct target *base;
	const struct rsp_directory *directory; /* borrowed; NULL: there is nothing else */
	struct processes processes;
	unsigned number; /* for debug messages */

	struct buf in; /* what came and is not parsed yet, from in_used on */
	size_t in_used;
	struct frame frame;
	struct buf last;	   /* the last reply, to send again; kept while acks are on */
	const struct packet *busy; /* whose handler said PACKET_AGAIN; its text is in frame */
	bool closing;
	bool acked;	   /* the next packet is acknowledged already */
	uint64_t goes_to;  /* what it has attached to, which another process serves; 0: nothing */

	/* Time, as proto/patience.h explains it; in milliseconds of clock_ms(). */
	uint64_t patience;	   /* the longest that the client waits; 0: for ever */
	uint64_t arrived;	   /* what is in `in` came no earlier; 0: nobody says */
	uint64_t asked;		   /* since when the client waits for the packet in frame */
	uint64_t read_at;	   /* when the last bytes were read that a packet begins in */
	bool talked;		   /* it has had a reply */
	bool pipelined;		   /* when the last reply was made, the next packet was there */
	const struct packet *of;   /* what the packet in frame is; NULL: not supported */
	const struct packet *held; /* the same, while its handler is not called yet */
	bool greeted, prepared;	   /* qSupported came; what it will ask for is made */
	bool answered;		   /* this step's output ends with a reply */
	unsigned console_sent;	   /* parts of what the command under way prints */

	/* What was negotiated. */
	enum target_client client;
	bool acks;
	bool is_gdb;	      /* for certain: not only the protocol is gdb's */
	bool multiprocess;    /* ids of threads have that of their process before them */
	bool error_text;      /* gdb 16: error-message+ */
	bool error_strings;   /* lldb: QEnableErrorStrings */
	bool list_in_stop;    /* lldb: QListThreadsInStopReply */
	bool bare_x;	      /* old lldb: x data without "b" in front */
	bool probed_register; /* lldb's first p came: a question whether p works */

	struct target_view view; /* the selected thread and its frame */
	/* The thread of the last T, with a frame of its own; its tid is 0 once there was an Hg
	 * behind it. It is what monitor commands are about: gdb has it selected, and sends Hg only
	 * when it has to read something. */
	struct target_view named;
	size_t named_process;
	uint64_t stop_tid;   /* the thread of the last stop reply; 0: there was none */
	uint64_t stop_id;    /* the process of it */
	size_t next_process; /* qsThreadInfo goes on here */
	size_t next_listed;  /* and at this thread of it */
	/* qXfer:threads of a machine that runs, or of several processes, while it is being read. */
	struct buf threads;
	/* The document without annex that is being read, and whose it is: the target's. */
	const struct buf *document;
	const struct target_object *document_of;

	struct copied_document copied;

	struct buf scratch; /* memory that was read; for searches, what is searched */
	struct search search;
	struct buf console; /* output of the monitor command under way */
	struct wait wait;
	struct target_job *job;	     /* that command, if it is not done; owned */
	const struct target *job_of; /* who does it */
	struct open_files files;
	char *note; /* owned: what the next monitor command says first; NULL: nothing */
};

static inline bool session_is_lldb(const struct rsp *s)
{
	return s->client == TARGET_LLDB;
}

/* The view of thread @tid: what is selected, if that is the thread; else its innermost frame. */
struct target_view session_view(const struct rsp *s, uint64_t tid);

/* Selects @tid for later packets. */
void session_select(struct rsp *s, uint64_t tid);

/* A stop reply that is made now is of the selected thread. */
void session_note_stop(struct rsp *s);

/* Ends the long operation under way, if there is one. */
void session_cancel(struct rsp *s);

/* Tells the target what program the client is, as far as that is certain. */
void session_tell_program(const struct rsp *s);

/* The client waits no more, and what it was shown is told. */
void session_end_wait(struct rsp *s);

/* Closes all files that the client has open. */
void session_close_files(struct rsp *s);

/* Notes that the file called @name (copied) is open as @slot, to be opened again when it is read,
 * if it is what it was. False when memory is out; a slot that cannot be stays free. */
bool session_reserve_file(struct rsp *s, size_t slot, const char *name, uint64_t size,
			  int64_t mtime);

/*
 * The reply becomes an error with a text, in the form the client takes: lldb's "Exx;hex" if it
 * asked for that, gdb's "E.text" if it said error-message+, "Exx" otherwise. Not for m and x,
 * whose replies old gdbs take for data.
 */
void session_error(const struct rsp *s, struct reply *r, enum reply_error code, const char *text);

/* The same for packets to which every gdb takes "E.text": those that change something. */
void session_refuse(const struct rsp *s, struct reply *r, const char *text);

#endif
