// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/memory/named_address.h"
#include "server/service.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

enum { READ_MAX = 1 << 20, LINE_BYTES = 16 };

static void hex_dump(struct buf *out, uint64_t addr, const unsigned char *bytes, size_t len)
{
	for (size_t line = 0; line < len; line += LINE_BYTES) {
		size_t n = len - line < LINE_BYTES ? len - line : LINE_BYTES;
		buf_addf(out, "%016" PRIx64 " ", addr + line);
		for (size_t i = 0; i < LINE_BYTES; i++) {
			if (i < n)
				buf_addf(out, " %02x", bytes[line + i]);
			else
				buf_addstr(out, "   ");
		}
		buf_addstr(out, "  ");
		for (size_t i = 0; i < n; i++)
			buf_addch(out, isprint(bytes[line + i]) ? (char)bytes[line + i] : '.');
		buf_addch(out, '\n');
	}
}

/* What stopped a read at @addr: the kind of missing memory, and the whole reason. */
static void report_stop(const struct err *e, uint64_t addr, struct json *j, struct buf *out)
{
	const char *kind = err_memory_kind(err_code(e));
	if (!kind)
		kind = "unreadable";
	if (j) {
		json_hex(j, "stopped_at", addr);
		json_str(j, "kind", kind);
		json_str(j, "why", err_msg(e));
	} else {
		buf_addf(out, "%016" PRIx64 "  %s: %s\n", addr, kind, err_msg(e));
	}
}

static struct err *read_some(struct vmcore *h, const struct target_view *view, uint64_t addr,
			     unsigned char *bytes, size_t len, size_t *ret_done)
{
	struct vspace space;
	if (view->physical)
		return memory_read_phys(h->memory, addr, bytes, len, ret_done);
	struct err *e = vmcore_space(h, view->tid, addr, &space);
	return e ? e : memory_read(h->memory, &space, addr, bytes, len, ret_done);
}

/* Reads until something is missing; *ret_stop (owned by the caller) says what, NULL if nothing was.
 */
static size_t read_up_to(struct vmcore *h, const struct target_view *view, uint64_t addr,
			 unsigned char *bytes, size_t len, struct err **ret_stop)
{
	size_t done = 0;
	*ret_stop = NULL;
	while (done < len && !*ret_stop) {
		size_t got = 0;
		*ret_stop = read_some(h, view, addr + done, bytes + done, len - done, &got);
		done += got;
	}
	return done;
}

static struct err *physical_address(const char *text, uint64_t *ret)
{
	return number_parse(text, true, ret)
		       ? NULL
		       : err_new(ERR_INVALID, "'%s' is no physical address in hexadecimal", text);
}

struct err *monitor_read(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct target_view from = *view;
	const char **words = args->list;
	uint64_t addr, len;
	struct err *e, *stop;
	if (args->count == 3) {
		if (strcmp(*words++, "-p") != 0)
			return err_new(ERR_INVALID, "it takes [-p] ADDR LEN; 'help' says more");
		from.physical = true;
	}
	e = from.physical ? physical_address(words[0], &addr) : named_address(h, words[0], &addr);
	if (e)
		return e;
	if (!number_parse(words[1], false, &len) || !len || len > READ_MAX)
		return err_new(ERR_INVALID, "'%s' is no length from 1 to %d (0x for hexadecimal)",
			       words[1], READ_MAX);
	if (len - 1 > ~addr)
		return err_new(ERR_INVALID,
			       "0x%" PRIx64 " and %" PRIu64 " bytes go beyond the last address",
			       addr, len);
	unsigned char *bytes = malloc(len);
	if (!bytes)
		return err_nomem();
	size_t got = read_up_to(h, &from, addr, bytes, len, &stop);
	if (args->printer == PRINT_JSON) {
		struct json j = JSON_INIT(out);
		struct buf hex = BUF_INIT;
		buf_addhex(&hex, bytes, got);
		e = buf_error(&hex);
		json_object(&j, NULL);
		json_hex(&j, "address", addr);
		json_str(&j, "bytes", hex.data);
		if (stop)
			report_stop(stop, addr + got, &j, out);
		json_end(&j);
		buf_addch(out, '\n');
		buf_free(&hex);
	} else {
		hex_dump(out, addr, bytes, got);
		if (stop)
			report_stop(stop, addr + got, NULL, out);
	}
	err_free(stop);
	free(bytes);
	return e;
}

static void vtop_text(const struct vtop *v, const struct vspace *space, struct buf *out)
{
	for (unsigned i = 0; i < v->step_count; i++)
		buf_addf(out, "level %u  %s  entry at 0x%012" PRIx64 ": 0x%016" PRIx64 "\n",
			 v->steps[i].level, vspace_entry_name(space, v->steps[i].level),
			 v->steps[i].entry_address, v->steps[i].entry);
}

static void vtop_json(const struct vtop *v, struct json *j)
{
	json_array(j, "steps");
	for (unsigned i = 0; i < v->step_count; i++) {
		json_object(j, NULL);
		json_u64(j, "level", v->steps[i].level);
		json_hex(j, "entry_address", v->steps[i].entry_address);
		json_hex(j, "entry", v->steps[i].entry);
		json_end(j);
	}
	json_end(j);
}

/* Whether the page that @pa lies in can be read, which the tables do not say. */
static struct err *probe(struct vmcore *h, uint64_t pa)
{
	unsigned char byte;
	size_t got;
	return memory_read_phys(h->memory, pa, &byte, 1, &got);
}

struct err *monitor_vtop(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct vspace space;
	struct vtop v = { 0 };
	uint64_t addr;
	struct err *e = named_address(h, args->list[0], &addr);
	if (e)
		return e;
	struct err *stop = vmcore_space(h, view->tid, addr, &space);
	bool translated = false;
	if (!stop) {
		stop = memory_vtop(h->memory, &space, addr, &v);
		translated = !stop;
		if (translated)
			stop = probe(h, v.pa);
	}
	if (args->printer == PRINT_JSON) {
		struct json j = JSON_INIT(out);
		json_object(&j, NULL);
		json_hex(&j, "address", addr);
		vtop_json(&v, &j);
		if (translated) {
			json_hex(&j, "physical", v.pa);
			json_u64(&j, "page_size", v.page_size);
			json_bool(&j, "writable", v.writable);
			json_bool(&j, "user", v.user);
			json_bool(&j, "executable", v.executable);
		}
		if (stop)
			report_stop(stop, addr, &j, out);
		json_end(&j);
		buf_addch(out, '\n');
	} else {
		vtop_text(&v, &space, out);
		if (translated)
			buf_addf(out,
				 "0x%016" PRIx64 " -> physical 0x%" PRIx64 ", page of %" PRIu64
				 " KiB, %s%s%s\n",
				 addr, v.pa, v.page_size >> 10,
				 v.writable ? "writable" : "read-only",
				 v.executable ? ", executable" : "", v.user ? ", user" : "");
		if (stop)
			report_stop(stop, addr, NULL, out);
	}
	err_free(stop);
	return NULL;
}
