/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVER_NOTES_PLACE_H
#define SERVER_NOTES_PLACE_H

#include <sys/types.h>

struct buf;
struct err;
struct options;

/*
 * Where the notes of the dump that the options name are kept: beside it as DUMP.notes, or in the
 * folder of --notes under its name with a hash of its whole path. *ret stays empty where there is
 * no such place: with --live, and for a dump that is no file. *ret_mode: the rights of the file, no
 * wider than the dump's. ERR_INVALID if the folder is none.
 */
__attribute__((warn_unused_result)) struct err *notes_place(const struct options *o,
							    struct buf *ret, mode_t *ret_mode);

#endif
