// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded: /proc/kcore has the headers of kernels before 4.19, without the note that has
 * VMCOREINFO in it, and before 5.2, without physical addresses. All else of it is as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_kcore(int fd)
{
	char link[64], path[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	return !strcmp(path, "/proc/kcore");
}

/* The program headers follow the ELF header, and what follows them begins with another page. */
static void make_old(char *bytes, size_t len, off_t offset)
{
	const off_t first = sizeof(Elf64_Ehdr);
	for (off_t at = first; at < getpagesize(); at += (off_t)sizeof(Elf64_Phdr)) {
		Elf64_Phdr h;
		if (at < offset || at + (off_t)sizeof(h) > offset + (off_t)len)
			continue;
		memcpy(&h, bytes + (at - offset), sizeof(h));
		if (h.p_type == PT_NOTE)
			h.p_type = PT_NULL;
		else if (h.p_type == PT_LOAD)
			h.p_paddr = 0;
		else
			return;
		memcpy(bytes + (at - offset), &h, sizeof(h));
	}
}

static ssize_t read_at(const char *name, int fd, void *out, size_t len, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, name);
	ssize_t n = real(fd, out, len, offset);
	if (n > 0 && offset < getpagesize() && is_kcore(fd))
		make_old(out, (size_t)n, offset);
	return n;
}

ssize_t pread(int fd, void *out, size_t len, off_t offset)
{
	return read_at("pread", fd, out, len, offset);
}

ssize_t pread64(int fd, void *out, size_t len, off_t offset)
{
	return read_at("pread64", fd, out, len, offset);
}
