/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to a graph of types, whatever its source: paths through members, typedefs, anonymous
 * structures. Nothing is remembered here; types.c does that. A graph may come from a dump and be
 * circular or absurd: every walk is bounded.
 */
#ifndef VMCORE_NAMES_TYPES_TYPE_GRAPH_H
#define VMCORE_NAMES_TYPES_TYPE_GRAPH_H

#include <stdint.h>

#include "vmcore/names/types/type_source.h"

struct err;
struct member;

struct type_graph {
	const struct type_source_ops *ops;
	void *source;
};

/* See types_member(). */
__attribute__((warn_unused_result)) struct err *type_graph_member(const struct type_graph *g,
								  const char *type,
								  const char *path,
								  struct member *ret);

/* See types_size(). */
__attribute__((warn_unused_result)) struct err *type_graph_size(const struct type_graph *g,
								const char *type, uint64_t *ret);

/* See types_enumerator(); @enum_name is "" for any enumeration. */
__attribute__((warn_unused_result)) struct err *type_graph_constant(const struct type_graph *g,
								    const char *enum_name,
								    const char *constant,
								    int64_t *ret);

#endif
