#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One answer that comes seven seconds late makes gdb print other addresses' memory to the session's
# end.
#
# Expected: when a remote stub is slow once, gdb waits, or fails that one command; from then on it
# knows which answer belongs to which question, or ends the session.
# What happens: gdb 13.1 gives a read up after six seconds, with an error that reads like a mistake
# of the stub ("Invalid hex digit 116": the t of its own word "timeout"). The answer that arrives a
# second later stays in the pipe and is taken for that of the next question, and so on: each `print`
# shows, without any message, what is in memory at the address that was asked for before it. Here
# the protocol runs without acknowledgements, as gdb itself proposes wherever the stub offers it;
# packets carry no numbers.
# Why it matters: a stub that serves a crash dump has slow moments (a dump on a network disk that
# hangs, a search through all memory). A wrong value in a post-mortem is worse than none. A stub
# must bound the time of every answer and send an error before gdb's patience ends, and must not
# send an answer after the next question has come. Users who know their dump to be slow: `set
# remotetimeout 60`.
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

cat >stub.py <<'EOF'
"""A stub whose memory holds at each address that address; its first answer about 0x10000 is late."""
import os, socket, time

listener = socket.create_server(("127.0.0.1", 0))
with open("port.new", "w") as file:
    file.write(str(listener.getsockname()[1]))
os.rename("port.new", "port")
client, _ = listener.accept()
acknowledge, late, data = True, False, b""


def answer(question):
    global late
    if question.startswith("qSupported"):
        return "PacketSize=1000;QStartNoAckMode+"
    if question.startswith("m"):
        address, length = (int(number, 16) for number in question[1:].split(","))
        if address == 0x10000 and not late:
            late = True
            time.sleep(7)
        return (address.to_bytes(8, "little") * (length // 8 + 1))[:length].hex()
    fixed = {"QStartNoAckMode": "OK", "?": "S05", "qAttached": "1", "g": "00" * 560, "D": "OK"}
    return fixed.get(question, "OK" if question[0] == "H" else "")


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

python3 stub.py &
servers=$!
while ! [ -s port ]; do kill -0 $! || not_run "no server"; sleep 0.1; done
$gdb --version | head -n 1
# One -ex each: an error does not end the session, as it does not when they are typed.
set -- -ex "target remote 127.0.0.1:$(cat port)"
for address in 0x10000 0x20000 0x30000 0x40000 0x50000; do
	set -- "$@" -ex "printf \"asked for the word at $address, shown: %#lx\\n\", *(long *)$address"
done
$gdb -nx -batch -ex 'set architecture i386:x86-64' "$@" >out 2>&1 || :
grep -E 'asked|packet error|Invalid|Cannot' out || cat out
if grep -q 'at 0x20000, shown: 0x10000' out && grep -q 'at 0x50000, shown: 0x40000' out; then
	still "after one late answer gdb shows the memory of the address before"
fi
changed "gdb no longer shows one address's memory as another's after a late answer"
