// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/served.h"
#include "server/service.h"

struct err *monitor_targets(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	const struct served_list *s = service->served;
	(void)view;
	for (size_t i = 0; s && i < s->count; i++) {
		const struct target *t = s->list[i].target;
		const uint64_t *tids;
		size_t count;
		struct err *e = target_threads(t, &tids, &count);
		if (e)
			return e;
		/* What a guest runs is looked for now; the host's is what `info` says. */
		const char *release = i ? target_os_version(t) : NULL;
		if (args->printer == PRINT_JSON) {
			struct json j = JSON_INIT(out);
			json_object(&j, NULL);
			json_str(&j, "target", s->list[i].name);
			if (s->list[i].address)
				json_str(&j, "address", s->list[i].address);
			if (s->list[i].why)
				json_str(&j, "not_served", s->list[i].why);
			json_u64(&j, "threads", count);
			if (service->vmcore->live)
				json_bool(&j, "live", true);
			if (release)
				json_str(&j, "linux", release);
			json_end(&j);
			buf_addch(out, '\n');
		} else {
			buf_addf(out, "%-16s %-28s %zu %s", s->list[i].name,
				 s->list[i].address ? s->list[i].address
				 : s->list[i].why   ? "not served"
						    : "by attach alone",
				 count, i ? "vCPUs" : "threads");
			if (release) {
				buf_addstr(out, ", Linux ");
				add_printable(out, release);
			}
			if (s->list[i].why)
				buf_addf(out, "; %s", s->list[i].why);
			buf_addch(out, '\n');
		}
	}
	return NULL;
}
