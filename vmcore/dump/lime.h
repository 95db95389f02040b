/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as the LiME module writes it (doc/README.md of LiME, "Memory Range Header Version 1"): in
 * front of each range of memory a header with its first and last physical address. Nothing is said
 * of CPUs, nor of the kernel; memory of a machine that runs is of no one moment.
 */
#ifndef VMCORE_DUMP_LIME_H
#define VMCORE_DUMP_LIME_H

struct dump_file;
struct dump_options;
struct dump_parts; /* source.h */
struct err;

/* As elf_dump_source(), of a LiME file. ERR_FORMAT for headers that make no sense. */
__attribute__((warn_unused_result)) struct err *lime_dump_source(const struct dump_file *f,
								 const struct dump_options *options,
								 struct dump_parts *parts);

#endif
