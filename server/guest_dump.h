/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine in a dump as a dump of its own: its memory by its slots, its CPUs' registers as
 * notes of the kind that QEMU writes, its VMCOREINFO as it was found in its memory. A guest's Linux
 * is then opened as every other is.
 */
#ifndef SERVER_GUEST_DUMP_H
#define SERVER_GUEST_DUMP_H

struct dump;
struct err;
struct guest_dump;
struct host;

/*
 * Of the VM of @host that @name names, as vm_by_name() has it; ERR_NOTFOUND if there is none,
 * ERR_UNSUPPORTED if it runs no Linux that could be found, or its memory is encrypted. @host is
 * borrowed and must outlive the result.
 */
__attribute__((warn_unused_result)) struct err *guest_dump_open(struct host *host, const char *name,
								struct guest_dump **ret);
/* After the dump below was closed. */
void guest_dump_free(struct guest_dump *g);

/* A struct dump over it, which is the caller's, to close before @g is freed. */
__attribute__((warn_unused_result)) struct err *guest_dump_new_dump(struct guest_dump *g,
								    struct dump **ret);

#endif
