/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types that modules bring along (struct kvm_vcpu, struct vcpu_svm): from the split BTF that a
 * kernel keeps of each module in memory, where it does (it builds on vmlinux's), else from a file
 * of its BTF alone (vmcore/names/files/btf_files.h), else from the DWARF of the module's file.
 */
#ifndef VMCORE_CODE_MODULE_TYPES_H
#define VMCORE_CODE_MODULE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct kernel;
struct member;
struct module;
struct module_files;
struct module_types;
struct modules;
struct types;

/* Reads nothing yet. All is borrowed and must outlive the result; @files may be NULL: then BTF is
 * all that there is. */
__attribute__((warn_unused_result)) struct err *module_types_new(struct kernel *k,
								 const struct modules *modules,
								 struct module_files *files,
								 struct module_types **ret);
void module_types_free(struct module_types *m);

/*
 * The types of the module called @name (as the kernel calls it, "kvm_amd"), borrowed; names that
 * only vmlinux defines are found in them, too, when they are BTF. Read when they are first asked
 * for and kept, as a failure is until module_files_look_again(): ERR_NOTFOUND when there is no such
 * module or neither the dump nor a file has types of it, ERR_FORMAT or a memory kind when they
 * cannot be read.
 *
 * BTF is taken from struct btf_module in the list btf_modules (kernel/bpf/btf.c, since 5.11), else
 * from module.btf_data, which later kernels clear once the module is loaded.
 */
__attribute__((warn_unused_result)) struct err *
module_types_get(struct module_types *m, const char *name, struct types **ret);

/* Several sources of types, asked in order. Make one once and keep it: it borrows from the struct
 * module_types. */
enum { TYPE_SCOPE_MAX = 4 };
struct type_scope {
	struct types *list[TYPE_SCOPE_MAX];
	unsigned count;
};

/*
 * The types of the modules called @names (ended by NULL; at most TYPE_SCOPE_MAX - 1), as far as
 * there are any, then the kernel's own: which also have a module's when it is built in.
 */
__attribute__((warn_unused_result)) struct err *
module_types_scope(struct module_types *m, const char *const *names, struct type_scope *ret);

/* As types_member() and so on; the first source that knows answers. ERR_NOTFOUND if none does. */
__attribute__((warn_unused_result)) struct err *type_scope_member(const struct type_scope *s,
								  const char *type,
								  const char *path,
								  struct member *ret);
__attribute__((warn_unused_result)) struct err *type_scope_size(const struct type_scope *s,
								const char *type, uint64_t *ret);
__attribute__((warn_unused_result)) struct err *type_scope_enumerator(const struct type_scope *s,
								      const char *enum_name,
								      const char *constant,
								      int64_t *ret);
/* Yes or no. */
bool type_scope_offset(const struct type_scope *s, const char *type, const char *path,
		       uint64_t *ret_offset);
bool type_scope_has(const struct type_scope *s, const char *type, const char *path);

#endif
