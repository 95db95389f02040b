// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/shelf/dumps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/fnv.h"
#include "base/hex.h"

#define MAGIC "vmcore-gdbserver shelf 1"

enum { MOST = 1 << 20 };

void dump_facts_free(struct dump_facts *f)
{
	free(f->release);
	free(f->build_id);
	free(f->panic);
	free(f->functions);
	free(f->why);
	*f = (struct dump_facts){ 0 };
}

static void free_dump(struct shelf_dump *d)
{
	free(d->path);
	dump_facts_free(&d->facts);
}

void shelf_dumps_free(struct shelf_dumps *d)
{
	for (size_t i = 0; i < d->count; i++)
		free_dump(&d->list[i]);
	free(d->list);
	*d = (struct shelf_dumps)SHELF_DUMPS_INIT;
}

struct dump_stamp dump_stamp_of(const struct stat *st)
{
	return (struct dump_stamp){ st->st_dev, st->st_ino, (uint64_t)st->st_size,
				    st->st_mtim.tv_sec, st->st_mtim.tv_nsec };
}

bool dump_stamp_is(const struct dump_stamp *a, const struct dump_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

struct shelf_dump *shelf_dumps_by_id(const struct shelf_dumps *d, uint64_t id)
{
	size_t low = 0, high = d->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->list[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->count && d->list[low].id == id ? &d->list[low] : NULL;
}

static struct err *no_facts(struct dump_facts *ret)
{
	*ret = (struct dump_facts){ .release = strdup(""),
				    .build_id = strdup(""),
				    .panic = strdup(""),
				    .functions = strdup(""),
				    .why = strdup("") };
	if (ret->release && ret->build_id && ret->panic && ret->functions && ret->why)
		return NULL;
	dump_facts_free(ret);
	return err_nomem();
}

/* Takes what *@new owns, also if this fails. */
static struct err *append(struct shelf_dumps *d, struct shelf_dump *new)
{
	struct err *e = NULL;
	if (d->count == MOST)
		e = err_new(ERR_UNSUPPORTED, "there are more than %d dumps", MOST);
	if (!e && d->count == d->room) {
		size_t room = d->room ? 2 * d->room : 64;
		struct shelf_dump *list = reallocarray(d->list, room, sizeof(*list));
		e = list ? NULL : err_nomem();
		if (!e) {
			d->list = list;
			d->room = room;
		}
	}
	if (e) {
		free_dump(new);
		return e;
	}
	d->list[d->count++] = *new;
	if (new->id > d->last_id)
		d->last_id = new->id;
	return NULL;
}

struct err *shelf_dumps_add(struct shelf_dumps *d, const char *path, const struct dump_stamp *stamp,
			    struct shelf_dump **ret)
{
	struct shelf_dump new = {
		.id = d->last_id + 1, .path = strdup(path), .stamp = *stamp, .seen = true
	};
	struct err *e = new.path ? no_facts(&new.facts) : err_nomem();
	if (e) {
		free(new.path);
		return e;
	}
	e = append(d, &new);
	if (!e)
		*ret = &d->list[d->count - 1];
	return e;
}

void shelf_dump_know(struct shelf_dump *d, struct dump_facts *facts, bool bad)
{
	dump_facts_free(&d->facts);
	d->facts = *facts;
	*facts = (struct dump_facts){ 0 };
	d->state = bad ? DUMP_BAD : DUMP_GOOD;
}

struct err *shelf_dump_forget(struct shelf_dump *d, const struct dump_stamp *stamp)
{
	struct dump_facts none;
	struct err *e = no_facts(&none);
	if (e)
		return e;
	dump_facts_free(&d->facts);
	d->facts = none;
	d->stamp = *stamp;
	d->state = DUMP_NEW;
	return NULL;
}

void shelf_dumps_drop_unseen(struct shelf_dumps *d)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].seen)
			d->list[kept++] = d->list[i];
		else
			free_dump(&d->list[i]);
	}
	d->count = kept;
}

/* ---- lines ---- */

enum { RELEASE, BUILD_ID, DATE, PANIC, SIGNATURE, FUNCTIONS, WHY, FACTS };

void dump_facts_add(const struct dump_facts *f, struct buf *out)
{
	field_add(out, f->release);
	buf_addch(out, '\t');
	field_add(out, f->build_id);
	buf_addf(out, "\t%" PRId64 "\t", f->date);
	field_add(out, f->panic);
	buf_addf(out, "\t%016" PRIx64 "\t", f->signature);
	field_add(out, f->functions);
	buf_addch(out, '\t');
	field_add(out, f->why);
}

static char *take_text(char *field)
{
	return field_decode(field) ? strdup(field) : NULL;
}

