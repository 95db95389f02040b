#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU reads the kernel's decimal phys_base as hexadecimal and writes that into kdump files.
#
# Expected: a Linux guest hands its VMCOREINFO to QEMU (-device vmcoreinfo). There the kernel prints
# NUMBER(phys_base) in decimal (%ld): how far from its linked place its image lies in physical
# memory. QEMU's kdump-compressed files have a field phys_base in their sub-header: the same number.
# What happens: QEMU 7.2 takes the digits for hexadecimal ones. 0x1600000 is printed as 23068672,
# and QEMU writes 0x23068672. The two disagree in one file, and both look like addresses.
# Why it matters: with that field a reader translates the kernel's text and data to wrong physical
# addresses, often outside the machine's memory, and the dump seems to be incomplete or of another
# kernel. Zero is zero in both, so tests with a kernel that was not moved do not see it. Go by the
# VMCOREINFO in the file.
# Seen with: qemu-system-x86 1:7.2+dfsg-7+deb12u18+b3 (Debian 12). No kernel is needed: this script
# plays the guest through QEMU's test and gdb interfaces.
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
	qemu-system-data=1:7.2+dfsg-7+deb12u18
QEMU_MODULE_DIR=$tmp/root/usr/lib/x86_64-linux-gnu/qemu
export QEMU_MODULE_DIR

head -c 65536 /dev/zero >bios
root/usr/bin/qemu-system-x86_64 -nodefaults -display none -machine pc,accel=tcg -m 16 -bios bios -S \
	-device vmcoreinfo -qmp unix:qmp,server=on,wait=off -gdb unix:gdb,server=on,wait=off \
	-qtest unix:test,server=on,wait=off -qtest-log /dev/null &
servers=$!

cat >guest.py <<'EOF'
import json, os, socket, struct, sys, time

PHYS_BASE = 0x1600000


def connect(name):
    for _ in range(100):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(name)
            return connection.makefile("rwb")
        except OSError:
            time.sleep(0.2)
    sys.exit("no connection to " + name)


qmp, gdb, test = connect("qmp"), connect("gdb"), connect("test")


def qtest(command):
    test.write(command.encode() + b"\n")
    test.flush()
    while (words := test.readline().decode().split())[0] == "IRQ":
        pass
    if words[0] != "OK":
        sys.exit("%s: %s" % (command, words))
    return words[1:]


def write(address, data):
    qtest("write %#x %#x 0x%s" % (address, len(data), data.hex()))


def fw_cfg(key, control, address, length):
    """QEMU's configuration device copies from (control 2) or to (control 16) its file of that key."""
    write(0x1000, struct.pack(">IIQ", key << 16 | 8 | control, length, address))
    qtest("outl 0x514 0")
    qtest("outl 0x518 %#x" % int.from_bytes((0x1000).to_bytes(4, "big"), "little"))


def hand_over(note):
    fw_cfg(0x19, 2, 0x2000, 0x1000)  # the list of files
    files = bytes.fromhex(qtest("read 0x2000 0x1000")[0][2:])
    for at in range(4, len(files) - 63, 64):
        _, key, _, name = struct.unpack_from(">IHH56s", files, at)
        if name.rstrip(b"\0") == b"etc/vmcoreinfo":
            write(0x3000, struct.pack("<HHIQ", 1, 1, len(note), 0x4000))
            write(0x4000, note)
            fw_cfg(key, 16, 0x3000, 16)
            return
    sys.exit("QEMU has no etc/vmcoreinfo")


def ask_gdb(packet):
    gdb.write(b"$%s#%02x" % (packet, sum(packet) & 255))
    gdb.flush()
    reply = b""
    while b"#" not in reply:
        reply += gdb.read(1)
    gdb.read(2)
    gdb.write(b"+")
    return reply[reply.index(b"$") + 1:-1]


def set_register(number, value):
    if ask_gdb(b"P%x=%s" % (number, value.to_bytes(8, "little").hex().encode())) != b"OK":
        sys.exit("register %#x was not set" % number)


def do(command, **arguments):
    qmp.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    qmp.flush()
    while not ((reply := json.loads(qmp.readline())).keys() & {"return", "error"}):
        pass
    if "error" in reply:
        sys.exit(str(reply))


text = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nNUMBER(phys_base)=%d\n" % PHYS_BASE
hand_over(struct.pack("<III", 11, len(text), 0) + b"VMCOREINFO\0\0" + text + bytes(-len(text) % 4))
# The processor's control registers by gdb's numbers: long mode, so that QEMU takes the machine for x86-64.
ask_gdb(b"qXfer:features:read:target.xml:0,1000")  # before this, registers cannot be set
set_register(0x1E, 0x20)  # cr4: PAE
set_register(0x20, 0x100)  # efer: LME
set_register(0x1B, 0x80000011)  # cr0: PG, ET, PE
qmp.readline()
do("qmp_capabilities")
do("dump-guest-memory", paging=False, format="kdump-zlib", protocol="file:" + os.path.abspath("dump"))
do("quit")

# QEMU writes kdump files as makedumpfile -F does: pieces, each behind its place and its length.
head = bytearray(0x10000)
with open("dump", "rb") as file:
    file.seek(4096)
    while (piece := struct.unpack(">qq", file.read(16)))[0] >= 0:
        data = file.read(piece[1])
        if piece[0] + piece[1] <= len(head):
            head[piece[0]:piece[0] + piece[1]] = data
block_size, = struct.unpack_from("<I", head, 428)
phys_base, = struct.unpack_from("<Q", head, block_size)
if head[:8] != b"KDUMP   " or text not in head:
    sys.exit("no kdump header with that VMCOREINFO")
print("VMCOREINFO in the file: NUMBER(phys_base)=%d, that is %#x" % (PHYS_BASE, PHYS_BASE))
print("phys_base in the sub-header: %#x" % phys_base)
with open("result", "w") as file:
    file.write("right" if phys_base == PHYS_BASE else "hex" if phys_base == int(str(PHYS_BASE), 16) else "other")
EOF

root/usr/bin/qemu-system-x86_64 --version | head -n 1
timeout 120 python3 guest.py || not_run "the dump was not made"
servers=""
case $(cat result) in
hex) still "the decimal number was read as hexadecimal" ;;
right) changed "QEMU reads phys_base as decimal now" ;;
*) changed "the sub-header has another phys_base" ;;
esac
