/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF of the DWARF of a kernel or a module: every type of its C units once, where DWARF has each
 * unit's own copy, and its functions. Two definitions of one name that differ stay two, the first
 * first, as everywhere in this program.
 */
#ifndef VMCORE_NAMES_TYPES_DWARF_TO_BTF_H
#define VMCORE_NAMES_TYPES_DWARF_TO_BTF_H

struct Dwarf;
struct buf;
struct dwarf_to_btf;
struct err;

/*
 * Converts @dwarf (relocated if need be; not needed afterwards) and appends the BTF to @out. @base
 * is NULL, or the conversion of a kernel, on which the BTF of a module builds: what that has is not
 * repeated. It is borrowed and must outlive *ret, which is to be freed. ERR_FORMAT for damage,
 * ERR_UNSUPPORTED for more than BTF can hold. Takes some seconds for a kernel.
 */
__attribute__((warn_unused_result)) struct err *dwarf_to_btf(struct Dwarf *dwarf,
							     const struct dwarf_to_btf *base,
							     struct buf *out,
							     struct dwarf_to_btf **ret);
void dwarf_to_btf_free(struct dwarf_to_btf *c); /* NULL is allowed */

#endif
