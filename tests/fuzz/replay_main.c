// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target over the files of a corpus, so that `make check` repeats what fuzzing found:
 * without a fuzzer, with any compiler. Arguments are files and folders.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)

static unsigned run_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *file = fopen(path, "rb");
	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size_t size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* Exactly as large as it is, for the sanitizer's sake. */
	uint8_t *exact = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(exact ? exact : data, size);
	free(exact ? exact : data);
	return 1;
}

static unsigned run_folder(const char *path)
{
	unsigned count = 0;
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		exit(1);
	}
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char name[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count += run_file(name);
	}
	closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			count += run_folder(argv[i]);
		else
			count += run_file(argv[i]);
	}
	printf("%u inputs\n", count);
	/* A corpus that was not found is no success. */
	return argc > 1 && !count;
}
