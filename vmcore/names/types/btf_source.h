/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF as a source of types. */
#ifndef VMCORE_NAMES_TYPES_BTF_SOURCE_H
#define VMCORE_NAMES_TYPES_BTF_SOURCE_H

#include <stddef.h>

#include "vmcore/names/types/type_source.h"

struct btf;
struct err;

/* Its self is a struct btf_source. */
extern const struct type_source_ops btf_source_ops;

struct btf_source;

/* As btf_parse(); @base is another source, borrowed, or NULL. */
__attribute__((warn_unused_result)) struct err *
btf_source_new(const void *data, size_t len, struct btf_source *base, struct btf_source **ret);

/* What it reads, borrowed. */
const struct btf *btf_source_btf(const struct btf_source *s);

#endif
