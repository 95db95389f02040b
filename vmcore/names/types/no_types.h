/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of types that are not known: it has none. Its self is a string to free, the reason. */
#ifndef VMCORE_NAMES_TYPES_NO_TYPES_H
#define VMCORE_NAMES_TYPES_NO_TYPES_H

#include "vmcore/names/types/type_source.h"

extern const struct type_source_ops no_types_ops;

#endif
