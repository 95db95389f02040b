#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In a dump that QEMU wrote, libkdumpfile reads kernel address 0x10, and finds something there.
#
# Expected: asked for KDUMP_KVADDR 0x10, "a kernel virtual address", libkdumpfile walks the kernel's
# page tables or says that it cannot. Nothing is mapped at 0x10 in a kernel: that is how a NULL
# pointer shows.
# What happens: for ELF dumps, libkdumpfile 0.5.1 believes each segment's p_vaddr first. The
# kernel's own /proc/vmcore has real virtual addresses there, but QEMU's dump-guest-memory without
# paging knows none and writes the physical ones. So every physical address is a valid "virtual"
# address too: the read succeeds with status 0 and gives the bytes of physical 0x10. This script
# makes a small dump of that shape. It is the same with a real kernel's dump in which translation
# works. KDUMP_KPHYSADDR, in contrast, fails until the operating system has been set: only
# KDUMP_MACHPHYSADDR gives exactly what is asked for.
# Why it matters: a debugger that follows ->next through a NULL pointer, or a user address that
# happens to be below the end of RAM, gets plausible garbage (on a PC, the BIOS' interrupt vectors)
# instead of an error. For ELF dumps, translate by page tables of one's own and read
# KDUMP_MACHPHYSADDR.
# Seen with: libkdumpfile 0.5.1-1 (Debian 12).
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

unpack libkdumpfile10=0.5.1-1 libkdumpfile-dev=0.5.1-1

cat >dump.py <<'EOF'
"""dump.py FILE: an ELF dump of 64 KiB of RAM as QEMU shapes it: p_vaddr says what p_paddr says."""
import struct, sys

memory = b"".join(struct.pack("<Q", 0xC0FFEE0000000000 | at) for at in range(0, 0x10000, 8))
prstatus = bytes(336)
note = struct.pack("<III", 5, len(prstatus), 1) + b"CORE\0\0\0\0" + prstatus
headers = 64 + 2 * 56
with open(sys.argv[1], "wb") as file:
    file.write(b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0))
    file.write(struct.pack("<IIQQQQQQ", 4, 0, headers, 0, 0, len(note), len(note), 0))
    file.write(struct.pack("<IIQQQQQQ", 1, 0, 0x1000, 0, 0, len(memory), len(memory), 0))
    file.write(note)
    file.seek(0x1000)
    file.write(memory)
EOF

cat >read.c <<'EOF'
#include <fcntl.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>

static kdump_status look(kdump_ctx_t *dump, const char *name, kdump_addrspace_t space, uint64_t *value)
{
	size_t length = sizeof *value;
	kdump_status status;

	*value = 0;
	status = kdump_read(dump, space, 0x10, value, &length);
	if (status == KDUMP_OK)
		printf("  %-18s 0x10: status 0, value 0x%" PRIx64 "\n", name, *value);
	else
		printf("  %-18s 0x10: status %d, %s\n", name, (int)status, kdump_get_err(dump));
	return status;
}

int main(int argc, char **argv)
{
	kdump_ctx_t *dump = kdump_new();
	uint64_t value, physical;

	if (argc != 2 || dump == NULL || kdump_open_fd(dump, open(argv[1], O_RDONLY)) != KDUMP_OK)
		return 2;
	printf("libkdumpfile %s\n", KDUMPFILE_VERSION_STRING);
	if (look(dump, "KDUMP_MACHPHYSADDR", KDUMP_MACHPHYSADDR, &physical) != KDUMP_OK)
		return 2;
	look(dump, "KDUMP_KPHYSADDR", KDUMP_KPHYSADDR, &value);
	return look(dump, "KDUMP_KVADDR", KDUMP_KVADDR, &value) != KDUMP_OK || value != physical;
}
EOF

python3 dump.py dump
readelf -lW dump | grep -E 'VirtAddr|LOAD'
gcc -I root/usr/include -o read read.c -L root/usr/lib/x86_64-linux-gnu -lkdumpfile
status=0
./read dump || status=$?
case $status in
0) still "kernel virtual address 0x10 is read as physical address 0x10" ;;
1) changed "kernel virtual address 0x10 is no longer read as physical address 0x10" ;;
*) not_run "the dump cannot be read" ;;
esac
