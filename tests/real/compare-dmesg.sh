#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the log that the server finds in a dump with the one that makedumpfile finds.
#
#   compare-dmesg.sh SERVER DUMP
set -u

server=$1
dump=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v makedumpfile >/dev/null || {
    echo "makedumpfile is missing: install the package makedumpfile"
    exit 77
}
makedumpfile --dump-dmesg "$dump" "$work/expected" >"$work/said" 2>&1 || {
    cat "$work/said"
    exit 1
}
"$server" -x dmesg "$dump" >"$work/seen" || exit 1
[ "$(wc -l <"$work/expected")" -gt 100 ] || {
    echo "makedumpfile found a log of $(wc -l <"$work/expected") lines only"
    exit 1
}
diff "$work/expected" "$work/seen" || exit 1

# The same records as JSON: as many as there are times at the start of a line.
records=$("$server" -x 'dmesg --json' "$dump" | grep -c '^{"time":')
times=$(grep -c '^\[ *[0-9]*\.[0-9]*\] ' "$work/seen")
[ "$records" -eq "$times" ] || {
    echo "$records records as JSON, $times as text"
    exit 1
}
