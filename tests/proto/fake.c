// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/proto/fake.h"
#include "tests/proto/fake_crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

#define CORE "org.gnu.gdb.i386.core"
#define GENERAL(NAME, TYPE)                            \
	{                                              \
		NAME, CORE, TYPE, "general", 64, false \
	}
#define SEGMENT(NAME)                                     \
	{                                                 \
		NAME, CORE, "int32", "general", 32, false \
	}
#define X87(NAME)                                          \
	{                                                  \
		NAME, CORE, "i387_ext", "float", 80, false \
	}
#define X87_CONTROL(NAME)                             \
	{                                             \
		NAME, CORE, "int", "float", 32, false \
	}

static const struct target_register table[] = {
	GENERAL("rax", "int64"),
	GENERAL("rbx", "int64"),
	GENERAL("rcx", "int64"),
	GENERAL("rdx", "int64"),
	GENERAL("rsi", "int64"),
	GENERAL("rdi", "int64"),
	GENERAL("rbp", "data_ptr"),
	GENERAL("rsp", "data_ptr"),
	GENERAL("r8", "int64"),
	GENERAL("r9", "int64"),
	GENERAL("r10", "int64"),
	GENERAL("r11", "int64"),
	GENERAL("r12", "int64"),
	GENERAL("r13", "int64"),
	GENERAL("r14", "int64"),
	GENERAL("r15", "int64"),
	GENERAL("rip", "code_ptr"),
	{ "eflags", CORE, "i386_eflags", "general", 32, false },
	SEGMENT("cs"),
	SEGMENT("ss"),
	SEGMENT("ds"),
	SEGMENT("es"),
	SEGMENT("fs"),
	SEGMENT("gs"),
	X87("st0"),
	X87("st1"),
	X87("st2"),
	X87("st3"),
	X87("st4"),
	X87("st5"),
	X87("st6"),
	X87("st7"),
	X87_CONTROL("fctrl"),
	X87_CONTROL("fstat"),
	X87_CONTROL("ftag"),
	X87_CONTROL("fiseg"),
	X87_CONTROL("fioff"),
	X87_CONTROL("foseg"),
	X87_CONTROL("fooff"),
	X87_CONTROL("fop"),
	{ "orig_rax", "org.gnu.gdb.i386.linux", "int64", NULL, 64, false },
	{ "fs_base", "org.gnu.gdb.i386.segments", "int64", NULL, 64, false },
	{ "gs_base", "org.gnu.gdb.i386.segments", "int64", NULL, 64, false },
	{ "kvm_vcpu", "vmcore-gdbserver.kvm", "data_ptr", "kvm", 64, true },
	{ "cr0", "vmcore-gdbserver.kvm", "x64_cr0", "kvm", 64, true },
};

enum { RBX = 1, RBP = 6, RSP = 7, RIP = 16, KVM_VCPU = 43 };

static const uint16_t expedited[] = { RIP, RSP, RBP, RBX };

/* The rows that were asked for. */
struct asked {
	size_t first, count;
	uint8_t *values;
	bool *known;
};

static void set_register(const struct asked *a, size_t row, uint64_t value)
{
	size_t offset = 0;
	if (row < a->first || row - a->first >= a->count)
		return;
	for (size_t i = a->first; i < row; i++)
		offset += table[i].bits / 8;
	put_u64(a->values + offset, value);
	a->known[row - a->first] = true;
}

static struct err *read_registers(void *self, const struct target_view *view, size_t first,
				  size_t count, uint8_t *values, bool *known)
{
	const struct asked asked = { first, count, values, known };
	const struct fake *f = self;
	/* Rows of the table, and with zeros. */
	if (!count || first + count > sizeof(table) / sizeof(table[0]))
		abort();
	for (size_t i = 0; i < count; i++)
		if (known[i] || values[i])
			abort();
	if (view->tid == 10000000)
		return err_new(ERR_NOTFOUND, "nothing is known of an idle CPU");
	set_register(&asked, RIP, f->text + view->tid);
	set_register(&asked, RSP, UINT64_C(0xffff888000002000));
	set_register(&asked, RBP, 0);
	set_register(&asked, RBX, view->frame);
	if (view->tid == 110)
		set_register(&asked, KVM_VCPU, FAKE_KERNEL);
	return NULL;
}

static const struct target_register_ops register_ops = {
	.table = table,
	.count = sizeof(table) / sizeof(table[0]),
	.expedited = expedited,
	.expedited_count = sizeof(expedited) / sizeof(expedited[0]),
	.read = read_registers,
};

