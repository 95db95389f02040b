/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of QEMU's, through its QMP socket: its memory, and the registers of its CPUs while it
 * is paused. Nothing is stopped or changed by looking.
 */
#ifndef VMCORE_LIVE_QMP_MACHINE_H
#define VMCORE_LIVE_QMP_MACHINE_H

#include <stdbool.h>

#include "vmcore/memory/memory.h"

struct dump_info;
struct err;
struct notes;
struct qmp_machine;

/*
 * Opens the machine whose QMP socket is @path. Adds the registers of its CPUs, which help to find
 * its kernel, to @notes, and fills what of @info comes from the pages. info->running says whether
 * it runs: then the registers are old already.
 */
__attribute__((warn_unused_result)) struct err *qmp_machine_open(const char *path,
								 struct notes *notes,
								 struct dump_info *info,
								 struct qmp_machine **ret);
/* Tells @info how much memory it has now: some may have been plugged in or out. */
void qmp_machine_count(const struct qmp_machine *m, struct dump_info *info);
void qmp_machine_close(struct qmp_machine *m);

struct page_source qmp_machine_pages(struct qmp_machine *m);
/* "QEMU 7.2.22, memory by pmemsave"; lasts as long as the machine. */
const char *qmp_machine_about(const struct qmp_machine *m);

struct qmp_look {
	bool changed;  /* something happened since the last look: what was read may be old */
	bool switched; /* the CPUs were stopped or set going since then */
	bool running;  /* now, or nobody knows */
};

/* Looks, without waiting, what has happened. An error says why nothing can be read any more or for
 * now: QEMU has ended, does not answer, or another kernel runs in the machine. */
__attribute__((warn_unused_result)) struct err *qmp_machine_look(struct qmp_machine *m,
								 struct qmp_look *ret);

/* Whether nothing has happened since qmp_machine_look(): what was read in between is of one moment,
 * if the machine is paused. */
bool qmp_machine_is_still(struct qmp_machine *m);

/* Replaces the notes by the registers of the CPUs now. ERR_IO, also if it runs now. */
__attribute__((warn_unused_result)) struct err *qmp_machine_registers(struct qmp_machine *m,
								      struct notes *notes);

#endif
