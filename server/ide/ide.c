// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/ide/ide.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"

static const struct {
	const char *name;
	void (*print)(const struct ide_facts *facts, struct buf *out);
} ides[] = {
	[IDE_VSCODE] = { "vscode", ide_print_vscode },
	[IDE_NVIM] = { "nvim", ide_print_nvim },
	[IDE_EMACS] = { "emacs", ide_print_emacs },
	[IDE_CLION] = { "clion", ide_print_clion },
	[IDE_ECLIPSE] = { "eclipse", ide_print_eclipse },
};

enum { IDES = sizeof(ides) / sizeof(*ides) };

struct err *ide_parse(const char *name, enum ide *ret)
{
	for (size_t i = IDE_NONE + 1; i < IDES; i++) {
		if (strcmp(name, ides[i].name) != 0)
			continue;
		*ret = (enum ide)i;
		return NULL;
	}
	return err_new(ERR_INVALID, "'%s' is none of vscode, nvim, emacs, clion and eclipse", name);
}

void ide_print(enum ide ide, const struct ide_facts *facts, struct buf *out)
{
	ides[ide].print(facts, out);
}
