#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check_types_store.sh SERVER ARCHIVE VMLINUX MODULES COMPARER...
#
# Writes what the debug files tell to ARCHIVE by --write-types, and compares the kernel's types in it with
# those of VMLINUX by the programs COMPARER (tests/names/), of which libbpf's reads the file alone.
set -eu
server=$1
archive=$2
vmlinux=$3
modules=$4
shift 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$server" --write-types "$archive" --symbols "$vmlinux" --symbols "$modules"
size=$(wc -c <"$archive")
echo "$archive: $size bytes"
# 600 MB of debug files become what fits an attachment.
[ "$size" -lt 8000000 ]
tar xf "$archive" -C "$folder"
reduced=$(find "$folder" -name 'vmlinux-*')
[ "$(readelf -n "$reduced" | grep 'Build ID')" = "$(readelf -n "$vmlinux" | grep 'Build ID')" ]
for comparer in "$@"; do
    case $comparer in
    *libbpf*) "$comparer" "$reduced" ;;
    *) "$comparer" "$vmlinux" "$reduced" ;;
    esac
done
