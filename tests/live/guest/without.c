// SPDX-License-Identifier: GPL-2.0-or-later
/* without CAPABILITY PROGRAM [ARGUMENT...]: runs it as root is in a container, without the
 * capability of that number. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	/* What is not in the bounding set, root does not get by execve(). */
	if (argc < 3 || prctl(PR_CAPBSET_DROP, strtoul(argv[1], NULL, 0), 0, 0, 0)) {
		fprintf(stderr, "without: %s\n", argc < 3 ? "no program" : strerror(errno));
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
