// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/elfdump.h"
#include "tests/recipe/flatten.h"
#include "tests/recipe/kdumpfile.h"
#include "tests/recipe/recipe.h"
#include "tests/recipe/token.h"

/* "group[INDEX].member" becomes "group.member" and the index; 0 where there is none. */
static struct err *split_field(const char *text, struct buf *ret_name, uint64_t *ret_index)
{
	const char *open = strchr(text, '[');
	*ret_index = 0;
	if (!open) {
		buf_addstr(ret_name, text);
		return buf_error(ret_name);
	}
	char *end;
	errno = 0;
	*ret_index = strtoull(open + 1, &end, 0);
	if (end == open + 1 || *end != ']' || errno)
		return err_new(ERR_INVALID, "'%s' has a bad index", text);
	buf_add(ret_name, text, (size_t)(open - text));
	buf_addstr(ret_name, end + 1);
	return buf_error(ret_name);
}

static struct err *override_header(const struct recipe *r, const struct fault *f, struct buf *image)
{
	struct buf name = BUF_INIT;
	const struct field *field;
	void *structure;
	uint64_t index;
	struct err *e = split_field(f->field.data, &name, &index);
	if (!e && r->plan.format == DUMP_ELF)
		e = elfdump_field(r, image, name.data, index, &field, &structure);
	else if (!e)
		e = kdumpfile_field(image, name.data, index, &field, &structure);
	buf_free(&name);
	if (e)
		return e;
	if (f->has_bytes)
		field_put_bytes(structure, field, f->bytes.data, f->bytes.len);
	else
		field_put(structure, field, f->value);
	return NULL;
}

static struct err *corrupt(const struct recipe *r, const struct fault *f, struct buf *image)
{
	if (r->plan.format == DUMP_ELF)
		return err_new(ERR_UNSUPPORTED, "an ELF dump's pages cannot be corrupt");
	return kdumpfile_corrupt(image, f->where);
}

static struct err *patch(const struct fault *f, struct buf *image)
{
	if (!range_within(f->where, f->bytes.len, image->len))
		return err_new(ERR_INVALID, "offset %#jx lies outside of the file",
			       (uintmax_t)f->where);
	memcpy(image->data + f->where, f->bytes.data, f->bytes.len);
	return NULL;
}

static struct err *truncate_image(const struct fault *f, struct buf *image)
{
	if (f->where > image->len)
		return err_new(ERR_INVALID, "the file has only %zu bytes", image->len);
	buf_cut(image, f->where);
	return NULL;
}

static struct err *apply_fault(const struct recipe *r, const struct fault *f, struct buf *image)
{
	switch (f->kind) {
	case FAULT_HEADER:
		return override_header(r, f, image);
	case FAULT_CORRUPT:
		return corrupt(r, f, image);
	case FAULT_PATCH:
		return patch(f, image);
	case FAULT_TRUNCATE:
		return truncate_image(f, image);
	case FAULT_DROP:
		break;
	}
	return NULL;
}

/* Damage to the structure goes into the dump before it is flattened, damage to the file after. */
static bool is_structural(const struct fault *f)
{
	return f->kind == FAULT_HEADER || f->kind == FAULT_CORRUPT;
}

static struct err *apply_faults(const struct recipe *r, unsigned int piece, bool structural,
				struct buf *image)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < r->plan.fault_count; i++) {
		const struct fault *f = &r->plan.faults[i];
		if (is_structural(f) == structural && (!f->piece || f->piece == piece))
			e = err_wrap(apply_fault(r, f, image), "%s", f->origin);
	}
	return e;
}

static bool is_dropped(const struct plan *p, unsigned int piece)
{
	for (size_t i = 0; i < p->fault_count; i++)
		if (p->faults[i].kind == FAULT_DROP && p->faults[i].piece == piece)
			return true;
	return false;
}

static struct err *make(const struct recipe *r, unsigned int piece, struct buf *out)
{
	struct err *e;
	if (r->plan.format == DUMP_KDUMP)
		e = kdumpfile_make(r, piece, out);
	else if (r->plan.pieces > 1)
		e = err_new(ERR_UNSUPPORTED, "an ELF dump cannot be split");
	else
		e = elfdump_make(r, out);
	/* No line alone is to blame. */
	return r->source_count ? err_wrap(e, "%s", r->sources[0]->name) : e;
}

struct err *output_make(const struct recipe *r, unsigned int piece, struct buf *out,
			bool *ret_dropped)
{
	const struct plan *plan = &r->plan;
	*ret_dropped = is_dropped(plan, piece);
	if (*ret_dropped)
		return NULL;
	struct err *e = make(r, piece, out);
	if (!e)
		e = apply_faults(r, piece, true, out);
	if (!e && plan->flatten)
		e = flatten_image(out, plan->flatten_record, plan->flatten_reversed);
	if (!e)
		e = apply_faults(r, piece, false, out);
	return e;
}

static struct err *write_file(const char *path, const struct buf *bytes)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return err_errno(errno, "create %s", path);
	bool failed = fwrite(bytes->data, 1, bytes->len, file) != bytes->len;
	failed |= fclose(file) != 0;
	return failed ? err_errno(errno, "write %s", path) : NULL;
}

static struct err *write_piece(const struct recipe *r, unsigned int piece, const char *path)
{
	struct buf name = BUF_INIT, bytes = BUF_INIT;
	bool dropped;
	buf_addstr(&name, path);
	if (r->plan.pieces > 1)
		buf_addf(&name, ".%u", piece);
	struct err *e = buf_error(&name);
	if (!e)
		e = output_make(r, piece, &bytes, &dropped);
	if (!e && dropped && unlink(name.data) && errno != ENOENT)
		e = err_errno(errno, "remove %s", name.data);
	if (!e && !dropped)
		e = write_file(name.data, &bytes);
	buf_free(&name);
	buf_free(&bytes);
	return e;
}

struct err *output_write(const struct recipe *r, const char *path)
{
	struct err *e = NULL;
	for (unsigned int piece = 1; !e && piece <= r->plan.pieces; piece++)
		e = write_piece(r, piece, path);
	return e;
}
