/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of DIEs in the forms that different versions of DWARF give them. */
#ifndef VMCORE_NAMES_TYPES_DWARF_ATTR_H
#define VMCORE_NAMES_TYPES_DWARF_ATTR_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct type_field;

/* The number of the attribute @name of @die; false if it is not there or no constant. */
bool dwarf_number(Dwarf_Die *die, unsigned name, uint64_t *ret);

/* Elements of one dimension of an array, which the DIE of a subrange has (DWARF 5, 5.13); 0 if it
 * is flexible. */
uint64_t dwarf_dimension(Dwarf_Die *subrange);

/* The value of an enumerator; false if it has none. */
bool dwarf_constant(Dwarf_Die *die, int64_t *ret);

/* The offset of the DIE that DW_AT_type refers to; 0 (void) if the attribute is absent. */
uint64_t dwarf_type_of(Dwarf_Die *die);

/*
 * Fills in where in its structure the member @die of @dwarf is: bit and bit_size of @f (DWARF 5,
 * 5.7.6; DWARF 3, 5.6.6 for the older bit-fields). ERR_UNSUPPORTED if it has to be computed at run
 * time, which C has no use for; ERR_FORMAT.
 */
__attribute__((warn_unused_result)) struct err *dwarf_place_member(Dwarf *dwarf, Dwarf_Die *die,
								   struct type_field *f);

#endif
