// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH (gdb manual, "General Query Packets"): documents in parts.
 * Parts are cut from documents that are made once; gdb asks for 4 KiB at a time.
 */
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/shared.h"

/* File names are the longest annexes there are. */
#define ANNEX_MAX 4096

struct part {
	const char *annex; /* borrowed from the packet, without end mark */
	size_t annex_len;
	uint64_t offset, len;
};

/* ":ANNEX:OFFSET,LENGTH" */
static bool parse_part(struct cursor *args, struct part *ret)
{
	cursor_expect(args, ':');
	ret->annex = cursor_until(args, ':', &ret->annex_len);
	cursor_expect(args, ':');
	ret->offset = cursor_hex(args);
	cursor_expect(args, ',');
	ret->len = cursor_hex(args);
	return cursor_done(args);
}

static bool annex_is(const struct part *part, const char *name)
{
	return part->annex_len == strlen(name) && memcmp(part->annex, name, part->annex_len) == 0;
}

/* "m" and a part with more to come, "l" and the last one. */
static void reply_part(struct reply *r, const struct part *part, const struct buf *document)
{
	if (part->offset > document->len) {
		reply_error(r, REPLY_E_REFUSED, "that is behind the document's end");
		return;
	}
	size_t offset = (size_t)part->offset, left = document->len - offset;
	size_t len = part->len < left ? (size_t)part->len : left;
	buf_addch(r->out, 'm');
	size_t done = reply_binary(r, document->data + offset, len);
	if (done == left && !r->out->failed)
		r->out->data[r->start] = 'l';
}

/* qXfer:features:read:target.xml:... (gdb manual, "Target Descriptions") */
enum packet_result packet_xfer_features(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct part part;
	if (parse_part(args, &part) && annex_is(&part, "target.xml"))
		reply_part(r, &part, &s->shared->target_xml);
	else
		reply_error(r, REPLY_E_ANNEX, "there is target.xml alone");
	return PACKET_REPLY;
}

/* The lists of all processes as one, in s->threads. *ret_done: it is, call again otherwise. */
static struct err *join_threads(struct rsp *s, bool *ret_done)
{
	buf_reset(&s->threads);
	buf_addstr(&s->threads, THREADS_XML_BEGIN);
	*ret_done = false;
	for (size_t i = 0; i < s->processes.count; i++) {
		const struct process *p = &s->processes.list[i];
		const struct buf *entries;
		if (!p->attached)
			continue;
		struct err *e = shared_process_xml(p->shared, p->id, &entries);
		if (e || !entries)
			return e;
		buf_add(&s->threads, entries->data, entries->len);
	}
	buf_addstr(&s->threads, THREADS_XML_END);
	*ret_done = true;
	return buf_error(&s->threads);
}

static struct err *get_joined_threads(struct rsp *s, const struct buf **ret_document)
{
	bool done;
	for (size_t i = 0; i < s->processes.count && !s->busy; i++)
		if (s->processes.list[i].attached)
			shared_renew_threads(s->processes.list[i].shared);
	struct err *e = join_threads(s, &done);
	if (!e)
		*ret_document = done ? &s->threads : NULL;
	return e;
}

/*
 * The list of the threads for the part at @offset; *ret_document is NULL while it is being made.
 * The threads of a machine that runs are listed anew each time a client reads from the start, and
 * it gets the rest of that list, whatever others ask for meanwhile.
 */
static struct err *get_threads(struct rsp *s, uint64_t offset, const struct buf **ret_document)
{
	const struct buf *document;
	bool changing = s->target->threads->generation || s->multiprocess;
	if (changing && offset) {
		*ret_document = &s->threads;
		return NULL;
	}
	if (s->multiprocess)
		return get_joined_threads(s, ret_document);
	if (!s->busy)
		shared_renew_threads(s->shared);
	struct err *e = shared_threads_xml(s->shared, &document);
	if (!e && document && changing) {
		buf_reset(&s->threads);
		buf_add(&s->threads, document->data, document->len);
		document = &s->threads;
		e = buf_error(&s->threads);
	}
	if (!e)
		*ret_document = document;
	return e;
}

/* qXfer:threads:read::... (gdb manual, "Thread List Format") */
enum packet_result packet_xfer_threads(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct part part;
	const struct buf *document;
	if (!parse_part(args, &part) || part.annex_len) {
		reply_error(r, REPLY_E_ANNEX, "it names no part of a document");
		return PACKET_REPLY;
	}
	struct err *e = get_threads(s, part.offset, &document);
	if (e) {
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
		err_free(e);
		return PACKET_REPLY;
	}
	if (!document)
		return PACKET_AGAIN;
	reply_part(r, &part, document);
	return PACKET_REPLY;
}

