#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reencode-dumps.sh DUMP_DIR
#
# Makes every other encoding of the dumps that boot_scenario.py has left in DUMP_DIR:
#   kdump.{zlib,lzo,zstd,snappy}  kdump-compressed
#   kdump.d31, kdump.elf-d31      filtered: no zero, cache, user and free pages
#   kdump.split{1,2,3}            a set of three pieces
#   kdump.flat, kdump.elf-flat    flattened, as makedumpfile writes to a pipe
#   {run,panic}.kdump-zlib        QEMU's own kdump files, unflattened
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$1"

# makedumpfile says much on stdout and stderr; all of it only matters when it fails. That it does
# not support a kernel's version is one of its remarks, with exit status 0.
quietly() {
    if ! timeout 300 "$@" >makedumpfile.log 2>&1; then
        echo "reencode-dumps.sh: failed: $*" >&2
        cat makedumpfile.log >&2
        exit 1
    fi
    rm makedumpfile.log
}

flatten() { # OUTPUT OPTION...: standard output is the dump
    output=$1
    shift
    if ! timeout 300 makedumpfile -F "$@" kdump.elf >"$output" 2>makedumpfile.log; then
        echo "reencode-dumps.sh: cannot write $output" >&2
        cat makedumpfile.log >&2
        exit 1
    fi
    rm makedumpfile.log
}

unflatten() { # INPUT OUTPUT
    timeout 300 makedumpfile -R "$2" <"$1" >makedumpfile.log 2>&1 || {
        echo "reencode-dumps.sh: cannot unflatten $1" >&2
        cat makedumpfile.log >&2
        exit 1
    }
    rm makedumpfile.log
}

rm -f kdump.zlib kdump.lzo kdump.zstd kdump.snappy kdump.d31 kdump.elf-d31 kdump.split? \
    kdump.flat kdump.elf-flat run.kdump-zlib panic.kdump-zlib
quietly makedumpfile -c kdump.elf kdump.zlib
quietly makedumpfile -l kdump.elf kdump.lzo
quietly makedumpfile -c -d 31 kdump.elf kdump.d31
quietly makedumpfile -E -d 31 kdump.elf kdump.elf-d31
# Pieces are cut at multiples of the split block: at its 1 GB all would lie in the first.
quietly makedumpfile -l --splitblock-size 16 --split kdump.elf kdump.split1 kdump.split2 kdump.split3
flatten kdump.flat -l
flatten kdump.elf-flat -E -d 31
# Debian's makedumpfile is built without zstd and snappy.
python3 "$here/recompress_kdump.py" zstd kdump.zlib kdump.zstd
python3 "$here/recompress_kdump.py" snappy kdump.zlib kdump.snappy
for name in run panic; do
    unflatten $name.qemu-kdump-zlib $name.kdump-zlib
done
chmod 644 kdump.* ./*.kdump-zlib
