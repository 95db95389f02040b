/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the protocol needs from the thing that is debugged. The protocol knows no dump, no kernel
 * and no socket; a target knows no packet. Operations come in groups, and a group that is NULL is
 * not supported: its packets get the answer that tells a client so, and are not advertised.
 *
 * One target serves many sessions at once. What differs between them is the struct target_view,
 * owned by the session and passed with every call.
 */
#ifndef PROTO_TARGET_H
#define PROTO_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct crash_ops;
struct err;

/* A client, as the target knows it; the target's, opaque to the protocol. */
struct target_member;

/* What one session looks at. */
struct target_view {
	uint64_t tid;	/* the selected thread, never 0 */
	unsigned frame; /* the frame of it whose registers are shown; 0 is the innermost */
	bool physical; /* addresses are physical ones; only where target_memory_ops.physical says so
			*/
	struct target_member
		*member; /* whose session it is; NULL: nobody's that the target knows */
};

struct target_memory_ops {
	/*
	 * Reads the @len bytes at virtual address @addr, as the selected thread sees memory, into
	 * @out. A part is success: *ret_done (1..len) says how much, up to the first byte that
	 * cannot be read. Nothing at all is an error, whose code says which kind of missing memory
	 * it is. @len is at least 1; addr + len may wrap, and then ends at the last byte.
	 */
	struct err *(*read)(void *self, const struct target_view *view, uint64_t addr, void *out,
			    size_t len, size_t *ret_done);

	/*
	 * The first address above @addr where memory may be readable again, after a read at @addr
	 * failed: *ret_next > addr. False when there is none. For searches over holes that are
	 * larger than anybody would wait for.
	 */
	bool (*next)(void *self, const struct target_view *view, uint64_t addr, uint64_t *ret_next);

	/* Whether view->physical is understood, which clients of QEMU's stub set by
	 * Qqemu.PhyMemMode. */
	bool physical;
	/*
	 * Whether what is at virtual address @addr is the same for every thread. NULL: it never is.
	 * For clients that do not say which thread's memory they mean.
	 */
	bool (*is_shared)(void *self, uint64_t addr);
	/*
	 * Whether physical memory, and what is_shared says is the same for every thread, may be
	 * read while another operation has not come to its end: one that waits for a disk.
	 */
	bool beside;
};

/* One register, as target.xml describes it and as `g` and `p` send it (little endian). */
struct target_register {
	const char *name;
	const char *feature; /* e.g. org.gnu.gdb.i386.core; rows of one feature stand together */
	const char *type;    /* gdb's predefined (int64, data_ptr, i387_ext) or one of tdesc.c's */
	const char *group;   /* "general", "float", ..., or NULL for gdb's own default */
	unsigned bits;	     /* a multiple of 8, at most 512 */
	bool no_save;	     /* save-restore="no": not a register a called function would keep */
};

/* The most bytes that all registers of a target take together. */
#define TARGET_REGISTERS_MAX 4096

struct target_register_ops {
	const struct target_register *table; /* row n is register n of `p` */
	size_t count;
	/* Rows of the registers that stop replies carry with them. */
	const uint16_t *expedited;
	size_t expedited_count;
	/*
	 * Registers of the view's thread and frame: rows @first to @first + @count - 1 of the
	 * table, at least one. The values of known ones go to @values, where each row has its
	 * bits / 8 bytes, one after the other, and known[n] says whether that of row @first + n is.
	 * Both come with zeros.
	 */
	struct err *(*read)(void *self, const struct target_view *view, size_t first, size_t count,
			    uint8_t *values, bool *known);
};

/* What is shown of a thread in lists. Strings are borrowed, and valid until the next call. */
struct target_thread {
	const char *name;  /* e.g. "CPU 0/KVM [running on 0]"; bytes of unknown encoding */
	const char *label; /* "task 1002", which gdb 17 shows instead of "Thread 1002"; or NULL */
	int cpu;	   /* where it runs or last ran; -1 if unknown */
};

