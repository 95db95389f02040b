// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/signature.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/fnv.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/service.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/vmcore.h"

/* Frames that count: a recursion has thousands. Functions that are shown of them. */
enum { FRAMES_MOST = 64, SHOWN = 4 };

/* The length of a function's name without what a compiler put behind it. */
static size_t name_length(const char *name)
{
	size_t len = strcspn(name, ".");
	return len ? len : strlen(name);
}

static bool is_named(const char *name, const char *what)
{
	return name_length(name) == strlen(what) && !strncmp(name, what, strlen(what));
}

/* Where the stack is that led to the panic. */
static size_t find_first(struct vmcore *h, const struct frames *frames)
{
	for (size_t i = 0; i < frames->count && i < FRAMES_MOST; i++) {
		struct code_place p = code_place_of_frame(h->code, &frames->list[i]);
		if (p.kind == PLACE_NAMED &&
		    (is_named(p.symbol.name, "panic") || is_named(p.symbol.name, "vpanic")))
			return i + 1;
	}
	return 0;
}

static void add(struct signature *s, const char *name, size_t nth)
{
	size_t len = name_length(name);
	s->hash = fnv_add(fnv_add(s->hash, name, len), "\n", 1);
	if (nth >= SHOWN)
		return;
	if (nth)
		buf_addstr(&s->functions, " < ");
	buf_add(&s->functions, name, len);
}

/* Why there is none; NULL if there is. */
static const char *take_frames(struct vmcore *h, const struct frames *frames, struct signature *s)
{
	size_t first = find_first(h, frames), taken = 0;
	if (frames->end == END_LOST)
		return "the frames of the thread that crashed are not all known";
	s->hash = FNV_BEGIN;
	for (size_t i = first; i < frames->count && taken < FRAMES_MOST; i++) {
		struct code_place p = code_place_of_frame(h->code, &frames->list[i]);
		if (p.kind == PLACE_USER)
			break;
		if (p.kind != PLACE_NAMED)
			return "a function of the thread that crashed has no name";
		add(s, p.symbol.name, taken++);
	}
	return taken ? NULL : "the thread that crashed has no frames";
}

struct err *signature_of(struct vmcore *h, struct signature *ret)
{
	const struct frames *frames;
	*ret = (struct signature){ .functions = BUF_INIT };
	if (!h->panic) {
		ret->why = "nothing crashed in it";
		return NULL;
	}
	struct err *e = frame_cache_get(h->frames, &h->tasks.list[h->current], &frames);
	if (!e)
		ret->why = take_frames(h, frames, ret);
	if (ret->why) {
		ret->hash = 0;
		buf_reset(&ret->functions);
	}
	if (!e)
		e = buf_error(&ret->functions);
	if (e)
		signature_free(ret);
	return e;
}

void signature_free(struct signature *s)
{
	buf_free(&s->functions);
}

/* ---- the command ---- */

enum { S_HASH, S_TID, S_FUNCTIONS, S_WHY, S_VALUES };

static const struct column text_columns[] = {
	{ S_HASH, .digits = 16, .instead = "unknown: " },
	{ S_FUNCTIONS, .before = "  " },
	{ S_WHY, .before = "" },
};
static const struct key json_keys[] = { { S_HASH, "signature" },
					{ S_TID, "tid" },
					{ S_FUNCTIONS, "functions" },
					{ S_WHY, "unknown" } };
static const struct row_kind kind = { .text = COLUMNS(text_columns), .json = COLUMNS(json_keys) };

struct err *monitor_signature(struct service *service, struct target_view *view,
			      const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct signature s;
	struct value row[S_VALUES] = { 0 };
	(void)view;
	struct err *e = signature_of(h, &s);
	if (e)
		return e;
	if (s.hash) {
		row[S_HASH] = value_hex(s.hash);
		row[S_TID] = value_number(h->tasks.list[h->current].tid);
		row[S_FUNCTIONS] = value_text(s.functions.data);
	}
	row[S_WHY] = value_text(s.why);
	row_print(&kind, args->printer, row, out);
	signature_free(&s);
	return NULL;
}
