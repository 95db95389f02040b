// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crash's requests and what it wants to hear, by what its remote.c sends and reads. A reply repeats
 * the request, and then has the answer; memory comes behind a header of 13 bytes.
 */
#include "proto/crash/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/log.h"
#include "proto/crash/machine.h"

enum {
	WORDS_MAX = 6,
	PAGE_BYTES = 4096,
	/* What OPEN says that they are; the same for everybody, for there is nothing to close. */
	FD_PHYSICAL = 3,
	FD_VIRTUAL = 4,
	/* More of a request than this is not repeated: crash takes 1500 bytes of a reply. */
	REPEATED_MAX = 1000,
};

/* What crash calls what is behind the comma of HOST:PORT,dump. */
static const char dump_name[] = "dump";

struct word {
	const char *at;
	size_t len;
};

struct request {
	const struct crash_ops *ops;
	void *self;
	const char *text;
	struct word words[WORDS_MAX]; /* the first is the request's name */
	size_t count;
	struct buf *out;
	bool last;
};

static bool word_is(const struct word *w, const char *text)
{
	return strlen(text) == w->len && !memcmp(w->at, text, w->len);
}

/* A whole number in decimal digits, below 2^31. */
static bool word_number(const struct word *w, uint32_t *ret)
{
	uint32_t n = 0;
	if (!w->len || w->len > 9)
		return false;
	for (size_t i = 0; i < w->len; i++) {
		if (w->at[i] < '0' || w->at[i] > '9')
			return false;
		n = n * 10 + (uint32_t)(w->at[i] - '0');
	}
	*ret = n;
	return true;
}

/* ---- replies ---- */

/* The request's text again, what is not printable as '?'. */
static void repeat(struct request *r)
{
	for (size_t i = 0; r->text[i] && i < REPEATED_MAX; i++)
		buf_addch(r->out, r->text[i] < ' ' || r->text[i] > '~' ? '?' : r->text[i]);
}

static void end_text(struct request *r)
{
	buf_addch(r->out, 0);
}

__attribute__((format(printf, 2, 3))) static void reply(struct request *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	repeat(r);
	buf_addch(r->out, ' ');
	buf_vaddf(r->out, fmt, ap);
	va_end(ap);
	end_text(r);
}

/* @why is for --debug: crash has no place for it. */
static void refuse(struct request *r, const char *why)
{
	log_debug(LOG_REFUSED, "crash: %s", why);
	reply(r, "<FAIL>");
}

static void refuse_error(struct request *r, struct err *e)
{
	refuse(r, err_msg(e));
	err_free(e);
}

/* Ahead of memory, and of output that never comes: 13 bytes with a 0 at the end. */
static void header(struct request *r, const char *word, unsigned number)
{
	buf_addf(r->out, "%s %07u", word, number);
	end_text(r);
}

static void fail(struct request *r, int number, const char *why)
{
	log_debug(LOG_REFUSED, "crash: %s", why);
	header(r, "FAIL", (unsigned)number);
}

/* ---- what is there ---- */

static void begin(struct request *r)
{
	/* "LIVE..." is a machine that runs; of any other crash asks where its CPUs stand. */
	reply(r, r->ops->live ? "LIVE" : "DUMP");
}

static void machine_and_pid(struct request *r)
{
	/* The process that crash shows first of a live machine; only that of CPU 0's idle task is
	 * always among those that it finds. */
	reply(r, "X86_64 0");
}

static void type(struct request *r)
{
	if (r->count > 1 && word_is(&r->words[1], "/dev/mem"))
		reply(r, "DEVMEM");
	else if (r->count > 1 && word_is(&r->words[1], dump_name) && !r->ops->live)
		reply(r, "S390D");
	else
		refuse(r, "there is no file of that name");
}

static void open_file(struct request *r)
{
	const struct word *name = &r->words[1];
	if (r->count > 1 && word_is(name, "/dev/vmem"))
		reply(r, "%d O_RDONLY 0", FD_VIRTUAL);
	else if (r->count > 1 && (word_is(name, "/dev/mem") || word_is(name, dump_name)))
		reply(r, "%d O_RDONLY 0", FD_PHYSICAL);
	else
		refuse(r, "there is no file of that name");
}

static void close_file(struct request *r)
{
	reply(r, "OK");
}

/* Where a task_struct could stand, crash looks for the one that panicked by itself. */
static void init_dump(struct request *r)
{
	reply(r, "OK");
}

static void page_size(struct request *r)
{
	/* A kind and the count of CPUs behind it: crash asks for their registers then. */
	unsigned cpus = r->ops->cpu_count(r->self);
	reply(r, "%d VMCORE %u", PAGE_BYTES, cpus);
}

static void banner(struct request *r)
{
	const char *text = r->ops->banner(r->self);
	size_t len = strcspn(text, "\n");
	if (!len) {
		refuse(r, "the kernel's banner is not known");
		return;
	}
	buf_add(r->out, text, len);
	end_text(r);
}

static void memory_kept(struct request *r)
{
	reply(r, "0");
}

static void goodbye(struct request *r)
{
	reply(r, "OK");
	r->last = true;
}

/* ---- memory ---- */