static const struct region {
	uint64_t start, last;
} regions[] = {
	{ FAKE_USER, FAKE_USER + 0xfff },
	{ FAKE_USER_TOP, FAKE_USER_TOP + 0xfff },
	{ FAKE_KERNEL, FAKE_KERNEL + FAKE_KERNEL_SIZE - 1 },
	{ FAKE_LARGE, FAKE_LARGE + FAKE_LARGE_SIZE - 1 },
	{ FAKE_TOP, UINT64_MAX },
};

#define REGIONS (sizeof(regions) / sizeof(regions[0]))

/* The bytes that are there from @addr on, 0 for a hole. */
static uint64_t readable(uint64_t addr)
{
	for (size_t i = 0; i < REGIONS; i++) {
		if (addr >= regions[i].start && addr <= regions[i].last)
			return regions[i].last - addr + 1;
	}
	return 0;
}

static bool within(uint64_t addr, uint64_t start, uint64_t len)
{
	return addr >= start && addr - start < len;
}

static uint8_t byte_at(const struct target_view *view, uint64_t addr)
{
	if (within(addr, FAKE_USER, 0x1000) || within(addr, FAKE_USER_TOP, 0x1000))
		return (uint8_t)(view->tid >> addr % 8 * 8);
	if (within(addr, FAKE_TEXT_AT, strlen(FAKE_TEXT)))
		return (uint8_t)FAKE_TEXT[addr - FAKE_TEXT_AT];
	if (within(addr, FAKE_NEEDLE_AT, strlen(FAKE_NEEDLE)))
		return (uint8_t)FAKE_NEEDLE[addr - FAKE_NEEDLE_AT];
	return within(addr, FAKE_LARGE, FAKE_LARGE_SIZE) ? 0 : (uint8_t)addr;
}

static struct err *read_memory(void *self, const struct target_view *view, uint64_t addr, void *out,
			       size_t len, size_t *ret_done)
{
	struct fake *f = self;
	uint8_t *bytes = out;
	uint64_t there = readable(addr);
	f->reads++;
	if (!there)
		return err_new(ERR_MISSING, "nothing at 0x%" PRIx64, addr);
	size_t n = len < there ? len : (size_t)there;
	bool plain = within(addr, FAKE_LARGE, FAKE_LARGE_SIZE) &&
		     (addr > FAKE_NEEDLE_AT + sizeof(FAKE_NEEDLE) || addr + n <= FAKE_NEEDLE_AT);
	if (plain)
		memset(bytes, 0, n);
	for (size_t i = 0; !plain && i < n; i++)
		bytes[i] = byte_at(view, addr + i);
	*ret_done = n;
	return NULL;
}

static bool next_memory(void *self, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next)
{
	(void)self, (void)view;
	for (size_t i = 0; i < REGIONS; i++) {
		if (regions[i].start > addr) {
			*ret_next = regions[i].start;
			return true;
		}
	}
	return false;
}

static bool is_shared(void *self, uint64_t addr)
{
	(void)self;
	return addr >= FAKE_SHARED;
}

static const struct target_memory_ops memory_ops = {
	.read = read_memory,
	.next = next_memory,
	.is_shared = is_shared,
};

static struct err *list_threads(void *self, const uint64_t **ret_tids, size_t *ret_count)
{
	struct fake *f = self;
	*ret_tids = f->tids;
	*ret_count = f->threads;
	return NULL;
}

static struct err *renew(void *self)
{
	struct fake *f = self;
	f->generation++;
	for (size_t i = 3; i < f->threads; i++)
		f->tids[i]++;
	return NULL;
}

static uint64_t generation(void *self)
{
	return ((struct fake *)self)->generation;
}

static bool alive(void *self, uint64_t tid)
{
	struct fake *f = self;
	for (size_t i = 0; i < f->threads; i++) {
		if (f->tids[i] == tid)
			return true;
	}
	return false;
}

static uint64_t current(void *self)
{
	(void)self;
	return 110;
}

static struct err *describe(void *self, uint64_t tid, struct target_thread *ret)
{
	struct fake *f = self;
	const char *what = tid == 103	     ? "qemu-system-x86 [sleeping]"
			   : tid == 110	     ? "CPU 0/KVM [running on 0]"
			   : tid == 10000000 ? "swapper/1 [idle on 1]"
					     : "<&\"\xff#$}*";
	snprintf(f->name, sizeof(f->name), "%s", what);
	snprintf(f->label, sizeof(f->label), "task %" PRIu64, tid);
	*ret = (struct target_thread){ .name = f->name,
				       .label = tid < 10000000 ? f->label : NULL,
				       .cpu = tid == 110	? 0
					      : tid == 10000000 ? 17
								: -1 };
	return NULL;
}

