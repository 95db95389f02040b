/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up what was needed to open the memory of a machine that runs. */
#ifndef SERVER_NET_PRIVILEGES_H
#define SERVER_NET_PRIVILEGES_H

struct err;

/*
 * Becomes @user for good, if this is root: its user id, its group and no other, without
 * capabilities or a way to get them back (prctl(2): PR_SET_NO_NEW_PRIVS), and with a core dump
 * that shows nobody the kernel's memory. Who is not root stays who they are and gives up the
 * capabilities. ERR_NOTFOUND when there is no such user, ERR_IO when the system refuses: then the
 * process must not go on.
 */
__attribute__((warn_unused_result)) struct err *privileges_drop(const char *user);

/* The same, but for the user: what this one owns can still be changed. */
__attribute__((warn_unused_result)) struct err *privileges_keep_user(void);

#endif
