/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offsets of structure members by name, from BTF (the dump's own, or a file's .BTF section) or from
 * DWARF. Nothing in this program knows an offset of a kernel structure by heart, and nothing asks
 * which version a kernel has: it asks whether a member is there.
 */
#ifndef VMCORE_NAMES_TYPES_TYPES_H
#define VMCORE_NAMES_TYPES_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Dwarf;
struct btf;
struct err;
struct types;

struct member {
	uint64_t offset;	      /* in bytes, from the start of the structure */
	uint64_t size;		      /* in bytes; of an array the whole; 0 for a flexible array */
	uint8_t bit_offset, bit_size; /* of a bit-field, within the little-endian number of size
					 bytes at offset; bit_size is 0 for other members. The
					 number is the smallest that holds it: offset is that of
					 its first byte, bit_offset 0..7, size 1..9 */
	uint64_t count;		      /* of an array: elements in all dimensions together (BTF does
					 not keep them apart), 0 if it is flexible; else 1 */
	uint64_t element_size;	      /* of an array; else size */
	bool is_pointer;	      /* or an array of pointers */
	bool is_array;
	bool is_signed; /* a number, or an array of numbers, that is signed */
	/* The name of the structure, union or enum the member (or array element, or what the
	 * pointer points to, through typedefs and qualifiers) is; if that has none, of the typedef
	 * for it; NULL if there is neither. Borrowed. Types called so can be looked up. */
	const char *type_name;
};

/*
 * BTF (Documentation/bpf/btf.rst): a bounded reader, for @data comes from a dump. Takes a copy of
 * @len bytes. @base is NULL for vmlinux, or vmlinux's types (from BTF too) for a module's split
 * BTF; then it is borrowed and must outlive the result. ERR_FORMAT, ERR_UNSUPPORTED.
 */
__attribute__((warn_unused_result)) struct err *
types_from_btf(const void *data, size_t len, struct types *base, struct types **ret);

/*
 * DWARF 2 to 5 of the ELF file open as @fd (borrowed; must stay open), called @path in messages: a
 * vmlinux, or a module's .ko, whose sections are then relocated in memory. Only compilation units
 * in C are looked at: a Rust unit holds bindgen's copies of kernel types. Lookups are lazy: units
 * are indexed, each once, up to the one that has the name; a name that no unit has costs all of
 * them (0.4 s for a vmlinux with 600 MB of debug sections) once. ERR_NOTFOUND when there is no
 * DWARF, ERR_UNSUPPORTED when it is compressed in a way that libdw cannot undo.
 */
__attribute__((warn_unused_result)) struct err *types_from_dwarf(int fd, const char *path,
								 struct types **ret);
/* The same of DWARF that is open already, relocated if need be; borrowed, must outlive the result.
 */
__attribute__((warn_unused_result)) struct err *types_of_dwarf(struct Dwarf *dwarf,
							       struct types **ret);
/* Of a kernel whose types are not known: every question is answered by ERR_NOTFOUND, with a
 * sentence that says so and ends in @why. */
__attribute__((warn_unused_result)) struct err *types_none(const char *why, struct types **ret);
/*
 * For types_none(): what was found out all the same. @type and @path, and @how it was found out (a
 * few words, for users), are borrowed and must outlive @t. @path is "" for the size of @type
 * itself. Questions for it are answered from now on; all others as before.
 */
__attribute__((warn_unused_result)) struct err *types_tell(struct types *t, const char *type,
							   const char *path, uint64_t offset,
							   uint64_t size, const char *how);
/* How it was found out; NULL if that was not told so. */
const char *types_told(const struct types *t, const char *type, const char *path);
/* All that was told: how many, and the @i-th; all of *ret is borrowed. */
struct types_told_row {
	const char *type, *path, *how;
	struct member member;
};
size_t types_told_count(const struct types *t);
void types_told_at(const struct types *t, size_t i, struct types_told_row *ret);
void types_free(struct types *t);

/* "BTF", "DWARF" or "none" */
const char *types_kind(const struct types *t);
/* NULL if types are known, else why they are not. */
const char *types_why_none(const struct types *t);
/* NULL if types are known, else ERR_NOTFOUND with the sentence that every question is answered by.
 */
__attribute__((warn_unused_result)) struct err *types_need(const struct types *t);

/* The BTF they come from, borrowed; NULL if they come from elsewhere. @t may be NULL. */
const struct btf *types_btf(const struct types *t);

/*
 * The member at @path of the structure or union @type (its name or a typedef's): "comm",
 * "thread.sp", "pids[0].node", "mem[0].base", resolved through anonymous structures and unions.
 * Array indices must be decimal numbers. The last step is described as it is; steps over pointers
 * do not exist (they are other memory). ERR_NOTFOUND when the type or a member does not exist, or
 * an index is beyond the end of an array that is not flexible; ERR_INVALID for a path that makes no
 * sense; ERR_FORMAT for types that go round in circles. Answers are remembered, absent ones too.
 */
__attribute__((warn_unused_result)) struct err *types_member(struct types *t, const char *type,
							     const char *path, struct member *ret);

/* The size in bytes of a structure, union, enum or typedef. */
__attribute__((warn_unused_result)) struct err *types_size(struct types *t, const char *type,
							   uint64_t *ret);

/*
 * The value of an enumeration constant, e.g. types_enumerator(t, "pid_type", "PIDTYPE_PID", ..).
 * @enum_name may be NULL: any enumeration, also those without a name; the same goes for the name of
 * what is no enumeration, for a structure may share one's name. Remembered as well.
 */
__attribute__((warn_unused_result)) struct err *
types_enumerator(struct types *t, const char *enum_name, const char *constant, int64_t *ret);

/* Short forms that say yes or no. @t may be NULL: no. */
bool types_offset(struct types *t, const char *type, const char *path, uint64_t *ret_offset);
bool types_has(struct types *t, const char *type, const char *path);

#endif
