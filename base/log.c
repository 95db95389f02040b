// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static const struct {
	const char *name, *help;
} categories[LOG_CATEGORIES] = {
	[LOG_PACKET] = { "packet", "every packet in and out" },
	[LOG_TARGET] = { "target", "each question of packets to what is debugged, and its answer" },
	[LOG_REFUSED] = { "refused", "what clients did not get, and why: memory that is not there, "
				     "unknown or damaged packets" },
	[LOG_SESSION] = { "session", "clients coming and going, and what they negotiated" },
	[LOG_DUMP] = { "dump", "dump files, their formats, pages read" },
	[LOG_MEMORY] = { "memory", "address translation" },
	[LOG_SYMBOLS] = { "symbols", "where symbols and types come from" },
	[LOG_TASKS] = { "tasks", "the walks over tasks and CPUs" },
	[LOG_UNWIND] = { "unwind", "first registers and frames" },
};

static unsigned enabled;

bool log_on(enum log_category c)
{
	return enabled & 1u << c;
}

void log_write(enum log_category c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	flockfile(stderr);
	fprintf(stderr, "%s: ", categories[c].name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(ap);
}

/* The bit of the category whose name is the @len characters at @name, or 0. */
static unsigned category_bit(const char *name, size_t len)
{
	for (unsigned i = 0; i < LOG_CATEGORIES; i++)
		if (strlen(categories[i].name) == len && !memcmp(categories[i].name, name, len))
			return 1u << i;
	if (len == 3 && !memcmp(name, "all", 3))
		return (1u << LOG_CATEGORIES) - 1;
	return 0;
}

struct err *log_enable(const char *names)
{
	unsigned wanted = 0;
	for (const char *p = names;;) {
		size_t len = strcspn(p, ",");
		unsigned bit = category_bit(p, len);
		if (!bit)
			return err_new(ERR_INVALID,
				       "no debug category '%.*s'; 'list' names those there are",
				       (int)len, p);
		wanted |= bit;
		if (!p[len])
			break;
		p += len + 1;
	}
	enabled |= wanted;
	return NULL;
}

void log_list(struct buf *out)
{
	for (unsigned i = 0; i < LOG_CATEGORIES; i++)
		buf_addf(out, "%-8s  %s\n", categories[i].name, categories[i].help);
	buf_addf(out, "%-8s  %s\n", "all", "every one of these");
}
