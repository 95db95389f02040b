/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offsets of structure members by name, from BTF (the dump's own, or a file's .BTF section) or from
 * DWARF. Nothing in this program knows an offset of a kernel structure by heart, and nothing asks
 * which version a kernel has: it asks whether a member is there.
 */
#ifndef SERVER_KERNEL_TYPES_H
#define SERVER_KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct types;

struct member {
	uint64_t offset;	      /* in bytes, from the start of the structure */
	uint64_t size;		      /* in bytes; of an array the whole; 0 for a flexible array */
	uint8_t bit_offset, bit_size; /* of a bit-field, within the little-endian number that starts
					 at offset; bit_size is 0 for other members */
	uint64_t count;		      /* of an array: elements of its first dimension; else 1 */
	uint64_t element_size;	      /* of an array; else size */
	bool is_pointer, is_array, is_signed;
	/* The name of the structure, union or enum the member (or array element, or what the
	 * pointer points to, through typedefs and qualifiers) is; NULL if it has none. Borrowed. */
	const char *type_name;
};

/*
 * BTF (Documentation/bpf/btf.rst): a bounded reader, for @data comes from a dump. Takes a copy of
 * @len bytes. @base is NULL for vmlinux, or vmlinux's types for a module's split BTF; then it is
 * borrowed and must outlive the result.
 */
__attribute__((warn_unused_result)) struct err *
types_from_btf(const void *data, size_t len, const struct types *base, struct types **ret);

/*
 * DWARF of the ELF file open as @fd (borrowed; must stay open), called @path in messages. Only
 * compilation units in C are looked at: a Rust unit holds bindgen's copies of kernel types. Lookups
 * are lazy: a name costs a walk over units the first time and nothing later.
 */
__attribute__((warn_unused_result)) struct err *types_from_dwarf(int fd, const char *path,
								 struct types **ret);
void types_free(struct types *t);

/* "BTF" or "DWARF" */
const char *types_kind(const struct types *t);

/*
 * The member at @path of the structure or union @type: "comm", "thread.sp", "pids[0].node",
 * "mem[0].base", resolved through anonymous structures and unions. Array indices must be numbers.
 * The last step is described as it is; steps over pointers do not exist (they are other memory).
 * ERR_NOTFOUND when the type or a member does not exist. Answers are remembered, absent ones too.
 */
__attribute__((warn_unused_result)) struct err *types_member(struct types *t, const char *type,
							     const char *path, struct member *ret);

/* The size in bytes of a structure, union, enum or typedef. */
__attribute__((warn_unused_result)) struct err *types_size(struct types *t, const char *type,
							   uint64_t *ret);

/* The value of an enumeration constant, e.g. types_enumerator(t, "pid_type", "PIDTYPE_PID", ..).
 * @enum_name may be NULL: any enumeration. */
__attribute__((warn_unused_result)) struct err *
types_enumerator(struct types *t, const char *enum_name, const char *constant, int64_t *ret);

/* Short forms that say yes or no. @t may be NULL: no. */
bool types_offset(struct types *t, const char *type, const char *path, uint64_t *ret_offset);
bool types_has(struct types *t, const char *type, const char *path);

#endif
