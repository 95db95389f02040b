/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about an address, one function a kind; each says nothing where it does not apply. */
#ifndef SERVER_MONITOR_MEMORY_WHAT_FACTS_H
#define SERVER_MONITOR_MEMORY_WHAT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct buf;
struct monitor_guest;
struct notebook;
struct vmcore;

/*
 * The answer for one address. A fact is begun with its kind, then has its members (of JSON) and its
 * words (of text); both are always given, and the one that was not asked for goes nowhere.
 */
struct facts {
	struct vmcore *h;		   /* NULL: of a guest whose kernel is not known */
	uint64_t tid;			   /* whose process an address of the lower half is of */
	const struct notebook *notes;	   /* what people wrote down; borrowed, NULL in a guest */
	const struct monitor_guest *guest; /* whose address it is; NULL: the host's */
	uint64_t vcpu;			   /* of a guest: the thread that is selected */
	uint64_t address;
	struct json *json; /* NULL: text is wanted */
	struct buf *out;
	size_t count; /* facts so far */
};

void fact_begin(struct facts *f, const char *kind);
void fact_end(struct facts *f);
/* Words of the fact that is open, for text. */
__attribute__((format(printf, 2, 3))) void fact_say(struct facts *f, const char *fmt, ...);
/* The same of a string from the dump, made printable. */
void fact_say_text(struct facts *f, const char *text);
void fact_str(struct facts *f, const char *key, const char *text);
void fact_hex(struct facts *f, const char *key, uint64_t value);
void fact_number(struct facts *f, const char *key, uint64_t value);

/* what_objects.c: objects of the kernel's heap. */
void facts_of_kvm(struct facts *f);
void facts_of_task(struct facts *f);
void facts_of_slab(struct facts *f);

/* what_kernel.c: places that the kernel has from its start. */
void facts_of_symbol(struct facts *f);
void facts_of_percpu(struct facts *f);
void facts_of_stack(struct facts *f);

/* what_memory.c: pages and areas. */
void facts_of_page(struct facts *f);
void facts_of_kernel_area(struct facts *f);
void facts_of_user(struct facts *f);

/* what_guest.c: of a guest's address, where it lies in memory. */
void facts_of_place(struct facts *f);

#endif