static const char *stop_reason(void *self)
{
	(void)self;
	return "Kernel panic - not syncing: test";
}

static const struct target_thread_ops thread_ops = {
	.list = list_threads,
	.alive = alive,
	.current = current,
	.describe = describe,
	.stop_reason = stop_reason,
};

static const struct target_thread_ops changing_thread_ops = {
	.list = list_threads,
	.renew = renew,
	.generation = generation,
	.alive = alive,
	.current = current,
	.describe = describe,
	.stop_reason = stop_reason,
};

static void begin(void *self)
{
	((struct fake *)self)->packets++;
}

static bool offsets(void *self, struct target_offsets *ret)
{
	(void)self;
	*ret = (struct target_offsets){ .text = UINT64_C(0xffffffff92000000),
					.slide = 0x11000000,
					.build_id = "00112233445566778899aabbccddeeff00112233" };
	return true;
}

static const char *os_version(void *self)
{
	(void)self;
	return "6.1.0-13-amd64";
}

static const char *command_line(void *self)
{
	(void)self;
	return "ro quiet";
}

static const struct target_image_ops image_ops = {
	.offsets = offsets,
	.triple = "x86_64-unknown-linux-gnu",
	.os_version = os_version,
	.command_line = command_line,
};

/* A command that takes three parts. */
struct target_job {
	int parts_left;
};

static struct err *run(void *self, struct target_view *view, const char *line, struct buf *out,
		       struct target_job **ret_job)
{
	(void)self;
	if (strcmp(line, "hello") == 0) {
		buf_addstr(out, "hello, world\n");
	} else if (strcmp(line, "frame 1") == 0) {
		view->frame = 1;
	} else if (strcmp(line, "big") == 0) {
		for (int i = 0; i < 20000; i++)
			buf_addstr(out, i % 50 == 49 ? "#\n" : "xx");
	} else if (strcmp(line, "long") == 0) {
		buf_addstr(out, "1 ");
		*ret_job = calloc(1, sizeof(**ret_job));
		if (!*ret_job)
			return err_nomem();
		(*ret_job)->parts_left = 2;
	} else {
		buf_addstr(out, "so far so good\n");
		return err_new(ERR_INVALID, "no command is called '%s#'", line);
	}
	return NULL;
}

static struct err *more(void *self, struct target_view *view, struct target_job *job,
			struct buf *out, bool *ret_done)
{
	(void)self, (void)view;
	job->parts_left--;
	buf_addstr(out, job->parts_left ? "2 " : "3\n");
	*ret_done = !job->parts_left;
	if (*ret_done)
		free(job);
	return NULL;
}

static void cancel(void *self, struct target_job *job)
{
	struct fake *f = self;
	f->cancelled++;
	free(job);
}

static const struct target_monitor_ops monitor_ops = { .run = run, .more = more, .cancel = cancel };

/* ---- files ---- */

struct target_file {
	const char *name;
	uint64_t size;
};

static struct target_file files[] = {
	{ "/boot/vmlinux", FAKE_FILE_SIZE },
	{ "/small", sizeof(FAKE_SMALL) - 1 },
	{ "/slow", sizeof(FAKE_SMALL) - 1 },
	{ "/broken", 1 },
};

static struct err *open_file(void *self, const char *name, struct target_file **ret)
{
	struct fake *f = self;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		bool wait = strcmp(name, "/slow") == 0 && ++f->tries < 3;
		f->files += !wait;
		*ret = wait ? NULL : &files[i];
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "no file is called '%s'", name);
}

static struct err *read_file(void *self, struct target_file *file, uint64_t offset, void *out,
			     size_t len, size_t *ret_done)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;
	(void)self;
	if (strcmp(file->name, "/broken") == 0)
		return err_new(ERR_IO, "the disk is broken");
	size_t n = len < left ? len : (size_t)left;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = file->size == FAKE_FILE_SIZE
					      ? (uint8_t)(offset + i)
					      : (uint8_t)FAKE_SMALL[offset + i];
	*ret_done = n;
	return NULL;
}