struct target_thread_ops {
	/* All thread ids, in the order of lists; borrowed, lasting as long as the target, or until
	 * the list is taken anew. None is 0. */
	struct err *(*list)(void *self, const uint64_t **ret_tids, size_t *ret_count);
	/*
	 * For a machine that runs; both NULL for what never changes. `renew` takes the list of
	 * threads anew: called when a client begins to ask for it. An error leaves the old one.
	 * `generation` is another number each time. A target that never changes may have that
	 * alone: what is shown of its threads is another now, and they are the same.
	 */
	struct err *(*renew)(void *self);
	uint64_t (*generation)(void *self);
	/* Constant time. */
	bool (*alive)(void *self, uint64_t tid);
	/* The thread that a new session has selected. */
	uint64_t (*current)(void *self);
	struct err *(*describe)(void *self, uint64_t tid, struct target_thread *ret);
	/* Why the current thread is where it is ("Kernel panic - not syncing: ..."); NULL if
	 * nothing is known. Borrowed from the target. */
	const char *(*stop_reason)(void *self);
};

/* Clients that differ in what they can be told; see struct target_object. */
enum target_client {
	TARGET_GDB = 1,
	TARGET_LLDB = 2,
};

/* A file that a client has open; the target's, opaque to the protocol. */
struct target_file;

/* A read-only document for qXfer:NAME:read. */
struct target_object {
	const char *name; /* "vmcoreinfo", "exec-file", "osdata", "libraries"... */
	unsigned clients; /* enum target_client bits: to whom it is advertised */
	/* The document for @annex; borrowed from the target, lasting as long as it does: a later
	 * call may return another one, and a client that is reading the old one gets the rest of
	 * that. Called for every chunk of documents with an annex, and for the first one of others:
	 * a document is made once and kept. ERR_NOTFOUND for
	 * an annex that does not exist, and for a document that turns out not to be.
	 * *ret_document is NULL while it is still being made: call again after other clients had
	 * their turn. */
	struct err *(*get)(void *self, const char *annex, const struct buf **ret_document);
	/* Instead of get, for a document without annex that depends on what the client has open:
	 * @count places, NULL where there is no file. May be NULL. */
	struct err *(*get_beside)(void *self, struct target_file *const *open, size_t count,
				  const struct buf **ret_document);
	/* Those with an annex may be others at the next call: who reads one from its beginning gets
	 * the rest of it. */
	bool changes;
	/* It is about all that is served: who has connected to this target gets it whatever he has
	 * attached to. */
	bool of_all;
	/* It is for those who have attached to this target from another. */
	bool of_attached;
};

struct target_file_status {
	uint64_t size;	/* in bytes */
	int64_t mtime;	/* seconds since 1970, as far as 32 bits tell; 0 if it has none */
	uint64_t inode; /* tells files of one name apart, as far as 32 bits do */
};

/*
 * Files that clients may read (gdb's "Host I/O"). There are those that the target names, and no
 * others: no path that a client sends is ever given to the system.
 */
struct target_file_ops {
	/*
	 * Opens the file that is called exactly @name; `close` takes it back. *ret is NULL while
	 * it is still being made: call again after other clients had their turn. ERR_NOTFOUND if
	 * no file has that name.
	 */
	struct err *(*open)(void *self, const char *name, struct target_file **ret);
	/* Reads up to @len bytes at @offset into @out; *ret_done is less at the file's end, and 0
	 * behind it. */
	struct err *(*read)(void *self, struct target_file *file, uint64_t offset, void *out,
			    size_t len, size_t *ret_done);
	struct err *(*status)(void *self, struct target_file *file, struct target_file_status *ret);
	void (*close)(void *self, struct target_file *file);
};

/* Where the kernel was loaded, for qOffsets and lldb's qProcessInfo. */
struct target_offsets {
	uint64_t text;	/* the address of the lowest loaded text segment, as it is in memory */
	uint64_t slide; /* what it was moved by from where it was linked (0 without KASLR) */
	const char *build_id; /* of the main image, hex digits; NULL if unknown. Borrowed. */
};

struct target_image_ops {
	/* False if the target does not know where its main image is. */
	bool (*offsets)(void *self, struct target_offsets *ret);
	/* "x86_64-unknown-linux-gnu" */
	const char *triple;
	/* The system's version for lldb's qHostInfo (the kernel's release), or NULL. Borrowed. */
	const char *(*os_version)(void *self);
	/* The kernel's command line for gdb 18's `show args`; NULL if unknown. Borrowed. */
	const char *(*command_line)(void *self);
};

/* A monitor command that is not done yet; the target's, opaque to the protocol. */
struct target_job;

