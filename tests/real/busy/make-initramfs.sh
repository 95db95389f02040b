#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-initramfs.sh REAL_DIR OUTPUT
#
# The initramfs of the machine that is busy or traced: that of the test machine, which dumps.tap has
# made in REAL_DIR, with another init and more programs behind it. The later of two files counts.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
base=$1/initramfs.cpio.gz
work=$2.d

[ -f "$base" ] || {
    echo "$base is not there: make check TESTS=tests/real/dumps.tap makes it" >&2
    exit 77
}
rm -rf "$work"
mkdir -p "$work/bin"
for name in busy bpf_trace edges; do
    "${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$work/bin/$name" "$here/$name.c"
done
"${CC:-gcc}" -m32 -nostdlib -static -o "$work/bin/edges32" "$here/edges32.S"
cp "$here/init" "$work/init"
chmod +x "$work/init"
{
    cat "$base"
    (cd "$work" && find . | cpio --quiet -o -H newc | gzip -1)
} >"$2.new"
rm -rf "$work"
mv "$2.new" "$2"