static struct err *take_facts(char **fields, struct dump_facts *ret)
{
	uint64_t date;
	struct dump_facts f = { .release = take_text(fields[RELEASE]),
				.build_id = take_text(fields[BUILD_ID]),
				.panic = take_text(fields[PANIC]),
				.functions = take_text(fields[FUNCTIONS]),
				.why = take_text(fields[WHY]) };
	if (f.release && f.build_id && f.panic && f.functions && f.why &&
	    number_parse(fields[DATE], false, &date) && date <= INT64_MAX &&
	    hex_u64(fields[SIGNATURE], strlen(fields[SIGNATURE]), &f.signature)) {
		f.date = (int64_t)date;
		*ret = f;
		return NULL;
	}
	dump_facts_free(&f);
	return err_new(ERR_CORRUPT, "these are no facts of a dump");
}

struct err *dump_facts_read(char *line, struct dump_facts *ret)
{
	char *fields[FACTS];
	if (!fields_split(line, fields, FACTS))
		return err_new(ERR_CORRUPT, "these are no facts of a dump");
	return take_facts(fields, ret);
}

enum { HASH, ID, PATH, DEVICE, INODE, SIZE, SECONDS, NANOSECONDS, STATE, KEPT_FACTS };
enum { FIELDS = KEPT_FACTS + FACTS };

static void add_line(const struct shelf_dump *d, struct buf *out)
{
	struct buf line = BUF_INIT;
	buf_addf(&line, "%" PRIu64 "\t", d->id);
	field_add(&line, d->path);
	buf_addf(&line, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRId64 "\t%" PRId64 "\t%d\t",
		 d->stamp.device, d->stamp.inode, d->stamp.size, d->stamp.seconds,
		 d->stamp.nanoseconds, (int)d->state);
	dump_facts_add(&d->facts, &line);
	buf_addf(out, "%016" PRIx64 "\t", fnv_add(FNV_BEGIN, line.data, line.len));
	buf_add(out, line.data, line.len);
	buf_addch(out, '\n');
	out->failed |= line.failed;
	buf_free(&line);
}

void shelf_dumps_write(const struct shelf_dumps *d, struct buf *out)
{
	buf_addf(out, MAGIC "\t%" PRIu64 "\n", d->last_id);
	for (size_t i = 0; i < d->count; i++)
		add_line(&d->list[i], out);
}

static bool take_number(const char *text, uint64_t *ret)
{
	return number_parse(text, false, ret);
}

/* Numbers before 1970 are a wrong clock's. */
static bool take_time(const char *text, int64_t *ret)
{
	uint64_t number;
	if (!take_number(text + (*text == '-'), &number) || number > INT64_MAX)
		return false;
	*ret = *text == '-' ? -(int64_t)number : (int64_t)number;
	return true;
}

/* False if it is no line of an index. */
static bool parse(char *line, struct shelf_dump *ret)
{
	char *fields[FIELDS];
	uint64_t hash, state;
	const char *rest = strchr(line, '\t');
	if (!rest || !hex_u64(line, (size_t)(rest - line), &hash) ||
	    hash != fnv_add(FNV_BEGIN, rest + 1, strlen(rest + 1)) ||
	    !fields_split(line, fields, FIELDS))
		return false;
	struct shelf_dump d = { 0 };
	if (!take_number(fields[ID], &d.id) || !d.id || d.id > INT32_MAX ||
	    !field_decode(fields[PATH]) || *fields[PATH] != '/' ||
	    !take_number(fields[DEVICE], &d.stamp.device) ||
	    !take_number(fields[INODE], &d.stamp.inode) ||
	    !take_number(fields[SIZE], &d.stamp.size) ||
	    !take_time(fields[SECONDS], &d.stamp.seconds) ||
	    !take_time(fields[NANOSECONDS], &d.stamp.nanoseconds) ||
	    !take_number(fields[STATE], &state) || state > DUMP_BAD)
		return false;
	struct err *e = take_facts(fields + KEPT_FACTS, &d.facts);
	if (e) {
		err_free(e);
		return false;
	}
	d.state = (enum dump_state)state;
	d.path = strdup(fields[PATH]);
	*ret = d;
	return d.path || (dump_facts_free(&d.facts), false);
}

static bool is_first_line(const char *line, uint64_t *ret_last)
{
	size_t len = strlen(MAGIC "\t");
	return !strncmp(line, MAGIC "\t", len) && take_number(line + len, ret_last) &&
	       *ret_last <= INT32_MAX;
}

struct err *shelf_dumps_read(struct buf *text, struct shelf_dumps *ret, long *ret_damaged)
{
	struct shelf_dumps d = SHELF_DUMPS_INIT;
	struct err *e = NULL;
	bool first = true;
	*ret_damaged = -1;
	char *end = text->data + text->len;
	for (char *line = text->data; !e && line < end;) {
		struct shelf_dump dump;
		char *next = memchr(line, '\n', (size_t)(end - line));
		if (next)
			*next = 0;
		if (first && !is_first_line(line, &d.last_id))
			break;
		if (first)
			*ret_damaged = 0;
		else if (!next || !parse(line, &dump))
			++*ret_damaged;
		else if (d.count && d.list[d.count - 1].id >= dump.id) {
			free_dump(&dump);
			++*ret_damaged;
		} else
			e = append(&d, &dump);
		first = false;
		line = next ? next + 1 : end;
	}
	if (e)
		shelf_dumps_free(&d);
	else
		*ret = d;
	return e;
}