struct target_monitor_ops {
	/*
	 * Does what @line, typed after `monitor`, says and appends what it prints to @out. May
	 * change the view. An error is for the user to read; @out may hold text even then.
	 *
	 * A command that takes longer than other clients should wait (some 50 ms) does a part of
	 * its work, sets *ret_job (NULL before the call) and is called again with `more`.
	 */
	struct err *(*run)(void *self, struct target_view *view, const char *line, struct buf *out,
			   struct target_job **ret_job);

	/* The next part of @job. The job is gone, and freed, once *ret_done is set or an error is
	 * returned. May be NULL if `run` never makes a job. */
	struct err *(*more)(void *self, struct target_view *view, struct target_job *job,
			    struct buf *out, bool *ret_done);

	/* Frees @job, which the client interrupted or left. NULL as `more` is. */
	void (*cancel)(void *self, struct target_job *job);
};

/* A client that has come, as it says itself and as the system says. */
struct target_visitor {
	bool has_uid; /* the system says whose it is: @uid's */
	uint32_t uid;
	const struct target_view *view; /* what it looks at; borrowed until it leaves, or NULL */
	/* Called when there is something new for a client that waits. */
	void (*wake)(void *closure);
	void *closure;
};

/* Where a client is to look. */
struct target_shown {
	uint64_t tid;	   /* 0: it stays where it is */
	unsigned frame;	   /* of that thread */
	const char *words; /* who says so, and why; printable. Borrowed, until the next call */
};

enum { TARGET_NAME_MAX = 32 };

/* What a client has said of itself, to last when the process that serves it ends. */
struct target_manner {
	char name[TARGET_NAME_MAX + 1]; /* empty: none */
	bool follows;
};

struct target;

/* For a target whose clients see each other, and show each other where to look. */
struct target_team_ops {
	/* A client is a member from `join` to `leave`. It looks at @target (borrowed). */
	struct err *(*join)(void *team_self, const struct target *target,
			    const struct target_visitor *visitor, struct target_member **ret);
	void (*leave)(struct target_member *member);
	/* It looks at @target (borrowed) from now on, which is of the same team. */
	void (*look_at)(struct target_member *member, const struct target *target);
	/* It is certain what program it is: @program, which lasts for ever. */
	void (*is)(struct target_member *member, const char *program);
	/* Whether it wants to be shown something when it continues. */
	bool (*follows)(struct target_member *member);
	/* What it is to be shown next; false: nothing so far. It waits from then on, until this
	 * says true, or `unwait` is called: others are told that it does. */
	bool (*next)(struct target_member *member, struct target_shown *ret);
	void (*unwait)(struct target_member *member);
	/* Its manner, and back; what it cannot have is left out. */
	void (*manner)(const struct target_member *member, struct target_manner *ret);
	void (*recall)(struct target_member *member, const struct target_manner *manner);
};

/* For a target that is none yet: it has no thread, and a client attaches to what is behind it,
 * which another process serves. */
struct target_shelf_ops {
	/*
	 * Has what is called @id opened. *ret_ready (false before): the client can be handed over
	 * to who serves it; if not, the call may have waited some milliseconds, and is to be made
	 * again. An error says why it cannot be.
	 */
	struct err *(*open)(void *self, uint64_t id, bool *ret_ready);
};

struct target {
	void *self; /* passed to every operation; owned by who made the target */
	const char
		*name; /* which one, for --debug: "host", "vm-103"; borrowed, NULL: `what` does */
	const char *what; /* for messages: "a crash dump" */
	uint64_t pid;	  /* the one process, never 0 */
	/* Called before each packet, and each further part of a job, of any client: what was read
	 * of a machine that runs is old by then, and what a disk did not say may be there. NULL
	 * for a target that never changes. */
	void (*begin)(void *self);
	/* A slice, some milliseconds, of making what a client of this kind (enum target_client)
	 * will surely ask for. True once all is made, or cannot be: who asks for it gets the error.
	 * NULL: there is nothing to make. */
	bool (*prepare)(void *self, unsigned client);
	const struct target_memory_ops *memory;
	const struct target_register_ops *registers; /* never NULL */
	const struct target_thread_ops *threads;     /* never NULL */
	const struct target_image_ops *image;
	const struct target_monitor_ops *monitor;
	const struct target_file_ops *files;
	/* All targets of one team have the same; `join` is called with this in place of self. */
	const struct target_team_ops *team;
	void *team_self;
	const struct target_shelf_ops *shelf;
	const struct target_object *objects; /* ends in a row whose name is NULL; may be NULL */
	/* For clients that speak crash's protocol (proto/crash/machine.h), and what these are
	 * called with in place of self. */
	const struct crash_ops *crash;
	void *crash_self;
};