/* The words from @first on are an address in hexadecimal and a length. */
static void read_memory(struct request *r, size_t first, bool physical)
{
	uint64_t address;
	uint32_t len;
	if (r->count < first + 2 || !hex_u64(r->words[first].at, r->words[first].len, &address) ||
	    !word_number(&r->words[first + 1], &len) || !len || len > CRASH_READ_MAX) {
		fail(r, EINVAL, "a read has no address or no length that can be");
		return;
	}
	header(r, "DONE", len);
	size_t at = r->out->len;
	if (!buf_reserve(r->out, len))
		return;
	buf_fill(r->out, 0, len);
	struct err *e = physical ? r->ops->read_physical(r->self, address, r->out->data + at, len)
				 : r->ops->read_virtual(r->self, address, r->out->data + at, len);
	if (!e)
		return;
	buf_cut(r->out, at - sizeof("DONE 0000000"));
	fail(r, EIO, err_msg(e));
	err_free(e);
}

/* By a descriptor, and of a live machine perhaps a CPU behind the length, which does not matter. */
static void read_file(struct request *r)
{
	uint32_t fd;
	if (r->count < 2 || !word_number(&r->words[1], &fd) ||
	    (fd != FD_PHYSICAL && fd != FD_VIRTUAL))
		fail(r, EBADF, "a read is of no file that is open");
	else
		read_memory(r, 2, fd == FD_PHYSICAL);
}

static void translate(struct request *r)
{
	uint64_t address, physical;
	if (r->count < 3 || !hex_u64(r->words[2].at, r->words[2].len, &address)) {
		refuse(r, "a translation has no address");
		return;
	}
	struct err *e = r->ops->translate(r->self, address, &physical);
	if (e)
		refuse_error(r, e);
	else
		reply(r, "%" PRIx64, physical);
}

/* ---- CPUs ---- */

/* All unknown if there is no such CPU, or it cannot be read. */
static struct crash_cpu find_cpu(struct request *r)
{
	uint32_t number;
	struct crash_cpu cpu = { 0 };
	if (r->count < 2 || !word_number(&r->words[1], &number) ||
	    number >= r->ops->cpu_count(r->self))
		return cpu;
	struct err *e = r->ops->cpu(r->self, number, &cpu);
	if (e) {
		log_debug(LOG_REFUSED, "crash: CPU %u: %s", (unsigned)number, err_msg(e));
		err_free(e);
		return (struct crash_cpu){ 0 };
	}
	return cpu;
}

/* Zeros for what is unknown: crash says of these that it does not know where to begin. After <FAIL>
 * it would begin where the task was switched out some time before. */
static void cpu_place(struct request *r)
{
	struct crash_cpu cpu = find_cpu(r);
	if (!cpu.knows_place)
		cpu = (struct crash_cpu){ 0 };
	reply(r, "%x:%" PRIx64 " %x:%" PRIx64 " %" PRIx64, cpu.cs, cpu.rip, cpu.ss, cpu.rsp,
	      cpu.rbp);
}

static void cpu_cr3(struct request *r)
{
	const struct crash_cpu cpu = find_cpu(r);
	if (cpu.knows_root)
		reply(r, "%" PRIx64, cpu.root);
	else
		refuse(r, "cr3 is not known");
}

/* ---- what is never done ---- */

/* The answer would be output in pieces. */
static void no_output(struct request *r)
{
	fail(r, EPERM, "nothing is run or copied for clients");
}

static const struct {
	const char *name;
	void (*answer)(struct request *r);
} requests[] = {
	{ "NIL", begin },
	{ "MACHINE_PID", machine_and_pid },
	{ "TYPE", type },
	{ "OPEN", open_file },
	{ "CLOSE", close_file },
	{ "S390_DUMP_INIT", init_dump },
	{ "PAGESIZE", page_size },
	{ "PROC_VERSION", banner },
	{ "READ_LIVE", read_file },
	{ "READ_S390D", read_file },
	{ "VTOP", translate },
	{ "FETCH_LIVE_IP_SP_BP", cpu_place },
	{ "FETCH_LIVE_CR3", cpu_cr3 },
	{ "MEMORY", memory_kept },
	{ "MEMORY_DUMP", no_output },
	{ "EXECUTE", no_output },
	{ "READ_GZIP", no_output },
	{ "EXIT", goodbye },
};

/* Words are apart by single spaces or more; those past the last place are left out. */
static void split(struct request *r)
{
	const char *at = r->text + strspn(r->text, " ");
	while (*at && r->count < WORDS_MAX) {
		size_t len = strcspn(at, " ");
		r->words[r->count++] = (struct word){ at, len };
		at += len;
		at += strspn(at, " ");
	}
}

struct err *crash_request_answer(const struct crash_ops *ops, void *self, const char *text,
				 struct buf *out, bool *ret_last)
{
	struct request r = { .ops = ops, .self = self, .text = text, .out = out };
	size_t begin_of_reply = out->len, i = 0;
	size_t count = sizeof(requests) / sizeof(*requests);
	split(&r);
	while (i < count && (!r.count || !word_is(&r.words[0], requests[i].name)))
		i++;
	if (i < count)
		requests[i].answer(&r);
	else
		refuse(&r, "it is not supported");
	if (log_on(LOG_PACKET) && !out->failed) {
		struct buf shown = BUF_INIT;
		struct request again = { .text = text, .out = &shown };
		repeat(&again);
		log_write(LOG_PACKET, "crash -> %s (a reply of %zu bytes)", shown.data,
			  out->len - begin_of_reply);
		buf_free(&shown);
	}
	*ret_last = r.last;
	return buf_error(out);
}
