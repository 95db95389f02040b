// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/debugfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/unpack.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/vmcoreinfo.h"

void debug_file_close(struct debug_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f->package);
	free(f->build_id);
	free(f->dwarf_why);
	free(f);
}

struct err *debug_file_open_regular(const char *path, int *ret)
{
	int fd = files_open(path);
	struct stat st = { 0 };
	if (fd < 0)
		return err_errno(errno, "open");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		bool folder = S_ISDIR(st.st_mode);
		close(fd);
		return err_new(ERR_FORMAT, folder ? "it is a folder" : "it is no regular file");
	}
	*ret = fd;
	return NULL;
}

/* Symbols of a vmlinux that VMCOREINFO of most kernels knows. The first two place the text. */
enum { SYM_STEXT, SYM_TEXT, SYM_UTS, SYM_NODES, SYM_PGT, SYM_COUNT };
static const struct {
	const char *in_info, *in_file;
} symbols[SYM_COUNT] = {
	[SYM_STEXT] = { "_stext", "_stext" },
	[SYM_TEXT] = { "_text", "_text" },
	[SYM_UTS] = { "init_uts_ns", "init_uts_ns" },
	[SYM_NODES] = { "node_online_map", "node_online_map" },
	[SYM_PGT] = { "swapper_pg_dir", "init_top_pgt" },
};

struct addresses {
	uint64_t value[SYM_COUNT];
	uint64_t found; /* bit n: value[n] is known */
};

static bool knows(const struct addresses *a, int symbol)
{
	return a->found >> symbol & 1;
}

static struct addresses read_addresses(int fd)
{
	const char *names[SYM_COUNT];
	for (size_t i = 0; i < SYM_COUNT; i++)
		names[i] = symbols[i].in_file;
	struct addresses a;
	a.found = elf_symbol_values(fd, names, SYM_COUNT, a.value);
	return a;
}

/* KASLR moves all symbols by one distance: those between them must be the dump's. */
static struct err *check_distances(const struct addresses *a, const struct vmcoreinfo *info)
{
	uint64_t stext;
	if (!knows(a, SYM_STEXT) || !vmcoreinfo_symbol(info, "_stext", &stext))
		return NULL;
	for (int i = SYM_UTS; i < SYM_COUNT; i++) {
		uint64_t address;
		if (!knows(a, i) || !vmcoreinfo_symbol(info, symbols[i].in_info, &address))
			continue;
		if (address - stext != a->value[i] - a->value[SYM_STEXT])
			return err_new(ERR_FORMAT,
				       "it belongs to another kernel: %s is %lld bytes after "
				       "_stext, in the dump %lld",
				       symbols[i].in_file,
				       (long long)(a->value[i] - a->value[SYM_STEXT]),
				       (long long)(address - stext));
	}
	return NULL;
}

/* Whether the file is the wanted kernel's, as far as both say. */
static struct err *check_identity(const struct elf_identity *id, const struct addresses *a,
				  const struct debug_wanted *wanted)
{
	if (id->build_id && wanted->build_id) {
		if (!strcasecmp(id->build_id, wanted->build_id))
			return NULL;
		return err_new(ERR_FORMAT,
			       "it belongs to another kernel: its build-id is %s, the dump's %s",
			       id->build_id, wanted->build_id);
	}
	if (id->release && wanted->release && strcmp(id->release, wanted->release))
		return err_new(ERR_FORMAT,
			       "it belongs to another kernel: its release is %s, the dump's %s",
			       id->release, wanted->release);
	return check_distances(a, wanted->info);
}

static struct err *check_content(const struct elf_identity *id)
{
	if (id->relocatable)
		return err_new(ERR_FORMAT, "it is a kernel module, not a vmlinux");
	if (!id->has_symtab && !id->has_btf && id->dwarf_why)
		return err_new(ERR_UNSUPPORTED, "%s", id->dwarf_why);
	if (!id->has_symtab && !id->has_dwarf && !id->has_btf)
		return err_new(ERR_FORMAT,
			       "it is stripped: it has no symbol table, no DWARF and no BTF");
	return NULL;
}

/* Takes @fd. *ret_id is filled in success and failure. */
static struct err *open_checked(int fd, const char *path, const struct debug_wanted *wanted,
				struct elf_identity *ret_id, struct debug_file **ret)
{
	struct debug_file *f = calloc(1, sizeof(*f));
	if (!f) {
		close(fd);
		return err_nomem();
	}
	f->fd = fd;
	f->path = strdup(path);
	struct addresses a = { 0 };
	struct err *e = f->path ? elf_identify(fd, ret_id) : err_nomem();
	if (!e)
		e = check_content(ret_id);
	if (!e) {
		a = read_addresses(fd);
		if (ret_id->has_symtab && !a.found)
			e = err_new(ERR_FORMAT,
				    "it is no vmlinux: its symbols are not a kernel's (there is no "
				    "_stext)");
		else
			e = check_identity(ret_id, &a, wanted);
	}
	if (e) {
		debug_file_close(f);
		return e;
	}
	f->build_id = ret_id->build_id;
	ret_id->build_id = NULL;
	f->dwarf_why = ret_id->dwarf_why;
	ret_id->dwarf_why = NULL;
	f->has_symtab = ret_id->has_symtab;
	f->has_dwarf = ret_id->has_dwarf;
	f->has_btf = ret_id->has_btf;
	if (knows(&a, SYM_STEXT))
		f->text = a.value[SYM_STEXT];
	else if (knows(&a, SYM_TEXT))
		f->text = a.value[SYM_TEXT];
	*ret = f;
	return NULL;
}

struct err *debug_file_open_fd(int fd, const char *path, const struct debug_wanted *wanted,
			       bool *ret_module, struct debug_file **ret)
{
	struct elf_identity id = { 0 };
	struct err *e = open_checked(fd, path, wanted, &id, ret);
	*ret_module = id.relocatable;
	elf_identity_free(&id);
	return e;
}

struct err *debug_file_open_or_module(const char *path, const struct debug_wanted *wanted,
				      bool unpack, bool *ret_module, struct debug_file **ret)
{
	int fd = -1;
	bool packed = false;
	*ret_module = false;
	struct err *e = debug_file_open_regular(path, &fd);
	if (!e && unpack)
		e = unpack_in_place(&fd, UNPACK_VMLINUX_MAX, &packed);
	if (!e)
		e = debug_file_open_fd(fd, path, wanted, ret_module, ret);
	else if (fd >= 0)
		close(fd);
	if (!e)
		(*ret)->packed = packed;
	return err_wrap(e, "%s", path);
}

struct err *debug_file_open(const char *path, const struct debug_wanted *wanted,
			    struct debug_file **ret)
{
	bool module;
	return debug_file_open_or_module(path, wanted, false, &module, ret);
}

struct err *debug_file_types(const struct debug_file *f, struct types **ret)
{
	struct buf btf = BUF_INIT;
	struct err *e;
	if (f->has_btf) {
		e = elf_section_bytes(f->fd, ".BTF", &btf);
		if (!e)
			e = types_from_btf(btf.data, btf.len, NULL, ret);
	} else if (f->has_dwarf) {
		e = types_from_dwarf(f->fd, f->path, ret);
	} else if (f->dwarf_why) {
		e = err_new(ERR_UNSUPPORTED, "%s", f->dwarf_why);
	} else {
		e = err_new(ERR_NOTFOUND, "it has neither BTF nor DWARF");
	}
	buf_free(&btf);
	return err_wrap(e, "types of %s", f->path);
}
