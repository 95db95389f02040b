// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel's types from a file of BTF alone: nothing in it says whose they are. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/kernel_private.h"
#include "vmcore/kernel/types_proof.h"
#include "vmcore/names/files/btf_files.h"

struct trying {
	struct kernel *k;
	struct err *named; /* owned; why the first that was named does not fit */
};

static struct err *use(struct kernel *k, const struct btf_file *file)
{
	struct types *t;
	struct types_proof proof;
	struct err *e = types_from_btf(file->data, file->len, NULL, &t);
	if (e)
		return e;
	char *path = strdup(file->path);
	e = path ? types_prove(k, t, &proof) : err_nomem();
	if (e) {
		free(path);
		types_free(t);
		return e;
	}
	k->types = t;
	k->origin = (struct types_origin){ path, proof.tasks, proof.layout };
	return NULL;
}

/* That a dump has too little to prove a file by is not the file's fault. */
static struct err *try_file(void *closure, const struct btf_file *file, bool *ret_taken)
{
	struct trying *t = closure;
	struct err *e = use(t->k, file);
	*ret_taken = !e;
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	e = err_wrap(e, "%s", file->path);
	log_debug(LOG_SYMBOLS, "%s", err_msg(e));
	if (file->named && !t->named && err_code(e) != ERR_NOTFOUND) {
		t->named = e;
		return NULL;
	}
	kernel_note(t->k, "not used: %s", err_msg(e));
	err_free(e);
	return NULL;
}

struct err *kernel_types_from_btf_files(struct kernel *k, bool *ret_found)
{
	struct trying t = { .k = k };
	struct buf failed = BUF_INIT;
	struct err *e = btf_files_offer_kernel(k->btf_files, k->release, &failed, try_file, &t);
	if (!e && failed.len)
		kernel_note(k, "not used: %.*s", (int)strcspn(failed.data, "\n"), failed.data);
	buf_free(&failed);
	*ret_found = k->types;
	if (e || k->types)
		err_free(t.named);
	else
		e = t.named;
	return e;
}
