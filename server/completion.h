/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What shells complete the command line by, printed from the table of options. */
#ifndef SERVER_COMPLETION_H
#define SERVER_COMPLETION_H

struct buf;

/* A file that bash sources (bash-completion). */
void completion_bash(struct buf *out);
/* A file of fish's vendor_completions.d. */
void completion_fish(struct buf *out);
/* A function of zsh's site-functions. */
void completion_zsh(struct buf *out);

#endif
