/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration has of one dump. */
#ifndef SERVER_IDE_IDE_FACTS_H
#define SERVER_IDE_IDE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct service;
struct source_roots;

struct ide_facts {
	char *kernel;  /* "Linux 6.1.0-57-cloud-amd64", or less */
	char *address; /* what clients connect to: "localhost:1234", or the path of a socket */
	bool is_socket;
	char *vmlinux; /* an absolute path; NULL: there is none that a client could read */
	char *source;  /* a clause that says where the kernel's source is; NULL if that is not known
			*/
	/* Folders that the compiler saw the source in, and where it is: these are to be replaced by
	 * that one. None where debuggers find it without, or nothing is known. */
	char **from;
	size_t from_count;
	char *to; /* never NULL */
};

/*
 * Of what @service has. @listen is --listen's first address, NULL for the default. ERR_INVALID
 * where that is no address that a client can be told before the server runs, or that a
 * configuration could hold. ide_facts_free() frees what is in @ret.
 */
__attribute__((warn_unused_result)) struct err *
ide_facts_find(const struct service *service, const char *listen, struct ide_facts *ret);

/* Placeholders, for the files of contrib/ide/. */
__attribute__((warn_unused_result)) struct err *ide_facts_example(struct ide_facts *ret);

void ide_facts_free(struct ide_facts *f);

#endif
