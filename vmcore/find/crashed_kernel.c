// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/crashed_kernel.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/find/vmcoreinfo_memory.h"
#include "vmcore/memory/memory.h"

/* One note a CPU that there can be, and two others (kernel/crash_core.c). */
enum { SEGMENTS_MAX = 8192 + 64 };

/* As memparse() of the kernel reads it, but for suffixes beyond G. False if there is no number. */
static bool parse_bytes(const char **at, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long n = **at >= '0' && **at <= '9' ? strtoull(*at, &end, 0) : 0;
	if (errno || **at < '0' || **at > '9')
		return false;
	unsigned shift = 0;
	switch (*end) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	default:
		break;
	}
	*at = end + (shift ? 1 : 0);
	*ret = (uint64_t)n << shift;
	return *ret >> shift == n;
}

bool crashed_kernel_header(const char *command_line, uint64_t *ret)
{
	static const char name[] = "elfcorehdr=";
	const char *at = command_line;
	while ((at = strstr(at, name)) && at > command_line && at[-1] != ' ')
		at++;
	if (!at)
		return false;
	at += strlen(name);
	if (!parse_bytes(&at, ret))
		return false;
	if (*at != '@')
		return true;
	at++;
	return parse_bytes(&at, ret);
}

static bool read_all(struct memory *m, uint64_t pa, void *out, size_t len)
{
	size_t got = 0;
	struct err *e = memory_read_phys(m, pa, out, len, &got);
	bool whole = !e && got == len;
	err_free(e);
	return whole;
}

struct err *crashed_kernel_vmcoreinfo(struct memory *m, uint64_t header, char **ret_text,
				      size_t *ret_len)
{
	Elf64_Ehdr ehdr;
	if (!read_all(m, header, &ehdr, sizeof(ehdr)) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_phentsize != sizeof(Elf64_Phdr) ||
	    ehdr.e_phnum > SEGMENTS_MAX)
		return err_new(ERR_NOTFOUND, "there is no ELF header at 0x%llx",
			       (unsigned long long)header);
	for (unsigned i = 0; i < ehdr.e_phnum; i++) {
		Elf64_Phdr phdr;
		char *text;
		if (!read_all(m, header + ehdr.e_phoff + i * sizeof(phdr), &phdr, sizeof(phdr)))
			break;
		if (phdr.p_type != PT_NOTE)
			continue;
		struct err *e = paging_read_vmcoreinfo(m, phdr.p_offset, &text, ret_len);
		if (e)
			return e;
		if (!text)
			continue;
		*ret_text = text;
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "the ELF header at 0x%llx leads to no VMCOREINFO",
		       (unsigned long long)header);
}
