// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/package_contents.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

/* A line each: this, then
 *     release RELEASE
 *     vmlinux BUILD-ID
 *     module NAME [BUILD-ID]      for each; '-' for one that has none
 *     whole
 *     end
 * of which only the last must be there. */
static const char first_line[] = "vmcore-gdbserver: files in a package, 1";

enum {
	MODULES_MAX = 1 << 16, /* a distribution's kernel has 4,000 */
	BUILD_ID_DIGITS_MAX = 128,
};

void package_contents_free(struct package_contents *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->modules[i].build_id);
	free(c->modules);
	free(c->vmlinux_id);
	*c = (struct package_contents){ 0 };
}

struct err *package_contents_add(struct package_contents *c, const char *name,
				 struct package_module **ret)
{
	if (c->count == MODULES_MAX || !package_name_is_module(name))
		return err_new(ERR_FORMAT, "there are more modules in it than any kernel has");
	if (c->count == c->capacity) {
		size_t more = c->capacity ? 2 * c->capacity : 256;
		struct package_module *modules = reallocarray(c->modules, more, sizeof(*modules));
		if (!modules)
			return err_nomem();
		c->modules = modules;
		c->capacity = more;
	}
	struct package_module *m = &c->modules[c->count++];
	*m = (struct package_module){ .place = PACKAGE_IN_IT };
	strcpy(m->name, name);
	*ret = m;
	return NULL;
}

void package_contents_write(const struct package_contents *c, struct buf *out)
{
	buf_addf(out, "%s\n", first_line);
	if (*c->release)
		buf_addf(out, "release %s\n", c->release);
	if (c->vmlinux_id)
		buf_addf(out, "vmlinux %s\n", c->vmlinux_id);
	for (size_t i = 0; i < c->count; i++) {
		const struct package_module *m = &c->modules[i];
		buf_addf(out, "module %s%s%s\n", m->name, m->looked ? " " : "",
			 !m->looked    ? ""
			 : m->build_id ? m->build_id
				       : "-");
	}
	buf_addstr(out, c->whole ? "whole\nend\n" : "end\n");
}

static bool is_build_id(const char *id)
{
	size_t len = strspn(id, "0123456789abcdef");
	return len > 2 && len <= BUILD_ID_DIGITS_MAX && !id[len];
}

static bool read_module(char *words, struct package_contents *c)
{
	struct package_module *m;
	char *id = strchr(words, ' ');
	if (id)
		*id++ = 0;
	bool none = id && !strcmp(id, "-");
	if (!package_name_is_module(words) || (id && !none && !is_build_id(id)))
		return false;
	struct err *e = package_contents_add(c, words, &m);
	if (!e)
		m->looked = id;
	if (!e && id && !none) {
		m->build_id = strdup(id);
		if (!m->build_id)
			e = err_nomem();
	}
	bool good = !e;
	err_free(e);
	return good;
}

/* What follows @word and a space in @line; NULL if it begins otherwise. */
static char *behind(char *line, const char *word)
{
	size_t len = strlen(word);
	return !strncmp(line, word, len) && line[len] == ' ' ? line + len + 1 : NULL;
}

static bool read_line(char *line, struct package_contents *c)
{
	char *words;
	if ((words = behind(line, "module")))
		return read_module(words, c);
	if ((words = behind(line, "release"))) {
		if (!package_name_is_release(words))
			return false;
		strcpy(c->release, words);
		return true;
	}
	if ((words = behind(line, "vmlinux"))) {
		if (!is_build_id(words) || c->vmlinux_id)
			return false;
		c->vmlinux_id = strdup(words);
		return c->vmlinux_id;
	}
	c->whole = !strcmp(line, "whole");
	return c->whole;
}

static bool read_lines(char *text, struct package_contents *c)
{
	bool first = true;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		if (first && strcmp(line, first_line) != 0)
			return false;
		if (!first && !strcmp(line, "end"))
			return !end[1];
		if (!first && !read_line(line, c))
			return false;
		first = false;
	}
	return false;
}

bool package_contents_read(const char *text, size_t len, struct package_contents *ret)
{
	struct package_contents c = { .count = 0 };
	char *copy = len <= PACKAGE_TEXT_MAX && !memchr(text, 0, len) ? strndup(text, len) : NULL;
	bool good = copy && read_lines(copy, &c);
	free(copy);
	if (good)
		*ret = c;
	else
		package_contents_free(&c);
	return good;
}
