// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/memory/named_address.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

enum { LISTED_MAX = 8 };

/* Places that one name stands for. */
struct places {
	uint64_t address; /* of one of them */
	size_t count;
	struct buf list; /* the first of them, as they can be asked for */
};

/* Adds what @symbols, of @module (NULL: of the kernel), have of @name. */
static void add_places(struct places *p, const struct symbols *symbols, const char *module,
		       const char *name)
{
	struct symbol found[LISTED_MAX];
	size_t count = symbols_all_named(symbols, name, found, LISTED_MAX);
	for (size_t i = 0; i < count && p->count + i < LISTED_MAX; i++) {
		p->address = found[i].address;
		buf_addf(&p->list, "%s0x%" PRIx64, p->count + i ? ", " : "", found[i].address);
		if (module)
			buf_addf(&p->list, " (%s:%s)", module, name);
	}
	p->count += symbols_named(symbols, name);
}

/* The one place, if it is one; true when that was found or refused. */
static bool settle(const struct places *p, const char *text, uint64_t *ret, struct err **ret_err)
{
	if (p->count > 1)
		*ret_err = err_new(ERR_INVALID,
				   "there are %zu symbols called '%s', at %s%s; say which",
				   p->count, text, p->list.failed ? "" : p->list.data,
				   p->count > LISTED_MAX ? ", ..." : "");
	else if (p->count)
		*ret = p->address;
	return p->count;
}

static struct err *is_percpu(const char *module, const char *name)
{
	return err_new(ERR_INVALID,
		       "'%s' of module %s is a per-CPU variable: it has an address for each CPU",
		       name, module);
}

/* A symbol of @module's: whether it has it. */
static bool find_in_module(struct vmcore *h, const struct module *m, const char *name,
			   const char *text, uint64_t *ret, struct err **ret_err)
{
	struct places p = { .list = BUF_INIT };
	add_places(&p, code_map_module_symbols(h->code, m), NULL, name);
	bool settled = settle(&p, text, ret, ret_err);
	buf_free(&p.list);
	if (!settled && symbols_named(code_map_module_percpu(h->code, m), name)) {
		*ret_err = is_percpu(m->name, name);
		return true;
	}
	return settled;
}

static bool find_in_kernel(struct vmcore *h, const char *name, uint64_t *ret, struct err **ret_err)
{
	struct places p = { .list = BUF_INIT };
	add_places(&p, kernel_symbols(h->kernel), NULL, name);
	bool settled = settle(&p, name, ret, ret_err);
	buf_free(&p.list);
	/* VMCOREINFO has some that the tables may lack. */
	return settled || kernel_symbol(h->kernel, name, ret);
}

static bool find_in_modules(struct vmcore *h, const char *name, uint64_t *ret, struct err **ret_err)
{
	const struct modules *modules = code_map_modules(h->code);
	const struct module *percpu = NULL;
	struct places p = { .list = BUF_INIT };
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		add_places(&p, code_map_module_symbols(h->code, m), m->name, name);
		if (symbols_named(code_map_module_percpu(h->code, m), name))
			percpu = m;
	}
	bool settled = settle(&p, name, ret, ret_err);
	buf_free(&p.list);
	if (!settled && percpu) {
		*ret_err = is_percpu(percpu->name, name);
		return true;
	}
	return settled;
}

/* MODULE:NAME, with the colon at @colon. */
static struct err *find_qualified(struct vmcore *h, const char *text, const char *colon,
				  uint64_t *ret)
{
	const struct modules *modules = code_map_modules(h->code);
	size_t len = (size_t)(colon - text);
	struct err *e = NULL;
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		if (strlen(m->name) != len || memcmp(m->name, text, len) != 0)
			continue;
		if (find_in_module(h, m, colon + 1, text, ret, &e))
			return e;
		return err_new(ERR_INVALID, "module %s has no symbol '%s' in the dump", m->name,
			       colon + 1);
	}
	return err_new(ERR_INVALID, "there is no module '%.*s' (`monitor modules` lists them)",
		       (int)len, text);
}

struct err *named_address(struct vmcore *h, const char *text, uint64_t *ret)
{
	struct err *e = NULL;
	if (number_parse(text, true, ret))
		return NULL;
	const char *colon = strchr(text, ':');
	if (colon)
		return find_qualified(h, text, colon, ret);
	if (find_in_kernel(h, text, ret, &e) || find_in_modules(h, text, ret, &e))
		return e;
	return err_new(ERR_INVALID,
		       "'%s' is neither a hexadecimal address nor a symbol of the kernel or of a "
		       "module",
		       text);
}
