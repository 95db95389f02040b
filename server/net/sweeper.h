/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes Unix sockets when the server has ended, for one that is not allowed to any more: in live
 * mode it is nobody, and they are in a folder of root's. A process of its own waits for that, with
 * nothing open but a pipe, and without capabilities.
 */
#ifndef SERVER_NET_SWEEPER_H
#define SERVER_NET_SWEEPER_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/* A file to remove, unless it is another by then. */
struct swept {
	const char *path; /* borrowed */
	dev_t device;
	ino_t inode;
};

/*
 * Starts the process, which removes the @count files of @list, and then @folder if that is not NULL
 * and empty, when this process has ended, however that came. It has copies of what it needs.
 * ERR_IO.
 */
__attribute__((warn_unused_result)) struct err *sweeper_start(const struct swept *list,
							      size_t count, const char *folder);

#endif