/* @t's document called @name, or NULL; one that is not for this client is not there. */
static const struct target_object *object_of(const struct rsp *s, const struct target *t,
					     const char *name, size_t len)
{
	for (const struct target_object *o = t->objects; o && o->name; o++) {
		if (o->clients & s->client && !(o->of_attached && t == s->base) &&
		    strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

/* A document, and whose it is. */
struct named_object {
	const struct target_object *object;
	const struct target *of;
};

/* Of the current process, or of what the client connected to where the document is about all. */
static struct named_object find_object(const struct rsp *s, const char *name, size_t len)
{
	const struct target_object *o = object_of(s, s->base, name, len);
	if (o && o->of_all)
		return (struct named_object){ o, s->base };
	return (struct named_object){ object_of(s, s->target, name, len), s->target };
}

/*
 * @object's document for the annex. False, with the reply made, if there is none; NULL while it is
 * being made.
 */
static bool get_document(const struct rsp *s, const struct named_object *named, const char *annex,
			 size_t annex_len, struct reply *r, const struct buf **ret_document)
{
	char name[ANNEX_MAX + 1];
	*ret_document = NULL;
	if (annex_len > ANNEX_MAX || memchr(annex, 0, annex_len)) {
		reply_error(r, REPLY_E_ANNEX, "the annex is no name");
		return false;
	}
	memcpy(name, annex, annex_len);
	name[annex_len] = 0;
	/* What is open are files of what the client connected to. */
	size_t open = named->of == s->base ? s->files.count : 0;
	struct err *e = !*name ? target_document_beside(named->of, named->object, s->files.slots,
							open, ret_document)
			       : target_document(named->of, named->object, name, ret_document);
	if (!e)
		return true;
	if (err_code(e) == ERR_NOTFOUND)
		reply_err(r, REPLY_E_ANNEX, e);
	else
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
	err_free(e);
	return false;
}

/* Whether @s goes on with the copy that it has. */
static bool reads_copy(const struct rsp *s, const struct target_object *object,
		       const struct part *part)
{
	return part->offset && s->copied.of == object &&
	       strlen(s->copied.annex) == part->annex_len &&
	       !memcmp(s->copied.annex, part->annex, part->annex_len);
}

/* Copies *@document, if it is one that changes, and makes it the copy. An annex that is too long
 * for that is no table's. */
static bool copy_changing(struct rsp *s, const struct target_object *object,
			  const struct part *part, const struct buf **document)
{
	struct copied_document *c = &s->copied;
	if (!object->changes || !*document || part->annex_len >= sizeof(c->annex))
		return true;
	c->of = object;
	memcpy(c->annex, part->annex, part->annex_len);
	c->annex[part->annex_len] = 0;
	buf_reset(&c->text);
	buf_add(&c->text, (*document)->data, (*document)->len);
	*document = &c->text;
	return !c->text.failed;
}

/* What the part of @named is of, by the selected process. */
static enum packet_result reply_object(struct rsp *s, const struct named_object *named,
				       const struct part *part, struct reply *r)
{
	const struct target_object *object = named->object;
	const struct buf *document = s->document;
	bool going_on = part->offset && !part->annex_len && s->document_of == object;
	if (reads_copy(s, object, part)) {
		reply_part(r, part, &s->copied.text);
		return PACKET_REPLY;
	}
	if (!going_on && !get_document(s, named, part->annex, part->annex_len, r, &document))
		return PACKET_REPLY;
	if (!going_on && !copy_changing(s, object, part, &document))
		r->out->failed = true;
	if (!document)
		return PACKET_AGAIN;
	if (!part->annex_len) {
		s->document = document;
		s->document_of = object;
	}
	reply_part(r, part, document);
	return PACKET_REPLY;
}

/*
 * gdb manual, "General Query Packets", qXfer:exec-file: the annex may be the id of a process.
 * Whether it names one, whose index goes to @ret.
 */
static bool names_process(const struct rsp *s, const char *name, size_t len,
			  const struct part *part, size_t *ret)
{
	static const char exec_file[] = "exec-file";
	struct cursor c = cursor_make(part->annex, part->annex_len);
	if (!part->annex_len || len != strlen(exec_file) || memcmp(name, exec_file, len) != 0)
		return false;
	uint64_t id = cursor_hex(&c);
	return cursor_done(&c) && process_find(s, id, ret);
}

/* qXfer:NAME:read:ANNEX:..., for what the target brings. */
enum packet_result packet_xfer_object(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct part part;
	size_t name_len, selected = s->processes.current, process = selected;
	const char *name = cursor_until(args, ':', &name_len);
	bool known = object_of(s, s->base, name, name_len);
	if (!(known || object_of(s, s->target, name, name_len)) || !cursor_skip_text(args, ":read"))
		return PACKET_REPLY;
	if (!parse_part(args, &part)) {
		reply_error(r, REPLY_E_ANNEX, "it names no part of a document");
		return PACKET_REPLY;
	}
	if (names_process(s, name, name_len, &part, &process))
		part.annex_len = 0;
	process_select(s, process);
	struct named_object named = find_object(s, name, name_len);
	enum packet_result result = PACKET_REPLY;
	/* gdb would not ask again, for whatever it attaches to, were this not supported. */
	if (named.object)
		result = reply_object(s, &named, &part, r);
	else
		reply_error(r, REPLY_E_ANNEX, "what is attached has no such document");
	process_select(s, selected);
	return result;
}

/*
 * qlinux.vmcoreinfo: "Q" and VMCOREINFO's text, escaped like all binary data, in one packet. Drgn's
 * wiki proposes it ("GDB Remote Protocol proposal: linux.vmcoreinfo query packet"); the kernel's
 * side is Amal Raj T's series "kgdb: Add command linux.vmcoreinfo to kgdb" (linux-serial, 2025).
 */
enum packet_result packet_vmcoreinfo(struct rsp *s, struct cursor *args, struct reply *r)
{
	static const char name[] = "vmcoreinfo";
	const struct named_object named = find_object(s, name, sizeof(name) - 1);
	(void)args;
	if (!named.object)
		return PACKET_REPLY;
	const struct buf *document;
	if (!get_document(s, &named, "", 0, r, &document))
		return PACKET_REPLY;
	if (!document)
		return PACKET_AGAIN;
	buf_addch(r->out, 'Q');
	if (reply_binary(r, document->data, document->len) < document->len)
		reply_error(r, REPLY_E_REFUSED, "it is too long for a packet");
	return PACKET_REPLY;
}
