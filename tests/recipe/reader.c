// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads recipes: finds each statement's directive and has it carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/recipe/directive.h"

#define INCLUDE_DEPTH_MAX 8

void recipe_init(struct recipe *r)
{
	*r = (struct recipe){ .notes = BUF_INIT, .vmcoreinfo = BUF_INIT };
	physmem_init(&r->mem);
	names_init(&r->constants);
	names_init(&r->overrides);
	plan_init(&r->plan);
}

void recipe_free(struct recipe *r)
{
	physmem_free(&r->mem);
	names_free(&r->constants);
	names_free(&r->overrides);
	for (size_t i = 0; i < r->file_count; i++)
		kernelfile_close(r->files[i]);
	free(r->files);
	for (size_t i = 0; i < r->table_count; i++)
		free(r->tables[i].name);
	free(r->tables);
	buf_free(&r->notes);
	buf_free(&r->vmcoreinfo);
	plan_free(&r->plan);
	for (size_t i = 0; i < r->folder_count; i++)
		free(r->folders[i]);
	free(r->folders);
	for (size_t i = 0; i < r->source_count; i++)
		source_close(r->sources[i]);
	free(r->sources);
}

struct err *recipe_add_folder(struct recipe *r, const char *path)
{
	char **folders = realloc(r->folders, (r->folder_count + 1) * sizeof(*folders));
	if (!folders)
		return err_nomem();
	r->folders = folders;
	folders[r->folder_count] = strdup(path);
	return folders[r->folder_count] ? (r->folder_count++, NULL) : err_nomem();
}

struct err *recipe_define(struct recipe *r, const char *name, uint64_t value)
{
	return names_put(&r->overrides, name, strlen(name), value, true) ? NULL : err_nomem();
}

/* @folder (of @folder_len bytes) and @name, if there is such a file. */
static bool try_path(struct buf *out, const char *folder, size_t folder_len, const char *name)
{
	buf_reset(out);
	buf_add(out, folder, folder_len);
	buf_addstr(out, name);
	return !out->failed && !access(out->data, F_OK);
}

struct err *find_file(const struct recipe *r, const struct cursor *c, const char *name,
		      struct buf *out)
{
	if (name[0] == '/') {
		buf_addstr(out, name);
		return buf_error(out);
	}
	const char *slash = strrchr(c->source->name, '/');
	size_t own_len = slash ? (size_t)(slash - c->source->name) + 1 : 0;
	bool found = try_path(out, c->source->name, own_len, name);
	struct buf folder = BUF_INIT;
	for (size_t i = 0; !found && i < r->folder_count; i++) {
		buf_reset(&folder);
		buf_addf(&folder, "%s/", r->folders[i]);
		found = try_path(out, folder.data, folder.len, name);
	}
	buf_free(&folder);
	if (out->failed)
		return err_nomem();
	return found ? NULL : err_at(c, "no file '%s'", name);
}

/* "FILE", found. */
static struct err *file_argument(const struct recipe *r, struct cursor *c, struct buf *ret_path)
{
	struct cursor start = *c;
	struct buf name = BUF_INIT;
	struct err *e = cursor_string(c, &name);
	if (!e)
		e = find_file(r, &start, name.data, ret_path);
	buf_free(&name);
	return e;
}

static struct err *add_kernelfile(struct recipe *r, struct kernelfile *f)
{
	struct kernelfile **files = realloc(r->files, (r->file_count + 1) * sizeof(*files));
	if (!files) {
		kernelfile_close(f);
		return err_nomem();
	}
	r->files = files;
	files[r->file_count++] = f;
	return NULL;
}

/* symbols "FILE": names and types from now on come from there, too */
static struct err *run_symbols(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct buf path = BUF_INIT;
	struct kernelfile *f;
	struct err *e = file_argument(r, c, &path);
	if (!e)
		e = err_located(&start, kernelfile_open(path.data, &f));
	if (!e)
		e = add_kernelfile(r, f);
	buf_free(&path);
	return e;
}

