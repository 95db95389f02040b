#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether other tools can make sense of the DWARF that is generated from a dump.
#
#   check_generated_dwarf.sh SERVER DUMP_FILE
#
#   VMCORE_VERIFY_DWARF  if set, llvm-dwarfdump --verify looks at it too: half a minute, for it compares
#                        the place of each function with those of all others
set -eu

server=$1
dump=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$server" --write-symbols "$folder/image" "$dump" 2>"$folder/said" || {
    cat "$folder/said"
    exit 1
}
tried=0
# -N: looking up the name of each address takes minutes.
for tool in "readelf --debug-dump=info,abbrev,aranges,Ranges" \
    "readelf --debug-dump=gdb_index" \
    "eu-readelf -N --debug-dump=info --debug-dump=abbrev --debug-dump=aranges --debug-dump=ranges"; do
    command -v "${tool%% *}" >/dev/null || continue
    tried=1
    $tool "$folder/image" >"$folder/text" 2>"$folder/said"
    if [ -s "$folder/said" ] || ! grep -q task_struct "$folder/text"; then
        echo "$tool:"
        head -n 20 "$folder/said"
        exit 1
    fi
done
verifier=$(command -v llvm-dwarfdump || command -v llvm-dwarfdump-14 || true)
if [ -n "$verifier" ] && [ -n "${VMCORE_VERIFY_DWARF:-}" ]; then
    tried=1
    "$verifier" --verify "$folder/image" >"$folder/said" 2>&1 || {
        tail -n 20 "$folder/said"
        exit 1
    }
fi
[ $tried -eq 1 ] && exit 0
echo "none of readelf, eu-readelf, llvm-dwarfdump is installed"
exit 77
