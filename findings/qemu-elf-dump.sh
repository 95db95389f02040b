#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# makedumpfile finds no memory, and eu-readelf no notes, in ELF dumps that QEMU writes.
#
# Expected: an ELF header says where the program headers are (e_phoff). QEMU's dump-guest-memory
# writes an ELF core with two notes for each CPU and its RAM; every tool for dumps reads it.
# binutils' readelf does.
# What happens: QEMU 7.2 puts a small section header table (a name table, nothing else) between the
# ELF header and the program headers, which therefore begin at 192 instead of at 64. makedumpfile
# 1.7.2 does not look at e_phoff: it reads the program headers behind the ELF header, finds no
# PT_LOAD and fails ("Can't get the number of PT_LOAD"). eu-readelf -n 0.188 prints nothing, with
# exit status 0: where a file has sections it looks for notes in them alone. Move the program
# headers to 64 and drop the sections, and both read the same file. QEMU's header also claims to be
# 8 bytes long (e_ehsize; it is 64).
# Why it matters: a dump of a virtual machine looks broken, or as if it had neither registers nor
# VMCOREINFO, and has both. To filter or compress it with makedumpfile, move the headers as below. A
# reader of dumps has to go by e_phoff, must not conclude from sections that there are no notes
# elsewhere, and must not believe e_ehsize.
# Seen with: qemu-system-x86 1:7.2+dfsg-7+deb12u18+b3, makedumpfile 1:1.7.2-1, elfutils 0.188-2.1
# (Debian 12).
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
unpack qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 qemu-system-common=1:7.2+dfsg-7+deb12u18+b3 \
	qemu-system-data=1:7.2+dfsg-7+deb12u18 makedumpfile=1:1.7.2-1 \
	elfutils=0.188-2.1 libelf1=0.188-2.1 libdw1=0.188-2.1
QEMU_MODULE_DIR=$tmp/root/usr/lib/x86_64-linux-gnu/qemu
export QEMU_MODULE_DIR

# A machine that never runs is enough: its memory is what it is at power-on.
head -c 65536 /dev/zero >bios
root/usr/bin/qemu-system-x86_64 -nodefaults -display none -machine pc,accel=tcg -m 16 -bios bios -S \
	-qmp unix:qmp,server=on,wait=off &
servers=$!

cat >dump.py <<'EOF'
"""dump.py FILE PLAIN: has QEMU write FILE; PLAIN is the same with the program headers at 64 and no sections."""
import json, os, socket, struct, sys, time

for _ in range(100):
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect("qmp")
        break
    except OSError:
        time.sleep(0.2)
stream = connection.makefile("rw")
stream.readline()
for command in ({"execute": "qmp_capabilities"},
                {"execute": "dump-guest-memory",
                 "arguments": {"paging": False, "protocol": "file:" + os.path.abspath(sys.argv[1])}},
                {"execute": "quit"}):
    stream.write(json.dumps(command) + "\n")
    stream.flush()
    while not ((reply := json.loads(stream.readline())).keys() & {"return", "error"}):
        pass
    if "error" in reply:
        sys.exit(str(reply))

with open(sys.argv[1], "rb") as file:
    dump = bytearray(file.read())
e_phoff, e_shoff = struct.unpack_from("<QQ", dump, 32)
e_ehsize, e_phentsize, e_phnum = struct.unpack_from("<HHH", dump, 52)
print("e_phoff %d, e_shoff %d, e_ehsize %d, e_phnum %d" % (e_phoff, e_shoff, e_ehsize, e_phnum))
size = e_phnum * e_phentsize
dump[64:64 + size] = dump[e_phoff:e_phoff + size]
struct.pack_into("<QQ", dump, 32, 64, 0)
struct.pack_into("<HHHHHH", dump, 52, 64, e_phentsize, e_phnum, 0, 0, 0)
with open(sys.argv[2], "wb") as file:
    file.write(dump)
EOF

root/usr/bin/qemu-system-x86_64 --version | head -n 1
root/usr/bin/makedumpfile -v | head -n 1
root/usr/bin/eu-readelf --version | head -n 1
timeout 120 python3 dump.py qemu plain || not_run "QEMU did not write the dump"
servers=""
for file in qemu plain; do
	readelf -nW $file | grep -c -E '^  (CORE|QEMU)' >$file.readelf || :
	root/usr/bin/eu-readelf -n $file >$file.notes && status=$? || status=$?
	grep -c -E '^  (CORE|QEMU)' $file.notes >$file.eu || :
	root/usr/bin/makedumpfile -d 0 $file $file.made >$file.log 2>&1 && made=$? || made=$?
	echo "$file: readelf -n: $(cat $file.readelf) notes; eu-readelf -n: $(cat $file.eu) notes, status $status;" \
		"makedumpfile: status $made $(grep -o "get_elf_info.*" $file.log || :)"
done
[ "$(cat qemu.readelf plain.readelf plain.eu | tr '\n' ' ')$made" = "2 2 2 0" ] ||
	not_run "the dump or its plain copy is not as it should be"
if [ "$(cat qemu.eu)" = 0 ] && [ "$status" = 0 ] && grep -q "number of PT_LOAD" qemu.log; then
	still "makedumpfile and eu-readelf -n cannot read where QEMU puts the program headers"
fi
changed "makedumpfile or eu-readelf -n or QEMU has learnt"
