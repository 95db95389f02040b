/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations of IDEs and editors for one dump, as text that is ready to be used: --ide prints
 * them. contrib/ide/ has the same with placeholders.
 */
#ifndef SERVER_IDE_IDE_H
#define SERVER_IDE_IDE_H

struct buf;
struct err;
struct ide_facts;

enum ide {
	IDE_NONE,
	IDE_VSCODE,
	IDE_NVIM,
	IDE_EMACS,
	IDE_CLION,
	IDE_ECLIPSE,
};

/* "vscode" and so on, which goes to *ret; ERR_INVALID names them all. */
__attribute__((warn_unused_result)) struct err *ide_parse(const char *name, enum ide *ret);

/* Appends the configuration of @ide (not IDE_NONE); allocation failures are @out's. */
void ide_print(enum ide ide, const struct ide_facts *facts, struct buf *out);

/* What ide_print() is made of, by its subjects. */
void ide_print_vscode(const struct ide_facts *facts, struct buf *out);
void ide_print_nvim(const struct ide_facts *facts, struct buf *out);
void ide_print_emacs(const struct ide_facts *facts, struct buf *out);
void ide_print_clion(const struct ide_facts *facts, struct buf *out);
void ide_print_eclipse(const struct ide_facts *facts, struct buf *out);

#endif
