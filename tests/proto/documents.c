// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes the fake target's XML documents into the directory given: for xmllint, and for reading. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/rsp.h"
#include "proto/shared.h"
#include "tests/proto/fake.h"

static void write_file(const char *directory, const char *name, const struct buf *text)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	if (!file || fwrite(text->data, 1, text->len, file) != text->len || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void must(struct err *e)
{
	if (!e)
		return;
	fprintf(stderr, "%s\n", err_msg(e));
	exit(1);
}

int main(int argc, char **argv)
{
	struct fake fake;
	struct rsp_shared *shared;
	const struct buf *threads = NULL;
	if (argc != 2)
		return 2;
	fake_init(&fake, 1000);
	must(rsp_shared_new(&fake.target, &shared));
	while (!threads)
		must(shared_threads_xml(shared, &threads));
	write_file(argv[1], "target.xml", &shared->target_xml);
	write_file(argv[1], "threads.xml", threads);
	rsp_shared_free(shared);
	fake_free(&fake);
	return 0;
}
