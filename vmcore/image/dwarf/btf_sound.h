/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a debugger can be given of a set of BTF without harm: C has no type that holds itself or
 * that is spelled by itself, but BTF from a damaged dump may, and a debugger that follows it never
 * comes back. And what forward declarations mean: the one type of that name, or nothing.
 */
#ifndef VMCORE_IMAGE_DWARF_BTF_SOUND_H
#define VMCORE_IMAGE_DWARF_BTF_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/image/dwarf/btf_set.h"

struct err;

struct btf_sound {
	uint32_t *means; /* owned; by index: the type that a reference to this one leads to: itself,
			    what a type tag is for, the definition of what is declared here; 0:
			    void, or something that is no type */
	uint64_t *sizes; /* owned; by index: bytes; 0 also where unknown, UINT64_MAX: or more */
	uint64_t *spelling; /* owned; by index: the same for types that are written the same */
	bool *cut; /* owned; by index: what it refers to must be left out, for that never ends */
};

/*
 * Looks at every type of @set once. A declaration means the definition of its name in its own
 * object, or if there is none there in the first object, or at last in any of the others; but
 * nothing where that place has several. Copies of one definition (a module has its own copy of
 * another one's types) count as one.
 */
__attribute__((warn_unused_result)) struct err *btf_sound_init(struct btf_sound *s,
							       const struct btf_set *set);
void btf_sound_free(struct btf_sound *s);

/* Whether member @m of a structure of @size bytes lies within it and has a type to show. */
bool btf_member_fits(const struct btf_sound *s, const struct btf_member *m, uint64_t size);

#endif
