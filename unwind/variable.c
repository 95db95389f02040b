// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/variable.h"

#include "unwind/cfi_expr.h"
#include "unwind/walk.h"

/* The frame base is a value even where its expression has the form of a place: a register there
 * means what the register holds (DWARF 5, 3.3.5). */
static bool find_base(struct walk *w, const struct variable_location *location, const uint64_t *cfa,
		      uint64_t *ret)
{
	struct cfi_expr e = { .ops = location->base_ops,
			      .count = location->base_count,
			      .cfa = cfa,
			      .bias = location->bias };
	enum cfi_where where;
	uint64_t place;
	if (!e.count || !cfi_evaluate(w, &e, &where, &place))
		return false;
	if (where == CFI_REGISTER) {
		if (place >= w->source->arch->regs->dwarf_count || !walk_knows(w, (unsigned)place))
			return false;
		place = walk_reg(w, (unsigned)place);
	}
	*ret = place;
	return true;
}

static bool read_place(struct walk *w, enum cfi_where where, uint64_t place, struct variable *ret)
{
	switch (where) {
	case CFI_VALUE:
		*ret = (struct variable){ .value = place, .where = VARIABLE_COMPUTED };
		return true;
	case CFI_ADDRESS:
		*ret = (struct variable){ .where = VARIABLE_MEMORY, .address = place };
		return walk_word(w, place, &ret->value);
	case CFI_REGISTER:
		if (place >= w->source->arch->regs->dwarf_count || !walk_knows(w, (unsigned)place))
			return false;
		*ret = (struct variable){ .value = walk_reg(w, (unsigned)place),
					  .where = VARIABLE_REGISTER,
					  .reg = w->source->arch->regs->names[place] };
		return true;
	}
	return false;
}

bool variable_evaluate(const struct unwind_source *source, const struct frame *frame,
		       const struct variable_location *location, struct variable *ret)
{
	struct walk w = { .source = source, .frame = frame, .why = BUF_INIT };
	const uint64_t *cfa = frame->cfa ? &frame->cfa : NULL;
	struct variable found;
	enum cfi_where where;
	uint64_t base, place;
	bool has_base = location->base_count && find_base(&w, location, cfa, &base);
	struct cfi_expr e = { .ops = location->ops,
			      .count = location->count,
			      .cfa = cfa,
			      .frame_base = has_base ? &base : NULL,
			      .bias = location->bias };
	bool ok = e.count && cfi_evaluate(&w, &e, &where, &place) &&
		  read_place(&w, where, place, &found);
	buf_free(&w.why);
	if (ok)
		*ret = found;
	return ok;
}
