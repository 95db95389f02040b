/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another target beside a fake one, which clients may attach to: it has the ID FAKE_OTHER_ID, and
 * is the same but for its name, the value of rip (0x1000000 more), and that it has neither files
 * nor documents. The ID of the first is FAKE_OWN_ID.
 */
#ifndef TESTS_PROTO_FAKE_OTHERS_H
#define TESTS_PROTO_FAKE_OTHERS_H

#include <stdbool.h>

#include "proto/rsp.h"
#include "tests/proto/fake.h"

enum { FAKE_OWN_ID = 15, FAKE_OTHER_ID = 16 };

struct fake_others {
	struct fake other;
	struct rsp_shared *own, *shared; /* the first's (borrowed), the other's (owned) */
	struct rsp_directory directory;
	int entered; /* and not left */
};

/* @own must outlive *o, which stays where it is. @several: gdb may hold both at once. */
void fake_others_init(struct fake_others *o, struct rsp_shared *own, bool several);
/* Aborts if a session has left less than it has entered. */
void fake_others_free(struct fake_others *o);

#endif
