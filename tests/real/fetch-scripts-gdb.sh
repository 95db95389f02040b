#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-scripts-gdb.sh MANIFEST: puts Linux's own scripts for gdb (scripts/gdb), of the kernel that
# the dumps are of, into scripts-gdb beside the manifest, and prints that folder. They are in
# Debian's package of the kernel's source: 140 MB, of which 100 KB stay. Ends with 77 and a sentence
# when they cannot be had.
set -eu

real_dir=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)
output=$real_dir/scripts-gdb
series=$(cut -d. -f1,2 "$real_dir/kernel/release")
package=linux-source-$series

skip() {
    echo "$*" >&2
    exit 77
}

if [ -s "$output/linux/utils.py" ]; then
    echo "$output"
    exit 0
fi
command -v apt-get >/dev/null || skip "apt-get is missing: no kernel source to be had"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && timeout 300 apt-get -q -o APT::Sandbox::User= download "$package") >"$work/said" 2>&1 ||
    skip "apt has no $package: Linux's scripts for gdb cannot be had"
# The source is an archive in an archive.
dpkg-deb --fsys-tarfile "$work/$package"_*.deb |
    tar -xO "./usr/src/$package.tar.xz" |
    tar -xJ -C "$work" --wildcards "$package/scripts/gdb/*"
mkdir -p "$output.new"
cp -r "$work/$package/scripts/gdb/." "$output.new"
rm -rf "$output"
mv "$output.new" "$output"
echo "$output"
