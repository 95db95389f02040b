/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of live memory as sources of a dump (vmcore/dump/source.h). Each of these opens what is
 * at @path and adds to the notes and the info of @parts; what an error leaves of @parts is to be
 * freed. @paths and @path must last as long as the source.
 */
#ifndef VMCORE_LIVE_SOURCES_H
#define VMCORE_LIVE_SOURCES_H

#include <stdbool.h>

struct dump_options;
struct dump_parts;
struct err;
struct live_paths;

/* /proc/kcore or what looks like it; *ret_this_machine: it is about the machine this runs on. */
__attribute__((warn_unused_result)) struct err *
kcore_source_open(const struct live_paths *paths, const char *path,
		  const struct dump_options *options, struct dump_parts *parts,
		  bool *ret_this_machine);

/* A device at whose offsets physical memory lies. */
__attribute__((warn_unused_result)) struct err *
device_source_open(const struct live_paths *paths, const char *path, struct dump_parts *parts);

/* A machine of QEMU's by its QMP socket; *ret_about: qmp_machine_about(). */
__attribute__((warn_unused_result)) struct err *
qmp_source_open(const char *path, struct dump_parts *parts, const char **ret_about);

#endif
