/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a note or a point is about, as people write it. */
#ifndef SERVER_MONITOR_TEAM_SUBJECT_H
#define SERVER_MONITOR_TEAM_SUBJECT_H

#include <stdbool.h>

struct err;
struct note_subject;
struct target_view;
struct vmcore;

/*
 * What @*text begins with, if it names something: TID, #N or TID#N (frame N), 0xADDR, &SYMBOL or
 * vm-PID; then @*text is behind it. "--" ends that, and else nothing is taken and *ret_named is
 * false. ERR_INVALID or ERR_NOTFOUND if what it names is not there.
 */
__attribute__((warn_unused_result)) struct err *
subject_read(struct vmcore *h, const struct target_view *view, const char **text,
	     struct note_subject *ret, bool *ret_named);
/* The frame that @view shows. */
__attribute__((warn_unused_result)) struct err *
subject_here(struct vmcore *h, const struct target_view *view, struct note_subject *ret);

#endif
