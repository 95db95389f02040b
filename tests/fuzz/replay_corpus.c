// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a fuzz target over the files of CORPUS, a folder below $srcdir, without a fuzzer; empty where
 * FUZZING is defined, for libFuzzer has a main() of its own. */
#ifndef FUZZING
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	size_t size = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* A copy of just the size, so that a sanitizer sees every byte too many. */
	uint8_t *exact = malloc(size ? size : 1);
	if (!exact)
		return 1;
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

static int replay_folder(const char *folder)
{
	DIR *d = opendir(folder);
	if (!d) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return 1;
	}
	int failed = 0, count = 0;
	for (struct dirent *entry; (entry = readdir(d)); count++) {
		char path[8192];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			failed |= replay_file(path);
	}
	closedir(d);
	/* An empty corpus is no test. */
	return failed || count < 3;
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	char folder[4096];
	snprintf(folder, sizeof(folder), "%s/%s", srcdir ? srcdir : ".", CORPUS);
	return replay_folder(folder);
}
#else
extern int replay_corpus_is_empty;
#endif
