// SPDX-License-Identifier: GPL-2.0-or-later
/* kallsyms as the running kernel prints it (kernel/kallsyms.c: s_show()). */
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

enum {
	NAME_MAX_LEN = 1024,
	COUNT_MAX = 1 << 21, /* symbols; a big kernel has 300,000 */
};

/* "ffffffff81000000 T _text": false for what is no such line. */
static bool parse_line(const char *line, size_t len, struct symbol *ret, size_t *ret_name_len)
{
	const char *space = memchr(line, ' ', len);
	if (!space || !hex_u64(line, (size_t)(space - line), &ret->address))
		return false;
	const char *name = space + 3;
	if (line + len <= name || space[2] != ' ' || line + len - name > NAME_MAX_LEN)
		return false;
	ret->type = space[1];
	ret->name = name;
	*ret_name_len = (size_t)(line + len - name);
	return true;
}

static struct err *add_lines(const char *text, struct symbols *s)
{
	size_t count = 0;
	struct err *e = NULL;
	for (const char *line = text; !e && *line;) {
		struct symbol symbol = { 0 };
		size_t name_len, len = strcspn(line, "\n");
		if (!parse_line(line, len, &symbol, &name_len))
			return err_new(ERR_CORRUPT, "line %zu is not one of a symbol", count + 1);
		if (++count > COUNT_MAX)
			return err_new(ERR_CORRUPT, "more than %d symbols", COUNT_MAX);
		e = symbols_add(s, &symbol, name_len, 0);
		line += len + (line[len] == '\n');
	}
	return e;
}

/* A file of another machine's, or of the kernel before this one. */
static struct err *agrees(const struct symbols *s, const struct vmcoreinfo *info)
{
	uint64_t told, listed;
	if (!vmcoreinfo_symbol(info, "_stext", &told) || !symbols_address(s, "_stext", &listed) ||
	    told == listed)
		return NULL;
	return err_new(ERR_CORRUPT, "it disagrees with VMCOREINFO about _stext");
}

struct err *symbols_from_kallsyms_text(const char *text, const struct vmcoreinfo *info,
				       struct symbols **ret)
{
	struct symbols *s;
	struct err *e = symbols_new("/proc/kallsyms", 0, &s);
	if (e)
		return e;
	e = add_lines(text, s);
	if (!e)
		e = symbols_finish(s);
	if (!e)
		e = agrees(s, info);
	if (e) {
		symbols_free(s);
		return err_wrap(e, "/proc/kallsyms");
	}
	*ret = s;
	return NULL;
}
