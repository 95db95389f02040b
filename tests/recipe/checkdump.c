// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * checkdump DUMP [PIECE]... -- [ADDR[=WORD]]...: what libkdumpfile makes of a dump: its format,
 * release and CPUs, and 8-byte words at physical addresses, compared if a WORD is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECES_MAX 64

static int fail(kdump_ctx_t *ctx, const char *what)
{
	fprintf(stderr, "checkdump: %s: %s\n", what, kdump_get_err(ctx));
	return EXIT_FAILURE;
}

static void show(kdump_ctx_t *ctx, const char *key)
{
	const char *text;
	if (kdump_get_string_attr(ctx, key, &text) == KDUMP_OK)
		printf("%s=%s\n", key, text);
}

static void show_number(kdump_ctx_t *ctx, const char *key)
{
	kdump_num_t number;
	if (kdump_get_number_attr(ctx, key, &number) == KDUMP_OK)
		printf("%s=%#" PRIx64 "\n", key, (uint64_t)number);
}

static int check_word(kdump_ctx_t *ctx, const char *text)
{
	char *end;
	uint64_t word, addr = strtoull(text, &end, 0);
	size_t len = sizeof(word);
	if (kdump_read(ctx, KDUMP_MACHPHYSADDR, addr, &word, &len) != KDUMP_OK)
		return fail(ctx, text);
	printf("%#" PRIx64 ": %#" PRIx64 "\n", addr, word);
	if (*end != '=' || strtoull(end + 1, NULL, 0) == word)
		return EXIT_SUCCESS;
	fprintf(stderr, "checkdump: %s expected\n", text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int fds[PIECES_MAX], arg = 1;
	unsigned int count = 0;
	kdump_ctx_t *ctx = kdump_new();
	if (!ctx)
		return EXIT_FAILURE;
	for (; arg < argc && strcmp(argv[arg], "--") && count < PIECES_MAX; arg++) {
		fds[count] = open(argv[arg], O_RDONLY | O_CLOEXEC);
		if (fds[count++] < 0) {
			fprintf(stderr, "checkdump: %s: %s\n", argv[arg], strerror(errno));
			return EXIT_FAILURE;
		}
	}
	if (kdump_open_fdset(ctx, count, fds) != KDUMP_OK)
		return fail(ctx, "open");
	show(ctx, "file.description");
	show(ctx, "arch.name");
	show(ctx, "linux.uts.release");
	show(ctx, "linux.vmcoreinfo.lines.OSRELEASE");
	show_number(ctx, "cpu.number");
	show_number(ctx, "cpu.0.reg.rip");
	show_number(ctx, "cpu.1.reg.rip");
	int status = EXIT_SUCCESS;
	for (arg++; arg < argc && status == EXIT_SUCCESS; arg++)
		status = check_word(ctx, argv[arg]);
	fflush(stdout);
	/* libkdumpfile 0.5.1 uses freed memory in kdump_free() of a kdump file. */
	_exit(status);
}
