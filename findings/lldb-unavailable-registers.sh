#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lldb shows a register that the stub calls unavailable as 0xcccccccccccccccc, and may do so with
# rip.
#
# Expected: in the GDB protocol's answers about registers, a pair "xx" in place of two hexadecimal
# digits says that the value is not available. gdb prints <unavailable>; lldb should print something
# of that kind.
# What happens: lldb 14 prints rbx = 0xcccccccccccccccc, as if it had been read. Where the stub
# answers `p` packets, that is so for the one register. Where it answers `g` alone (all registers at
# once), lldb stops reading at the first "xx": every register behind it has 0xcc in each byte as
# well, the valid rip included, and the backtrace starts at 0xcccccccccccccccc.
# Why it matters: in a crash dump most tasks have only the few registers that their switch saved, so
# "xx" is the rule, not an exception. 0xcc is what uninitialised memory and int3 padding look like,
# which sends people hunting for a corruption that is not there. A server has to recognise lldb and
# answer `p` for such a register with E45 instead: then lldb says "unavailable".
# Seen with: lldb-14 1:14.0.6-12 (Debian 12).
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
unpack lldb-14=1:14.0.6-12 liblldb-14=1:14.0.6-12
lldb=root/usr/lib/llvm-14/bin/lldb

cat >stub.py <<'EOF'
"""stub.py p|g: a stub whose register rbx is unavailable; it answers p packets, or g packets only."""
import os, socket, sys

wide = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
narrow = "eflags cs ss ds es fs gs".split()
description = ('<?xml version="1.0"?><target><architecture>i386:x86-64</architecture>'
               '<feature name="org.gnu.gdb.i386.core">'
               + "".join('<reg name="%s" bitsize="64"/>' % name for name in wide)
               + "".join('<reg name="%s" bitsize="32"/>' % name for name in narrow) + "</feature></target>")
values = [(0x1111000000000000 + number).to_bytes(8, "little").hex() for number in range(len(wide))]
values[wide.index("rbx")] = "xx" * 8
values[wide.index("rip")] = (0xFFFFFFFF81000000).to_bytes(8, "little").hex()
values += ["00000000"] * len(narrow)


def answer(question):
    if question.startswith("qSupported"):
        return "PacketSize=4000;qXfer:features:read+"
    if question.startswith("qXfer:features:read:target.xml:"):
        offset, length = (int(number, 16) for number in question.split(":")[-1].split(","))
        return ("m" if offset + length < len(description) else "l") + description[offset:offset + length]
    if question[0] == "g":
        return "".join(values)
    if question[0] == "p" and sys.argv[1] == "p":
        return values[int(question[1:].split(";")[0], 16)]
    if question[0] == "m":
        return "E0e"
    triple = "triple:%s;ptrsize:8;endian:little;" % b"x86_64-unknown-linux-gnu".hex()
    fixed = {"QStartNoAckMode": "OK", "?": "T05thread:1;", "qC": "QC1", "qfThreadInfo": "m1", "qsThreadInfo": "l",
             "qHostInfo": triple, "k": "X09", "D": "OK"}
    return fixed.get(question, "OK" if question[0] == "H" else "")


listener = socket.create_server(("127.0.0.1", 0))
with open("port.new", "w") as file:
    file.write(str(listener.getsockname()[1]))
os.rename("port.new", "port")
client, _ = listener.accept()
acknowledge, data = True, b""
while True:
    received = client.recv(4096)
    if not received:
        break
    data += received
    while (start := data.find(b"$")) >= 0 and len(data) >= (end := data.find(b"#", start)) + 3 and end > 0:
        question, data = data[start + 1:end].decode(), data[end + 3:]
        text = answer(question).encode()
        client.sendall((b"+" if acknowledge else b"") + b"$%s#%02x" % (text, sum(text) & 255))
        if question == "QStartNoAckMode":
            acknowledge = False
EOF

$lldb --version 2>/dev/null
for packets in p g; do
	python3 stub.py "$packets" &
	servers="$servers $!"
	while ! [ -s port ]; do kill -0 $! || not_run "no server"; sleep 0.1; done
	echo "the stub answers $packets packets, with xx for rbx:"
	timeout 120 $lldb --no-lldbinit --batch -o "gdb-remote 127.0.0.1:$(cat port)" \
		-o 'register read rax rbx rcx rip' >out.$packets 2>err.$packets || :
	rm port
	grep -E '(rax|rbx|rcx|rip) =|frame #0' out.$packets || cat out.$packets err.$packets
done
[ "$(cat out.? | grep -c 'rax = 0x1111000000000000')" = 2 ] ||
	not_run "lldb did not read registers"
if grep -q 'rbx = 0xcccccccccccccccc' out.p && grep -q 'rip = 0xffffffff81000000' out.p &&
	grep -q 'rbx = 0xcccccccccccccccc' out.g && grep -q 'rip = 0xcccccccccccccccc' out.g; then
	still "lldb shows 0xcccccccccccccccc for an unavailable register, with g for those behind it too"
fi
changed "lldb shows unavailable registers in another way"
