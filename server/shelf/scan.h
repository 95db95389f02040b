/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking for dumps below a folder. */
#ifndef SERVER_SHELF_SCAN_H
#define SERVER_SHELF_SCAN_H

#include <stddef.h>

#include "base/err.h"

struct shelf_dumps;

/*
 * Brings @d up to date with what lies below @folder: adds files that begin as dumps do, forgets
 * what is known of those that have changed, drops those that are gone. Links are not followed, nor
 * other file systems entered. kdump (DATE/vmcore, ADDRESS-DATE/vmcore, Debian's DATE/dump.DATE),
 * libvirt (files of any name in one folder) and ABRT (NAME-DATE-PID/vmcore) lie within the four
 * levels that are looked at. *ret_left_out is how many folders could not be read. ERR_IO if @folder
 * cannot be.
 */
ERR_MUST_CHECK struct err *shelf_scan(const char *folder, struct shelf_dumps *d,
				      size_t *ret_left_out);

#endif
