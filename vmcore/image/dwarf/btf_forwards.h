/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "struct foo;" stands for, where BTF has a definition of that name elsewhere. */
#ifndef VMCORE_IMAGE_DWARF_BTF_FORWARDS_H
#define VMCORE_IMAGE_DWARF_BTF_FORWARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/image/dwarf/btf_set.h"

struct err;
struct btf_forwards;

/* Collects what is only declared somewhere in @set, which is borrowed. */
__attribute__((warn_unused_result)) struct err *btf_forwards_new(const struct btf_set *set,
								 struct btf_forwards **ret);
void btf_forwards_free(struct btf_forwards *f);

/* Whether @t defines a structure, union or enumeration of which somebody has a declaration. */
bool btf_forwards_wants(const struct btf_forwards *f, const struct btf_type *t);

/* Offers such a one, type @index; @definition is equal for definitions that say the same. Indices
 * must ascend. */
__attribute__((warn_unused_result)) struct err *btf_forwards_offer(struct btf_forwards *f,
								   uint32_t index,
								   const struct btf_type *t,
								   uint64_t definition);

/* Puts into @means, at the index of each declaration that has one meaning, the index of that. */
void btf_forwards_resolve(const struct btf_forwards *f, uint32_t *means);

#endif