/*
 * Every operation is called through one of these, and through nothing else: they make sure that
 * both sides keep to what stands above, and --debug target shows each call with its answer. The
 * group must be there, but where it says otherwise.
 */

/* `name`, or else `what`. */
const char *target_name(const struct target *t);

/* Does nothing for a target that never changes. */
void target_begin(const struct target *t);

/* True also where there is nothing to make. */
bool target_prepare(const struct target *t, unsigned client);

__attribute__((warn_unused_result)) struct err *target_read_memory(const struct target *t,
								   const struct target_view *view,
								   uint64_t addr, void *out,
								   size_t len, size_t *ret_done);
/* Where a target cannot tell, the next multiple of 4096. */
bool target_next_memory(const struct target *t, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next);
bool target_memory_is_shared(const struct target *t, uint64_t addr);

__attribute__((warn_unused_result)) struct err *
target_read_registers(const struct target *t, const struct target_view *view, size_t first,
		      size_t count, uint8_t *values, bool *known);
__attribute__((warn_unused_result)) struct err *
target_threads(const struct target *t, const uint64_t **ret_tids, size_t *ret_count);
/* Nothing, and 0, for a target that never changes. */
__attribute__((warn_unused_result)) struct err *target_renew_threads(const struct target *t);
uint64_t target_generation(const struct target *t);
bool target_thread_alive(const struct target *t, uint64_t tid);
uint64_t target_current_thread(const struct target *t);
__attribute__((warn_unused_result)) struct err *
target_describe_thread(const struct target *t, uint64_t tid, struct target_thread *ret);
const char *target_stop_reason(const struct target *t);

/* @object is one of @t's. */
__attribute__((warn_unused_result)) struct err *target_document(const struct target *t,
								const struct target_object *object,
								const char *annex,
								const struct buf **ret_document);
/* By get_beside; where there is none, as with an empty annex. */
__attribute__((warn_unused_result)) struct err *
target_document_beside(const struct target *t, const struct target_object *object,
		       struct target_file *const *open, size_t count,
		       const struct buf **ret_document);

__attribute__((warn_unused_result)) struct err *
target_open_file(const struct target *t, const char *name, struct target_file **ret);
__attribute__((warn_unused_result)) struct err *target_read_file(const struct target *t,
								 struct target_file *file,
								 uint64_t offset, void *out,
								 size_t len, size_t *ret_done);
__attribute__((warn_unused_result)) struct err *target_file_status(const struct target *t,
								   struct target_file *file,
								   struct target_file_status *ret);
void target_close_file(const struct target *t, struct target_file *file);

/* False, and NULL, also without that group. */
bool target_offsets(const struct target *t, struct target_offsets *ret);
const char *target_os_version(const struct target *t);
const char *target_command_line(const struct target *t);

/* Without that group nobody is a member (NULL), and none follows. A member may be NULL. */
__attribute__((warn_unused_result)) struct err *target_join(const struct target *t,
							    const struct target_visitor *visitor,
							    struct target_member **ret);
void target_leave(const struct target *t, struct target_member *member);
void target_comes(const struct target *t, struct target_member *member);
void target_member_is(const struct target *t, struct target_member *member, const char *program);
bool target_follows(const struct target *t, struct target_member *member);
bool target_next_shown(const struct target *t, struct target_member *member,
		       struct target_shown *ret);
void target_unwait(const struct target *t, struct target_member *member);
/* All zeros without a member. */
struct target_manner target_manner(const struct target *t, const struct target_member *member);
void target_recall_manner(const struct target *t, struct target_member *member,
			  const struct target_manner *manner);

/* As target_shelf_ops.open; the group must be there. */
__attribute__((warn_unused_result)) struct err *target_open(const struct target *t, uint64_t id,
							    bool *ret_ready);

/* *ret_job is NULL if it is done. */
__attribute__((warn_unused_result)) struct err *
target_run_command(const struct target *t, struct target_view *view, const char *line,
		   struct buf *out, struct target_job **ret_job);
__attribute__((warn_unused_result)) struct err *
target_continue_command(const struct target *t, struct target_view *view, struct target_job *job,
			struct buf *out, bool *ret_done);
void target_cancel_command(const struct target *t, struct target_job *job);

#endif
