// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void plan_init(struct plan *p)
{
	*p = (struct plan){
		.format = DUMP_ELF,
		.pieces = 1,
		.flatten_record = 64 * 1024,
		.page_offset = UINT64_C(0xffff880000000000),
		.uts = { "Linux", "demo", "0.0.0", "#1 SMP", "x86_64", "(none)" },
	};
}

static void fault_free(struct fault *f)
{
	buf_free(&f->field);
	buf_free(&f->bytes);
	free(f->origin);
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->fault_count; i++)
		fault_free(&p->faults[i]);
	free(p->faults);
	free(p->segments);
	plan_init(p);
}

bool plan_set_format(struct plan *p, const char *text)
{
	static const struct {
		const char *name;
		enum dump_format format;
		enum compression compression;
	} formats[] = {
		{ "elf", DUMP_ELF, COMPRESS_NONE },
		{ "kdump-none", DUMP_KDUMP, COMPRESS_NONE },
		{ "kdump-zlib", DUMP_KDUMP, COMPRESS_ZLIB },
		{ "kdump-lzo", DUMP_KDUMP, COMPRESS_LZO },
		{ "kdump-snappy", DUMP_KDUMP, COMPRESS_SNAPPY },
		{ "kdump-zstd", DUMP_KDUMP, COMPRESS_ZSTD },
	};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, text))
			continue;
		p->format = formats[i].format;
		p->compression = formats[i].compression;
		return true;
	}
	return false;
}

struct err *plan_add_fault(struct plan *p, struct fault *f)
{
	struct fault *faults = realloc(p->faults, (p->fault_count + 1) * sizeof(*faults));
	if (!faults) {
		fault_free(f);
		return err_nomem();
	}
	p->faults = faults;
	faults[p->fault_count++] = *f;
	return NULL;
}

struct err *plan_add_segment(struct plan *p, struct plan_segment s)
{
	struct plan_segment *segments =
		realloc(p->segments, (p->segment_count + 1) * sizeof(*segments));
	if (!segments)
		return err_nomem();
	p->segments = segments;
	segments[p->segment_count++] = s;
	return NULL;
}
