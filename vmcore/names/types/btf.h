/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of BTF (Documentation/bpf/btf.rst, include/uapi/linux/btf.h) that trusts nothing: every
 * record, name and type number is checked once, when it is read; lookups then cannot go astray.
 */
#ifndef VMCORE_NAMES_TYPES_BTF_H
#define VMCORE_NAMES_TYPES_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct btf;

enum btf_kind {
	BTF_KIND_VOID,
	BTF_KIND_INT,
	BTF_KIND_PTR,
	BTF_KIND_ARRAY,
	BTF_KIND_STRUCT,
	BTF_KIND_UNION,
	BTF_KIND_ENUM,
	BTF_KIND_FWD,
	BTF_KIND_TYPEDEF,
	BTF_KIND_VOLATILE,
	BTF_KIND_CONST,
	BTF_KIND_RESTRICT,
	BTF_KIND_FUNC,
	BTF_KIND_FUNC_PROTO,
	BTF_KIND_VAR,
	BTF_KIND_DATASEC,
	BTF_KIND_FLOAT,
	BTF_KIND_DECL_TAG,
	BTF_KIND_TYPE_TAG,
	BTF_KIND_ENUM64,
	BTF_KIND_KNOWN, /* kinds from here on are newer; of them only the length is known */
};

/* Linkage of functions (their vlen) and variables (the word behind them). */
enum { BTF_LINKAGE_STATIC, BTF_LINKAGE_GLOBAL, BTF_LINKAGE_EXTERN };

/* Bytes of one element behind a struct btf_type. */
enum {
	BTF_MEMBER_SIZE = 12, /* struct btf_member: name, type, offset */
	BTF_PARAM_SIZE = 8,   /* struct btf_param: name, type */
	BTF_ENUM_SIZE = 8,    /* struct btf_enum: name, value */
	BTF_ENUM64_SIZE = 12, /* struct btf_enum64: name, low half, high half */
};

/* A struct btf_type taken apart. All of it is borrowed from the struct btf. */
struct btf_record {
	const uint8_t *more;  /* what follows struct btf_type, as long as kind and vlen say */
	const char *name;     /* NULL if it has none */
	uint32_t name_offset; /* what btf_string() makes name of */
	enum btf_kind kind;
	bool flag;     /* kind_flag */
	uint32_t vlen; /* elements behind it */
	uint32_t size; /* or type number, as the kind wants it */
};

/*
 * Reads @len bytes, of which it keeps a copy. @base is NULL, or what a module's split BTF builds
 * on; it is borrowed and must outlive the result. ERR_FORMAT for what is no BTF or damaged,
 * ERR_UNSUPPORTED for a kind of type that is newer than this reader and that the blob's layout
 * section does not measure.
 */
__attribute__((warn_unused_result)) struct err *btf_parse(const void *data, size_t len,
							  const struct btf *base, struct btf **ret);
void btf_free(struct btf *b);

/* Whether the @len bytes of BTF @data build on another's, as a module's do: only such begin their
 * strings with another than the empty one (libbpf, and the kernel's btf_parse_str_sec()). */
bool btf_is_split(const void *data, size_t len);

/*
 * Whether @b is built on the base that it was parsed with, or on another with which its numbers
 * would mean something else: NULL if every name that it uses is a whole string, and every member of
 * its structures is of a type that fits where it lies. ERR_FORMAT says what does not.
 */
__attribute__((warn_unused_result)) struct err *btf_check_base(const struct btf *b);

/* The types of @b itself, without its base's, have the numbers [btf_first(), btf_end()). Those from
 * 1 on are its base's; 0 is void. */
uint32_t btf_first(const struct btf *b);
uint32_t btf_end(const struct btf *b);

/* Type @id, which must be below btf_end(). */
struct btf_record btf_record(const struct btf *b, uint32_t id);

/* The string at @offset, taken from a record of @b; NULL for the empty one. */
const char *btf_string(const struct btf *b, uint32_t offset);

/*
 * The string section of @b itself, without its base's, as it is; its last byte is 0. *ret_first is
 * the offset by which records name its first byte, *ret_len its bytes (0: there are none).
 */
const char *btf_strings(const struct btf *b, uint32_t *ret_first, uint32_t *ret_len);

/*
 * Whether kind_flag of an enumeration says that its values are signed (since 6.0). Before, it was
 * always 0 and all values were signed: seen when no enumeration at all has it.
 */
bool btf_enum_flags(const struct btf *b);

#endif