static struct err *file_status(void *self, struct target_file *file, struct target_file_status *ret)
{
	(void)self;
	if (strcmp(file->name, "/broken") == 0)
		return err_new(ERR_IO, "the disk is broken");
	*ret = (struct target_file_status){ file->size, 0x65000000, 0x1122334455667788 };
	return NULL;
}

static void close_file(void *self, struct target_file *file)
{
	struct fake *f = self;
	(void)file;
	f->files--;
}

static const struct target_file_ops file_ops = {
	.open = open_file,
	.read = read_file,
	.status = file_status,
	.close = close_file,
};

static struct err *only_annex(const char *annex, const char *wanted, const struct buf *document,
			      const struct buf **ret_document)
{
	if (strcmp(annex, wanted) != 0)
		return err_new(ERR_NOTFOUND, "no document is called '%s'", annex);
	*ret_document = document;
	return NULL;
}

static struct err *get_vmcoreinfo(void *self, const char *annex, const struct buf **ret_document)
{
	struct fake *f = self;
	return only_annex(annex, "", &f->vmcoreinfo, ret_document);
}

static struct err *get_libraries(void *self, const char *annex, const struct buf **ret_document)
{
	struct fake *f = self;
	return only_annex(annex, "", &f->libraries, ret_document);
}

/* A client that has /boot/vmlinux open is told of another library. */
static struct err *get_libraries_beside(void *self, struct target_file *const *open, size_t count,
					const struct buf **ret_document)
{
	struct fake *f = self;
	*ret_document = &f->libraries;
	for (size_t i = 0; i < count; i++)
		if (open[i] && !strcmp(open[i]->name, "/boot/vmlinux"))
			*ret_document = &f->libraries_beside;
	return NULL;
}

static struct err *get_exec_file(void *self, const char *annex, const struct buf **ret_document)
{
	struct fake *f = self;
	return only_annex(*annex ? annex : "1", "1", &f->exec_file, ret_document);
}

static struct err *get_osdata(void *self, const char *annex, const struct buf **ret_document)
{
	struct fake *f = self;
	if (strcmp(annex, "broken") == 0)
		return err_new(ERR_CORRUPT, "the list is damaged");
	return only_annex(annex, "", &f->osdata, ret_document);
}

static const struct target_object objects[] = {
	{ "vmcoreinfo", TARGET_GDB | TARGET_LLDB, get_vmcoreinfo, NULL, false, false, false },
	{ "libraries", TARGET_GDB, get_libraries, get_libraries_beside, false, false, false },
	{ "exec-file", TARGET_GDB | TARGET_LLDB, get_exec_file, NULL, false, false, false },
	{ "osdata", TARGET_GDB | TARGET_LLDB, get_osdata, NULL, false, true, false },
	{ 0 },
};

void fake_init(struct fake *f, size_t threads)
{
	*f = (struct fake){ .target = { .self = f,
					.name = "fake",
					.what = "a crash dump",
					.pid = 1,
					.begin = begin,
					.crash = &fake_crash_ops,
					.memory = &memory_ops,
					.registers = &register_ops,
					.threads = &thread_ops,
					.image = &image_ops,
					.monitor = &monitor_ops,
					.files = &file_ops,
					.objects = objects },
			    .threads = threads,
			    .text = FAKE_TEXT_SEGMENT,
			    .vmcoreinfo = BUF_INIT,
			    .libraries = BUF_INIT,
			    .libraries_beside = BUF_INIT,
			    .exec_file = BUF_INIT,
			    .osdata = BUF_INIT };
	f->tids = calloc(threads, sizeof(*f->tids));
	if (!f->tids)
		abort();
	f->tids[0] = 103;
	f->tids[1] = 110;
	f->tids[2] = 10000000;
	for (size_t i = 3; i < threads; i++)
		f->tids[i] = 197 + i;
	buf_addstr(&f->vmcoreinfo, "OSRELEASE=6.1.0\nPAGESIZE=4096\n#}*$\n");
	buf_addstr(&f->libraries, "<library-list/>");
	buf_addstr(&f->libraries_beside, "<library-list><library name=\"/small\"/></library-list>");
	buf_addstr(&f->exec_file, "/boot/vmlinux");
	buf_addstr(&f->osdata, "<osdata type=\"types\"/>");
}

void fake_change(struct fake *f)
{
	f->target.threads = &changing_thread_ops;
}

void fake_free(struct fake *f)
{
	free(f->tids);
	buf_free(&f->vmcoreinfo);
	buf_free(&f->libraries);
	buf_free(&f->libraries_beside);
	buf_free(&f->exec_file);
	buf_free(&f->osdata);
}
