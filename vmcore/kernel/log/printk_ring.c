// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring of records since 5.10: descriptors in one ring, what they say in a table beside it, text
 * in another ring (kernel/printk/printk_ringbuffer.c). */
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/kernel/log/printk_private.h"

enum {
	DESC_BITS_MAX = 22,  /* descriptors in the ring: one for 32 bytes of text */
	SIZE_BITS_MAX = 30,  /* bytes of text: log_buf_len's own limit is 2 GiB */
	BLOCK_ID_BYTES = 8,  /* struct prb_data_block: an id before the text */
	EMPTY_LINE_LPOS = 3, /* NO_LPOS, later EMPTY_LINE_LPOS: a record of no text */
};

/* The two top bits of state_var; records in these states have all their text. */
enum { STATE_SHIFT = 62, STATE_COMMITTED = 1, STATE_FINALIZED = 2 };

static struct err *read_ring(const struct kernel *k, uint64_t prb, struct printk_ring *r)
{
	const struct {
		const char *path;
		uint64_t *value;
	} members[] = {
		{ "desc_ring.count_bits", &r->count_bits },
		{ "desc_ring.descs", &r->descs },
		{ "desc_ring.infos", &r->infos },
		{ "desc_ring.head_id.counter", &r->head },
		{ "desc_ring.tail_id.counter", &r->tail },
		{ "text_data_ring.size_bits", &r->size_bits },
		{ "text_data_ring.data", &r->data },
	};
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(members) / sizeof(*members); i++)
		e = kernel_read_path(k, prb, "printk_ringbuffer", members[i].path,
				     members[i].value);
	if (!e)
		e = types_size(kernel_types(k), "prb_desc", &r->desc_size);
	if (!e)
		e = types_size(kernel_types(k), "printk_info", &r->info_size);
	if (!e && (r->count_bits > DESC_BITS_MAX || r->size_bits > SIZE_BITS_MAX))
		e = err_new(ERR_CORRUPT, "the log's ring has a size that makes no sense");
	return e;
}

struct err *printk_ring_open(struct printk_log *log, uint64_t prb)
{
	struct printk_ring *r = &log->ring;
	struct err *e = kernel_read_u64(log->k, prb, &prb);
	if (!e)
		e = read_ring(log->k, prb, r);
	if (!e)
		e = kernel_need_member(log->k, K_DESC_STATE, &r->state);
	if (!e)
		e = kernel_need_member(log->k, K_DESC_BEGIN, &r->begin);
	if (!e)
		e = kernel_need_member(log->k, K_DESC_NEXT, &r->next);
	if (!e)
		e = printk_members_find(log, PRINTK_INFO);
	if (e)
		return e;
	/* Ids have 62 bits and wrap. */
	r->count = ((r->head - r->tail) & (~UINT64_C(0) >> 2)) + 1;
	if (r->count > UINT64_C(1) << r->count_bits)
		r->count = UINT64_C(1) << r->count_bits;
	return NULL;
}

/* Where the text of the block from position @begin to @next lies; false if there is none. */
static bool find_text(const struct printk_ring *r, uint64_t begin, uint64_t next,
		      struct printk_place *ret)
{
	uint64_t mask = (UINT64_C(1) << r->size_bits) - 1;
	if (begin == EMPTY_LINE_LPOS && next == EMPTY_LINE_LPOS) {
		ret->text_max = 0;
		return true;
	}
	/* Other odd positions: there was no room for the text. */
	if (begin & 1 || (begin & mask) == (next & mask))
		return false;
	/* A block that would pass the end of the ring lies at its start instead. */
	bool fits = begin >> r->size_bits == next >> r->size_bits || !(next & mask);
	uint64_t at = (fits ? begin & mask : 0) + BLOCK_ID_BYTES;
	ret->text = r->data + at;
	ret->text_max = at <= mask ? mask + 1 - at : 0;
	return ret->text_max;
}

struct err *printk_ring_next(struct printk_log *log, struct printk_place *ret, bool *ret_found,
			     bool *ret_go_on)
{
	struct printk_ring *r = &log->ring;
	uint64_t state, begin, next;
	*ret_go_on = true;
	*ret_found = r->at < r->count;
	*ret = (struct printk_place){ 0 };
	if (!*ret_found)
		return NULL;
	uint64_t id = r->tail + r->at++;
	uint64_t index = id & ((UINT64_C(1) << r->count_bits) - 1);
	uint64_t desc = r->descs + index * r->desc_size;
	struct err *e = kernel_read_member(log->k, desc, &r->state, &state);
	if (!e)
		e = kernel_read_member(log->k, desc, &r->begin, &begin);
	if (!e)
		e = kernel_read_member(log->k, desc, &r->next, &next);
	if (e)
		return e;
	/* A descriptor that was used again has another id. */
	unsigned kind = (unsigned)(state >> STATE_SHIFT);
	if ((kind == STATE_COMMITTED || kind == STATE_FINALIZED) && !((state ^ id) << 2) &&
	    find_text(r, begin, next, ret))
		ret->header = r->infos + index * r->info_size;
	return NULL;
}
