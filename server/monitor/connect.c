// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/crash_command.h"
#include "server/monitor/commands.h"
#include "server/served.h"
#include "server/service.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/vmcore.h"

/* The host's vmlinux; NULL if there is none, or if it has no name that clients can use. */
static const char *vmlinux_of(const struct service *service)
{
	const struct debug_file *file = kernel_debug_file(service->vmcore->kernel);
	return file && !file->in_package ? file->path : NULL;
}

static void add_text(const struct served *s, const char *vmlinux, struct buf *out)
{
	buf_addf(out, "%s at %s\n", s->name, s->address);
	if (!strncmp(s->address, "unix:", strlen("unix:")))
		buf_addf(out, "  gdb -ex 'target remote %s' %s\n", s->address + strlen("unix:"),
			 vmlinux);
	else
		buf_addf(out, "  gdb -ex 'target remote %s' %s\n", s->address, vmlinux);
	buf_addstr(out, "  ");
	if (!crash_command_add(s->target, s->address, vmlinux, out))
		buf_addstr(out, "crash cannot come: it needs a port of IPv4, and where the kernel "
				"lies must be known");
	buf_addch(out, '\n');
}

static void add_json(const struct served *s, const char *vmlinux, struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct buf crash = BUF_INIT;
	json_object(&j, NULL);
	json_str(&j, "target", s->name);
	json_str(&j, "address", s->address);
	if (crash_command_add(s->target, s->address, vmlinux, &crash))
		json_str(&j, "crash", crash.data);
	json_end(&j);
	buf_addch(out, '\n');
	buf_free(&crash);
}

struct err *monitor_connect(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	const struct served_list *s = service->served;
	(void)view;
	for (size_t i = 0; s && i < s->count; i++) {
		const char *vmlinux = i ? NULL : vmlinux_of(service);
		if (!s->list[i].address)
			continue;
		if (args->printer == PRINT_JSON)
			add_json(&s->list[i], vmlinux ? vmlinux : "vmlinux", out);
		else
			add_text(&s->list[i], vmlinux ? vmlinux : "vmlinux", out);
	}
	return NULL;
}
