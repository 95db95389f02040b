/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that make-samples.sh built. */
#ifndef TESTS_NAMES_SAMPLE_FILES_H
#define TESTS_NAMES_SAMPLE_FILES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder, from the environment when the tests run elsewhere; "samples" is next to them. */
static inline const char *sample_folder(void)
{
	const char *folder = getenv("SAMPLES");
	return folder ? folder : "tests/names/samples";
}

/* The path of @name; each call overwrites that of the last but three. */
static inline const char *sample_path(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", sample_folder(), name);
	return path;
}

/* The toolchain may be unable to make some. */
static inline bool sample_exists(const char *name)
{
	return !access(sample_path(name), R_OK);
}

#endif
