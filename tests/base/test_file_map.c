// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that shrink while they are mapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/file_map.h"

static void *base_of(volatile char *bytes)
{
	return (void *)(uintptr_t)bytes;
}

/* A file of three pages of 'x', mapped. */
static volatile char *map_file(int *ret_fd)
{
	char name[] = "file-map-XXXXXX", page[4096];
	memset(page, 'x', sizeof(page));
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	unlink(name);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	void *base = mmap(NULL, 3 * sizeof(page), PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(base != MAP_FAILED);
	*ret_fd = fd;
	return base;
}

static void mapped_files_may_shrink(void **state)
{
	int fd, status, owner, twin, other_fd, other;
	(void)state;
	volatile char *base = map_file(&fd), *untouched = map_file(&other_fd);
	uint64_t faults = file_map_faults();
	assert_null(file_map_add(&owner, base_of(base), 3 * 4096, fd, "one"));
	assert_null(file_map_add(&twin, base_of(base), 3 * 4096, fd, "one"));
	assert_null(file_map_add(&other, base_of(untouched), 3 * 4096, other_fd, "other"));
	assert_int_equal(base[8000], 'x');
	assert_int_equal(ftruncate(fd, 5000), 0);
	/* The rest of the last page is zeros by the kernel's doing, the page behind it by ours. */
	assert_int_equal(base[4999], 'x');
	assert_int_equal(base[6000], 0);
	assert_false(file_map_is_bad(&owner));
	assert_int_equal(base[8200], 0);
	assert_true(file_map_is_bad(&owner) && file_map_is_bad(&twin));
	assert_false(file_map_is_bad(&other));
	assert_int_equal(file_map_faults(), faults + 1);
	assert_string_equal(file_map_tell_bad(), "one");
	assert_null(file_map_tell_bad());
	/* What is written in place shows when the system is asked. */
	assert_int_equal(pwrite(other_fd, "y", 1, 0), 1);
	file_map_look();
	assert_true(file_map_is_bad(&other));
	file_map_remove(&other);
	assert_false(file_map_is_bad(&other));
	/* A mapping of nobody ends the process as ever. */
	assert_int_equal(ftruncate(other_fd, 0), 0);
	pid_t pid = fork();
	if (!pid)
		_exit(untouched[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	file_map_remove(&owner);
	file_map_remove(&twin);
	munmap(base_of(base), 3 * 4096);
	munmap(base_of(untouched), 3 * 4096);
	close(fd);
	close(other_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_files_may_shrink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