/* section "NAME" at ADDR */
static struct err *load_section(struct recipe *r, struct cursor *c, struct kernelfile *f)
{
	struct cursor start = *c;
	struct buf name = BUF_INIT;
	const void *bytes;
	size_t len;
	struct target t;
	struct err *e = cursor_string(c, &name);
	if (!e && !cursor_take_word(c, "at"))
		e = err_at(c, "expected 'at ADDRESS' behind the section");
	if (!e)
		e = target_read(r, c, &t);
	if (!e)
		e = err_located(&start, kernelfile_section(f, name.data, &bytes, &len));
	if (!e)
		e = target_write(r, &start, t, bytes, len);
	buf_free(&name);
	return e;
}

/* load "FILE" [section "NAME" at ADDR] */
static struct err *run_load(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct buf path = BUF_INIT;
	struct kernelfile *f = NULL;
	struct err *e = file_argument(r, c, &path);
	if (!e)
		e = err_located(&start, kernelfile_open(path.data, &f));
	if (!e) {
		if (cursor_take_word(c, "section"))
			e = load_section(r, c, f);
		else
			e = err_located(&start, kernelfile_load(f, &r->mem));
		kernelfile_close(f);
	}
	buf_free(&path);
	return e;
}

/* set NAME EXPR; must not hide a symbol, whose readers would go astray without a word */
static struct err *run_set(struct recipe *r, struct cursor *c)
{
	const char *name;
	size_t len;
	uint64_t value;
	struct cursor start = *c;
	struct err *e = cursor_word(c, "a name", &name, &len);
	for (size_t i = 0; !e && i < r->file_count; i++)
		if (names_get(&r->files[i]->symbols, name, len, &value))
			e = err_at(&start, "'%.*s' is a symbol already", (int)len, name);
	if (!e)
		e = expr(r, c, &value);
	if (!e && !names_put(&r->constants, name, len, value, true))
		e = err_nomem();
	return e;
}

static struct err *run_include(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct buf path = BUF_INIT;
	struct err *e = file_argument(r, c, &path);
	if (!e && r->depth >= INCLUDE_DEPTH_MAX)
		e = err_at(&start, "recipes that include each other too deeply");
	if (!e) {
		r->depth++;
		e = recipe_read_file(r, path.data);
		r->depth--;
	}
	buf_free(&path);
	return e;
}

static const struct directive general_directives[] = {
	{ "symbols", run_symbols },
	{ "load", run_load },
	{ "set", run_set },
	{ "include", run_include },
	{ 0 },
};

static const struct directive *find_directive(const char *name)
{
	const struct directive *const groups[] = {
		general_directives, memory_directives, object_directives,
		paging_directives,  note_directives,   output_directives,
	};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct directive *d = groups[i]; d->name; d++)
			if (!strcmp(d->name, name))
				return d;
	return NULL;
}

static struct err *run_statement(struct recipe *r, struct cursor *c)
{
	struct buf name = BUF_INIT;
	struct cursor start = *c;
	struct err *e = cursor_compact(c, "a directive", "-", &name);
	const struct directive *d = e ? NULL : find_directive(name.data);
	if (!e && !d)
		e = err_at(&start, "no directive '%s'", name.data);
	buf_free(&name);
	if (!e)
		e = d->run(r, c);
	return e ? e : cursor_expect_end(c);
}

/* Takes @s. */
static struct err *read_source(struct recipe *r, struct source *s)
{
	struct source **sources = realloc(r->sources, (r->source_count + 1) * sizeof(*sources));
	if (!sources) {
		source_close(s);
		return err_nomem();
	}
	r->sources = sources;
	sources[r->source_count++] = s;
	struct err *e = NULL;
	struct cursor c = { s, s->tokens };
	while (!e && c.at < s->tokens + s->count) {
		e = run_statement(r, &c);
		c.at++;
	}
	return e;
}

struct err *recipe_read_file(struct recipe *r, const char *path)
{
	struct source *s;
	struct err *e = source_open(path, &s);
	return e ? e : read_source(r, s);
}

struct err *recipe_read_text(struct recipe *r, const char *name, const char *text)
{
	struct source *s;
	struct err *e = source_from_text(name, text, &s);
	return e ? e : read_source(r, s);
}
