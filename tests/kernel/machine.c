// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kernel/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/recipe/output.h"
#include "tests/recipe/recipe.h"
#include "vmcore/kernel/tasks/current_task.h"

enum { CACHE_BYTES = 4 << 20 };

/* ---- making ---- */

static struct err *read_recipe(struct recipe *r, const struct machine_plan *plan)
{
	char include[128];
	struct err *e = NULL;
	static const char *const folders[] = {
		SOURCE_FOLDER "/contrib/demo",
		BUILD_FOLDER "/contrib/demo",
		SOURCE_FOLDER "/tests/kernel",
		BUILD_FOLDER "/tests/kernel",
	};
	if (plan->folder)
		e = recipe_add_folder(r, plan->folder);
	for (size_t i = 0; !e && i < sizeof(folders) / sizeof(*folders); i++)
		e = recipe_add_folder(r, folders[i]);
	for (size_t i = 0; !e && i < DEFINES_MAX && plan->defines[i].name; i++)
		e = recipe_define(r, plan->defines[i].name, plan->defines[i].value);
	snprintf(include, sizeof(include), "include \"%s\"\n", plan->recipe);
	if (!e)
		e = recipe_read_text(r, "machine", include);
	if (plan->drop_cpu_notes) {
		buf_reset(&r->notes);
		r->cpu_notes = 0;
	}
	if (plan->drop_vmcoreinfo)
		buf_reset(&r->vmcoreinfo);
	if (!e && plan->extra)
		e = recipe_read_text(r, "extra", plan->extra);
	return e;
}

static void write_dump(struct machine *m, const struct buf *bytes)
{
	m->fd = memfd_create("vmcore", MFD_CLOEXEC);
	assert_true(m->fd >= 0);
	for (size_t done = 0; done < bytes->len;) {
		ssize_t n = write(m->fd, bytes->data + done, bytes->len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	snprintf(m->path, sizeof(m->path), "/proc/self/fd/%d", m->fd);
}

void machine_make(struct machine *m, const struct machine_plan *plan)
{
	struct recipe recipe;
	struct buf bytes = BUF_INIT;
	struct dump_options options = { 0 };
	bool dropped;

	*m = (struct machine){ .fd = -1 };
	recipe_init(&recipe);
	struct err *e = read_recipe(&recipe, plan);
	if (!e)
		e = output_make(&recipe, 1, &bytes, &dropped);
	recipe_free(&recipe);
	assert_no_err(e);
	write_dump(m, &bytes);
	buf_free(&bytes);
	const char *path = m->path;
	assert_no_err(dump_open(&path, 1, &options, &m->dump));
}

/* ---- opening ---- */

struct err *machine_open_kernel(struct machine *m, const struct page_source *pages,
				const char *symbols)
{
	struct kernel_options options = {
		.symbol_paths = &symbols,
		.symbol_path_count = symbols ? 1 : 0,
	};
	struct err *e = memory_new(pages ? pages : dump_pages(m->dump), CACHE_BYTES, &m->memory);
	if (!e)
		e = kernel_open(m->dump, m->memory, &options, &m->kernel);
	if (!e)
		e = cpus_read(m->kernel, &m->cpus);
	if (!e)
		e = tasks_read(m->kernel, &m->cpus, &m->tasks);
	if (!e)
		e = registers_new(m->kernel, &m->cpus, &m->tasks, &m->registers);
	return e;
}

void machine_open(struct machine *m, const struct machine_plan *plan)
{
	machine_make(m, plan);
	assert_no_err(machine_open_kernel(m, NULL, plan->symbols));
}

void machine_close_kernel(struct machine *m)
{
	registers_free(m->registers);
	tasks_free(&m->tasks);
	cpus_free(&m->cpus);
	kernel_close(m->kernel);
	memory_free(m->memory);
	m->registers = NULL;
	m->kernel = NULL;
	m->memory = NULL;
}

void machine_close(struct machine *m)
{
	machine_close_kernel(m);
	dump_close(m->dump);
	close(m->fd);
}

/* ---- looking ---- */

const struct task *machine_task(const struct machine *m, uint32_t tid)
{
	const struct task *task = tasks_find(&m->tasks, tid);
	if (!task)
		fail_msg("there is no thread %u; notes: %s", tid, kernel_notes(m->kernel));
	return task;
}

const struct task *machine_current(const struct machine *m)
{
	size_t wanted, current;
	assert_no_err(current_task_choose(&m->tasks, &m->cpus, NULL, &wanted, &current));
	assert_int_equal(current, wanted);
	return &m->tasks.list[current];
}

const struct first_regs *machine_regs(const struct machine *m, uint32_t tid)
{
	const struct first_regs *regs = NULL;
	assert_no_err(registers_get(m->registers, machine_task(m, tid), &regs));
	return regs;
}

void assert_no_err(struct err *e)
{
	if (e)
		fail_msg("%s", err_msg(e));
}

void assert_err(struct err *e, enum err_code code, const char *part)
{
	assert_non_null(e);
	if (!strstr(err_msg(e), part))
		fail_msg("'%s' does not say '%s'", err_msg(e), part);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

void assert_note(const struct machine *m, const char *part)
{
	if (!strstr(kernel_notes(m->kernel), part))
		fail_msg("no note says '%s': %s", part, kernel_notes(m->kernel));
}

void assert_no_note(const struct machine *m, const char *part)
{
	if (strstr(kernel_notes(m->kernel), part))
		fail_msg("a note says '%s': %s", part, kernel_notes(m->kernel));
}

void assert_reg(const struct first_regs *f, enum reg reg, uint64_t value)
{
	if (!regs_known(&f->regs, reg))
		fail_msg("%s is not known%s%s", x86_64_regs.names[reg], f->why ? ": " : "",
			 f->why ? f->why : "");
	if (f->regs.value[reg] != value)
		fail_msg("%s is 0x%llx and not 0x%llx", x86_64_regs.names[reg],
			 (unsigned long long)f->regs.value[reg], (unsigned long long)value);
}

void assert_reg_unknown(const struct first_regs *f, enum reg reg)
{
	if (regs_known(&f->regs, reg))
		fail_msg("%s is known: 0x%llx", x86_64_regs.names[reg],
			 (unsigned long long)f->regs.value[reg]);
}

void assert_unknown(const struct machine *m, uint32_t tid, const char *why)
{
	const struct first_regs *f = machine_regs(m, tid);
	assert_int_equal(f->from, REGS_UNKNOWN);
	assert_int_equal(f->regs.known, 0);
	assert_non_null(f->why);
	if (!strstr(f->why, why))
		fail_msg("'%s' does not say '%s'", f->why, why);
}
