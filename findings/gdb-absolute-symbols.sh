#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gdb moves absolute symbols when the program has been loaded elsewhere.
#
# Expected: a symbol of section SHN_ABS is a number, not a place. The ELF specification: its value
# "will not change because of relocation". nm, ld.so and the kernel's own relocation leave it alone.
# What happens: when the stub answers qOffsets (that is how a kernel's KASLR offset reaches gdb),
# gdb 13.1 adds the offset to absolute symbols, too: `fixed = 0x1234` becomes 0x19001234.
# `symbol-file -o` does it as well. So `print &fixed` is wrong, and so is every expression that has
# it.
# Why it matters: a vmlinux has absolute symbols with a meaning. On x86-64 they are phys_startup_64,
# kexec_control_code_size and the init_per_cpu__* of the boot CPU; in kernels such as Debian's 5.10
# also the checksums of all exported symbols, __crc_*. Somebody who reads a crash dump of a kernel
# with KASLR gets each of them increased by the slide, which differs from boot to boot, and nothing
# says so.
# Seen with: gdb-minimal 13.1-3 (Debian 12).
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
unpack gdb-minimal=13.1-3
gdb=root/usr/bin/gdb

cat >kernel.s <<'EOF'
	.globl	_start, fixed
	.set	fixed, 0x1234
	.text
_start:	nop
EOF
cat >kernel.ld <<'EOF'
PHDRS { text PT_LOAD; }
SECTIONS { . = 0xffffffff81000000; .text : { *(.text) } :text }
EOF
as -o kernel.o kernel.s
ld -T kernel.ld -o kernel kernel.o

cat >stub.py <<'EOF'
"""A stub that says: what was linked at 0xffffffff81000000 is at 0xffffffff9a000000."""
import os, socket

listener = socket.create_server(("127.0.0.1", 0))
with open("port.new", "w") as file:
    file.write(str(listener.getsockname()[1]))
os.rename("port.new", "port")
client, _ = listener.accept()
answers = {"qSupported": "PacketSize=1000", "?": "S05", "qAttached": "1", "g": "00" * 560, "D": "OK",
           "qOffsets": "TextSeg=ffffffff9a000000"}
data = b""
while True:
    received = client.recv(4096)
    if not received:
        break
    data += received
    while (start := data.find(b"$")) >= 0 and len(data) >= (end := data.find(b"#", start)) + 3 and end > 0:
        question, data = data[start + 1:end].decode(), data[end + 3:]
        if question[0] == "m":
            text = "00" * int(question.split(",")[1], 16)
        else:
            text = answers.get(question.split(":")[0], "OK" if question[0] == "H" else "")
        client.sendall(b"+$%s#%02x" % (text.encode(), sum(text.encode()) & 255))
EOF

python3 stub.py &
servers=$!
while ! [ -s port ]; do kill -0 $! || not_run "no server"; sleep 0.1; done
$gdb --version | head -n 1
echo "as linked (readelf):"
readelf -sW kernel | grep -E ' (fixed|_start)$'
for way in "target remote 127.0.0.1:$(cat port)" 'symbol-file -o 0x19000000 kernel'; do
	echo "gdb, after: ${way%127*}"
	case $way in target*) file=kernel ;; *) file= ;; esac
	# shellcheck disable=SC2086
	$gdb -nx -batch -ex 'set confirm off' -ex "$way" -ex 'printf "fixed  %#lx\n", (long)&fixed' \
		-ex 'printf "_start %#lx\n", (long)&_start' $file 2>&1 | grep -E '^(fixed|_start)' | tee -a out
done
[ "$(grep -c '^_start 0xffffffff9a000000$' out)" = 2 ] || not_run "gdb did not move the program"
[ "$(grep -c '^fixed  0x19001234$' out)" = 2 ] && still "gdb adds the offset of the program to absolute symbols"
changed "gdb leaves absolute symbols alone"
