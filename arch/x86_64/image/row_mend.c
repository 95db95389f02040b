// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/row_mend.h"

#include <stdbool.h>
#include <string.h>

#include "arch/x86_64/image/cfi_writer.h"

enum { CALL = 0xe8, CALL_BYTES = 5, TRAP_MAX = 12, WORD = 8, FILL_CALLS_MAX = 2 };

struct mend {
	const unsigned char *code;
	size_t len;
	uint64_t low;
	struct cfi_row *rows;
	size_t count, room;
};

static bool has(const struct mend *m, size_t at, const unsigned char *bytes, size_t len)
{
	return at <= m->len && len <= m->len - at && !memcmp(m->code + at, bytes, len);
}

/* Where the call at @at leads, as a place in the code; false if there is none. */
static bool call_at(const struct mend *m, size_t at, int64_t *ret)
{
	int32_t distance;
	if (at >= m->len || m->len - at < CALL_BYTES || m->code[at] != CALL)
		return false;
	memcpy(&distance, m->code + at + 1, sizeof(distance));
	*ret = (int64_t)at + CALL_BYTES + distance;
	return true;
}

/* What the tables say at @address; NULL: nothing. */
static const struct cfi_row *row_at(const struct mend *m, uint64_t address)
{
	const struct cfi_row *found = NULL;
	for (size_t i = 0; i < m->count && m->rows[i].start <= address; i++)
		found = &m->rows[i];
	return found;
}

/* Drops the rows that begin in [@from, @to). */
static void drop_rows(struct mend *m, uint64_t from, uint64_t to)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->count; i++)
		if (m->rows[i].start < from || m->rows[i].start >= to)
			m->rows[kept++] = m->rows[i];
	m->room += m->count - kept;
	m->count = kept;
}

/* In the place of one that begins there, too. */
static void put_row(struct mend *m, struct cfi_row row, uint64_t start)
{
	size_t i = 0;
	drop_rows(m, start, start + 1);
	if (!m->room)
		return;
	while (i < m->count && m->rows[i].start < start)
		i++;
	memmove(m->rows + i + 1, m->rows + i, (m->count - i) * sizeof(row));
	row.start = start;
	m->rows[i] = row;
	m->count++;
	m->room--;
}

/* What was there goes on at @end, unless a row begins there. */
static void go_on(struct mend *m, struct cfi_row before, uint64_t end)
{
	const struct cfi_row *row = row_at(m, end);
	if (!row || row->start != end)
		put_row(m, before, end);
}

/* mov %rax,%rsp behind a call of error_entry(): pt_regs is where rax leads. */
static void mend_move(struct mend *m, size_t at, uint64_t makes_regs)
{
	static const unsigned char mov_rax_rsp[] = { 0x48, 0x89, 0xc4 };
	const uint64_t pc = m->low + at + CALL_BYTES;
	int64_t target;
	if (!makes_regs || !call_at(m, at, &target) || m->low + (uint64_t)target != makes_regs ||
	    !has(m, at + CALL_BYTES, mov_rax_rsp, sizeof(mov_rax_rsp)))
		return;
	const struct cfi_row *row = row_at(m, pc);
	if (!row)
		return;
	const struct cfi_row before = *row;
	struct cfi_row moved = before;
	moved.valid = true;
	moved.entry =
		(struct orc_entry){ .type = ORC_REGS, .sp = ORC_AX, .signal = before.entry.signal };
	go_on(m, before, pc + sizeof(mov_rax_rsp));
	put_row(m, moved, pc);
}

/* Whether what a CPU does there that has only guessed a return is to stop, or to wait. */
static bool is_trap(const struct mend *m, size_t at)
{
	enum { INT3 = 0xcc, PAUSE = 0xf3 };
	return at < m->len && (m->code[at] == INT3 || m->code[at] == PAUSE);
}

/* The length of the instruction at @at if it is add $NUMBER,%rsp; else 0. */
static size_t drop_at(const struct mend *m, size_t at)
{
	static const unsigned char add_8[] = { 0x48, 0x83, 0xc4 }, add_32[] = { 0x48, 0x81, 0xc4 };
	if (has(m, at, add_8, sizeof(add_8)))
		return sizeof(add_8) + 1;
	return has(m, at, add_32, sizeof(add_32)) ? sizeof(add_32) + 4 : 0;
}

/* Behind what counts rounds, and the lfence, of a fill that has dropped its words at @end. */
static size_t behind_fill(const struct mend *m, size_t end)
{
	static const unsigned char lfence[] = { 0x0f, 0xae, 0xe8 };
	enum { COUNT_MAX = 10 /* dec and jnz */ };
	for (size_t at = end; at <= end + COUNT_MAX; at++)
		if (has(m, at, lfence, sizeof(lfence)))
			return at + sizeof(lfence);
	return end;
}

/*
 * A fill of which the first call is at @at. Where each round drops its words, it is known how many
 * there are at each place; where the last one drops all, it is not.
 */
static size_t mend_fill(struct mend *m, size_t at)
{
	size_t places[FILL_CALLS_MAX], next = at, calls = 0, drop = 0;
	int64_t target;
	while (calls < FILL_CALLS_MAX && call_at(m, next, &target) &&
	       is_trap(m, next + CALL_BYTES) && target > (int64_t)(next + CALL_BYTES) &&
	       target <= (int64_t)(next + CALL_BYTES + TRAP_MAX)) {
		next = (size_t)target;
		places[calls++] = next;
	}
	const bool known = calls && drop_at(m, next);
	/* dec and jnz before it: 3 or 4, and 2 or 6 bytes */
	for (size_t gap = 0; calls && !drop && gap <= 10; gap++)
		drop = drop_at(m, next + gap) ? next + gap : 0;
	if (!drop)
		return at + 1;
	const size_t end = drop + drop_at(m, drop), behind = behind_fill(m, end);
	const struct cfi_row *row = row_at(m, m->low + behind);
	if (!row || !row->valid || row->entry.type != ORC_CALL || row->entry.sp != ORC_SP)
		return at + 1;
	/* Of what another fill would do the tables may speak anywhere in it. */
	const struct cfi_row empty = *row;
	drop_rows(m, m->low + at, m->low + behind);
	put_row(m, empty, m->low + at);
	for (size_t i = 0; i < calls; i++) {
		struct cfi_row filled = empty;
		filled.valid = known;
		filled.entry.sp_offset += (int16_t)(WORD * (i + 1));
		put_row(m, filled, m->low + (known ? places[i] : at));
	}
	put_row(m, empty, m->low + end);
	return end;
}

size_t row_mend(const unsigned char *code, size_t len, uint64_t low, uint64_t makes_regs,
		struct cfi_row *rows, size_t count)
{
	struct mend m = { code, len, low, rows, count, MEND_ROWS };
	for (size_t at = 0; at < len;) {
		if (code[at] != CALL) {
			at++;
			continue;
		}
		mend_move(&m, at, makes_regs);
		at = mend_fill(&m, at);
	}
	return m.count;
}
