#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libdw says that a call preserves rax, and that rbx is lost.
#
# Expected: where call frame information is silent about a register, libdw fills in the rules of the
# ABI. The System V ABI of x86-64 has a call preserve rbx, rbp and r12 to r15, while rax carries the
# result. So dwarf_frame_register() should answer "same value" for rbx (number 3) and "undefined"
# for rax (number 0).
# What happens: libdw 0.188 answers the other way round: rax is "same value", rbx "undefined". The
# other five are right, and functions that save rbx themselves are right, so it is easily
# overlooked.
# Why it matters: an unwinder on libdw shows, in each caller's frame, the callee's leftover rax as
# if it were the caller's, and no rbx. In a kernel's crash dump rbx very often is the pointer that
# one is looking for, and values of local variables that DWARF places in rbx get lost, or those in
# rax invented. Who uses libdw for that has to correct these two rules.
# Seen with: libdw 0.188-2.1 (Debian 12).
set -eu

tmp=$(mktemp -d)
verdict=""
servers=""
finish()
{
	# shellcheck disable=SC2086
	[ -z "$servers" ] || kill $servers 2>/dev/null || :
	rm -rf "$tmp"
	[ -n "$verdict" ] || exit 2
}
trap finish EXIT
trap 'exit 2' HUP INT TERM
cd "$tmp"

still() { verdict=still && echo "still so: $*" && exit 0; }
changed() { verdict=changed && echo "changed: $*" && exit 1; }
not_run() { echo "not run: $*" && exit 2; }

# unpack NAME=VERSION...: these packages, and what they need that is not installed, below $tmp/root
unpack()
{
	needed=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p')
	mkdir debs root && cd debs
	printf '%s\n' "$@" "$needed" | sort -u |
		xargs apt-get -qq -o APT::Sandbox::User=root download >&2 ||
		not_run "cannot download $* (they are Debian 12's, amd64; did apt-get update run?)"
	cd ..
	for deb in debs/*.deb; do dpkg -x "$deb" root; done
	LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu
	export LD_LIBRARY_PATH
}

unpack libdw1=0.188-2.1 libdw-dev=0.188-2.1 libelf1=0.188-2.1 libelf-dev=0.188-2.1

# A function that uses neither rbx nor rax across its call: its frame information does not name them.
cat >function.s <<'EOF'
	.text
	.globl	function
	.type	function, @function
function:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	call	*%rdi
	popq	%rbp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size	function, . - function
	.section .note.GNU-stack,"",@progbits
EOF

cat >rules.c <<'EOF'
#include <elfutils/libdw.h>
#include <elfutils/version.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>

/* Which registers a call preserves, by their DWARF numbers; the stack pointer (7) is computed. */
static const struct {
	const char *name;
	int preserved;
} abi[16] = {
	{"rax", 0}, {"rdx", 0}, {"rcx", 0}, {"rbx", 1}, {"rsi", 0}, {"rdi", 0}, {"rbp", 1}, {"rsp", 1},
	{"r8", 0}, {"r9", 0}, {"r10", 0}, {"r11", 0}, {"r12", 1}, {"r13", 1}, {"r14", 1}, {"r15", 1},
};

int main(int argc, char **argv)
{
	Dwarf_CFI *cfi;
	Dwarf_Frame *frame;
	Elf *elf;
	int wrong = 0, rax_and_rbx = 0;

	if (argc != 3)
		return 2;
	elf_version(EV_CURRENT);
	elf = elf_begin(open(argv[1], O_RDONLY), ELF_C_READ, NULL);
	cfi = dwarf_getcfi_elf(elf);
	if (cfi == NULL || dwarf_cfi_addrframe(cfi, strtoul(argv[2], NULL, 16), &frame) != 0) {
		printf("not run: %s\n", dwarf_errmsg(-1));
		return 2;
	}
	printf("elfutils %d; rules at the entry of a function that does not mention rax and rbx:\n",
	       _ELFUTILS_VERSION);
	for (int i = 0; i < 16; i++) {
		Dwarf_Op room[3], *ops;
		size_t count;
		const char *rule;
		int preserved;

		if (dwarf_frame_register(frame, i, room, &ops, &count) != 0)
			return 2;
		preserved = count != 0 || ops == NULL;
		rule = count != 0 ? "computed" : ops == NULL ? "same value" : "undefined";
		printf("  %2d %-3s  %-10s  the ABI: %s%s\n", i, abi[i].name, rule,
		       abi[i].preserved ? "preserved" : "not preserved",
		       preserved != abi[i].preserved ? "   <-- differs" : "");
		wrong += preserved != abi[i].preserved;
		rax_and_rbx += (i == 0 || i == 3) && preserved != abi[i].preserved;
	}
	free(frame);
	return wrong == 2 && rax_and_rbx == 2 ? 0 : 1;
}
EOF

gcc -shared -nostdlib -o function.so function.s
gcc -I root/usr/include -o rules rules.c -L root/usr/lib/x86_64-linux-gnu -ldw -lelf
status=0
./rules function.so "$(nm function.so | sed -n 's/ T function$//p')" || status=$?
case $status in
0) still "libdw takes rax for preserved and rbx for lost" ;;
1) changed "libdw's rules for rax and rbx are no longer exchanged" ;;
esac
