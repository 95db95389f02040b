// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets about the machine, the process and its main image. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/target.h"

static void add_hex_text(struct reply *r, const char *text)
{
	buf_addhex(r->out, text, strlen(text));
}

/*
 * qOffsets (gdb manual, "General Query Packets"). gdb takes TextSeg as the address itself and moves
 * all segments alike; lldb takes it as an offset, and so is told the three it has always known.
 */
enum packet_result packet_offsets(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct target_offsets offsets;
	(void)args;
	if (!target_offsets(s->target, &offsets))
		return PACKET_REPLY;
	if (session_is_lldb(s))
		buf_addf(r->out, "Text=%" PRIx64 ";Data=%" PRIx64 ";Bss=%" PRIx64, offsets.slide,
			 offsets.slide, offsets.slide);
	else
		buf_addf(r->out, "TextSeg=%" PRIx64, offsets.text);
	return PACKET_REPLY;
}

/* The path in the target's exec-file document, or ""; NULL while it is being made. */
static const char *exec_file(const struct target *t)
{
	const struct buf *document = NULL;
	for (const struct target_object *o = t->objects; o && o->name; o++) {
		if (strcmp(o->name, "exec-file") != 0)
			continue;
		struct err *e = target_document(t, o, "", &document);
		if (!e)
			return document ? document->data : NULL;
		err_free(e);
	}
	return "";
}

/*
 * qExecAndArgs (gdb manual, "General Query Packets"; gdb 18): "S;FILE;ARGUMENTS;" in hex, or "U"
 * for neither. The kernel's arguments are its command line: `show args` shows it.
 */
enum packet_result packet_exec_and_args(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct target *t = s->target;
	const char *file = exec_file(t), *line = target_command_line(t);
	(void)args;
	if (!file)
		return PACKET_AGAIN;
	if (!*file && !line) {
		buf_addch(r->out, 'U');
		return PACKET_REPLY;
	}
	buf_addstr(r->out, "S;");
	add_hex_text(r, file);
	buf_addch(r->out, ';');
	add_hex_text(r, line ? line : "");
	buf_addch(r->out, ';');
	return PACKET_REPLY;
}

static void add_architecture(const struct target *t, struct reply *r)
{
	if (t->image) {
		buf_addstr(r->out, "triple:");
		add_hex_text(r, t->image->triple);
		buf_addch(r->out, ';');
	}
	buf_addstr(r->out, "ptrsize:8;endian:little;");
}

/*
 * qHostInfo (lldb docs). os_version is numbers and dots only; os_kernel is the whole release.
 */
enum packet_result packet_host_info(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct target *t = s->target;
	const char *release = target_os_version(t);
	(void)args;
	add_architecture(t, r);
	if (!release)
		return PACKET_REPLY;
	size_t len = strspn(release, "0123456789.");
	while (len && release[len - 1] == '.')
		len--;
	if (len) {
		buf_addstr(r->out, "os_version:");
		buf_add(r->out, release, len);
		buf_addch(r->out, ';');
	}
	buf_addstr(r->out, "os_kernel:");
	add_hex_text(r, release);
	buf_addch(r->out, ';');
	return PACKET_REPLY;
}

/* qProcessInfo (lldb docs). main-binary-*: lldb finds the vmlinux by build-id and moves it. */
enum packet_result packet_process_info(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct target *t = s->target;
	struct target_offsets offsets;
	(void)args;
	buf_addf(r->out, "pid:%" PRIx64 ";", t->pid);
	add_architecture(t, r);
	if (target_offsets(t, &offsets) && offsets.build_id)
		buf_addf(r->out, "main-binary-uuid:%s;main-binary-slide:%" PRIx64 ";",
			 offsets.build_id, offsets.slide);
	return PACKET_REPLY;
}
