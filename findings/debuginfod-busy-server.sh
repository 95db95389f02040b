#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A debuginfod server that is busy for one second has no debug file for ten minutes.
#
# Expected: HTTP's 404 says "there is no such file", 503 with Retry-After "ask again in a second",
# 500 and 429 likewise something about the server, not about the file. A client library should let
# its user tell them apart, and keep only the 404 in mind.
# What happens: libdebuginfod 0.188 returns -ENOENT for all of them, and puts an empty file into its
# cache for each. While that is younger than cache_miss_s (600 seconds) nobody who uses that cache
# asks the server again: not this process, nor gdb, drgn, eu-addr2line or perf of the same user.
# Why it matters: the first thing somebody does with a kernel crash dump is to fetch a debug
# vmlinux, the largest file that such servers have; the busy answer is common just then. The tool
# says "no such file", one looks for the reason in the build-id, and trying again does not help.
# Remedy: write 0 into cache_miss_s in the cache's folder, or remove the empty file.
# Seen with: libdebuginfod1 0.188-2.1 (Debian 12).
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
unpack libdebuginfod1=0.188-2.1 libdebuginfod-dev=0.188-2.1

cat >server.py <<'EOF'
"""Answers the first request for each build-id with the status its first digits name; then has the file."""
import http.server, os

asked = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        build_id = self.path.split("/")[2]
        asked[build_id] = asked.get(build_id, 0) + 1
        with open("requests", "a") as log:
            log.write(build_id[:3] + "\n")
        body = b"the debug file"
        self.send_response(200 if asked[build_id] > 1 else int(build_id[:3]))
        if asked[build_id] == 1:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
EOF

cat >fetch.c <<'EOF'
#include <elfutils/debuginfod.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	debuginfod_client *client = debuginfod_begin();
	int fd;

	if (argc != 2 || client == NULL)
		return 2;
	fd = debuginfod_find_debuginfo(client, (const unsigned char *)argv[1], 0, NULL);
	puts(fd >= 0 ? "found" : strerror(-fd));
	debuginfod_end(client);
	return 0;
}
EOF
gcc -I root/usr/include -o fetch fetch.c -L root/usr/lib/x86_64-linux-gnu -ldebuginfod

python3 server.py &
servers=$!
while ! [ -s port ]; do kill -0 $! || not_run "no server"; sleep 0.1; done
: >requests
DEBUGINFOD_URLS=http://127.0.0.1:$(cat port)
DEBUGINFOD_CACHE_PATH=$tmp/cache
export DEBUGINFOD_URLS DEBUGINFOD_CACHE_PATH
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY || :
basename "$(readlink root/usr/lib/x86_64-linux-gnu/libdebuginfod.so.1)"
echo "status of the first answer; then the server has the file:"
for status in 404 429 500 503; do
	id=${status}0000000000000000000000000000000000000
	first=$(./fetch $id)
	sleep 2
	second=$(./fetch $id)
	echo "  $status: at first: $first; 2 seconds later: $second; requests seen: $(grep -c $status requests)"
	echo "$first/$second/$(grep -c $status requests)" >>results
done
echo "cache_miss_s: $(cat cache/cache_miss_s), and of 503 the cache has: $(stat -c '%s bytes in %n' cache/503*/debuginfo)"
echo 0 >cache/cache_miss_s
echo "with 0 in cache_miss_s: $(./fetch 5030000000000000000000000000000000000000)"
[ "$(sort -u results)" = "No such file or directory/No such file or directory/1" ] &&
	still "a busy server's answer counts as a file that does not exist, and the question is not asked again"
changed "the four answers are no longer treated alike: $(tr '\n' ' ' <results)"
