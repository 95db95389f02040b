/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that stand for what guests run: they have a build-id, and nothing else. */
#ifndef SERVER_FILES_GUEST_IMAGE_H
#define SERVER_FILES_GUEST_IMAGE_H

#include <stdint.h>

struct buf;
struct err;
struct exports;

/*
 * The name of such a file goes to @ret, and the file to what clients may read if it is not there
 * yet. @machine: EM_*; @build_id: hex digits; NULL where it is not known, for which the file has one that no other
 * file has.
 */
__attribute__((warn_unused_result)) struct err *
guest_image_offer(struct exports *x, uint16_t machine, const char *build_id, struct buf *ret);

#endif
