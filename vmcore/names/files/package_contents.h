/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the files in a package, once it was read: as a text in the symbol cache it
 * spares the next start from reading it again. That text is checked like any other file.
 */
#ifndef VMCORE_NAMES_FILES_PACKAGE_CONTENTS_H
#define VMCORE_NAMES_FILES_PACKAGE_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/names/files/package_name.h"

struct buf;
struct err;

/* Where the bytes of a module's file are, for whoever reads the package. */
enum package_module_place {
	PACKAGE_IN_IT, /* in the package alone */
	PACKAGE_ASIDE, /* put aside: whether it is wanted is not known yet */
	PACKAGE_TAKEN, /* taken out */
	PACKAGE_LEFT,  /* kept in the symbol cache, or not wanted */
};

/* A module's file; two may have one name. */
struct package_module {
	char name[PACKAGE_MODULE_SIZE];
	bool looked;	/* somebody has looked into it; else its build-id is unknown */
	char *build_id; /* owned, hex digits; NULL: unknown, or it has none */
	/* Not part of the text. */
	enum package_module_place place;
	uint64_t at, size; /* of what is ASIDE or TAKEN, in its file */
	bool met;	   /* in this reading of the package */
};

struct package_contents {
	char release[PACKAGE_RELEASE_SIZE]; /* of the kernel; "" if no path told it */
	char *vmlinux_id;		    /* owned; of its vmlinux, NULL if unknown */
	struct package_module *modules;	    /* owned */
	size_t count, capacity;
	bool whole; /* read to its end: there are no other files */
};

enum { PACKAGE_TEXT_MAX = 4 << 20 /* bytes; 4,000 modules have 250 KiB */ };

void package_contents_free(struct package_contents *c);

/* Adds a module called @name (package_name_is_module()), and hands it out: good until the next is
 * added. ERR_FORMAT when they are more than any kernel has. */
__attribute__((warn_unused_result)) struct err *
package_contents_add(struct package_contents *c, const char *name, struct package_module **ret);

/* Adds the text to @out. */
void package_contents_write(const struct package_contents *c, struct buf *out);
/* Fills *ret from the @len bytes of @text; false if they are no such text, and then it is as it
 * was. */
bool package_contents_read(const char *text, size_t len, struct package_contents *ret);

#endif
