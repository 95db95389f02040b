#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-vmcores.sh [--kernel SUITE | --older SUITE | --built] OUTDIR
#
# Makes real vmcores of a Debian kernel with KVM guests of its own, without KVM hardware and
# without being root: downloads the kernel packages, boots them in QEMU's TCG, takes dumps in
# several states, and re-encodes them. OUTDIR/manifest.json lists what there is.
#
#   --kernel SUITE     take the kernel from this Debian suite (bookworm-backports) in place of
#                      what the system's own apt offers
#   --older SUITE      the same, but take only the dumps of one boot, as ELF files
#   --built            build a kernel with frame pointers instead (tests/live/build-kernel.sh), and
#                      take only the dumps of one boot, as ELF files
#   VMCORE_TEST_CACHE  folder for downloaded packages (default: OUTDIR/cache)
#
# A step is skipped as long as its inputs are those of the last time. Exit status 77: a tool is
# missing, and the message says which.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

usage() {
    sed -n 's/^# \{0,1\}//; 3,/^$/p' "$0" >&2
    exit 2
}

die() {
    echo "make-vmcores.sh: $*" >&2
    exit 1
}

need_tools() {
    missing=
    for pair in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio \
        kexec:kexec-tools makedumpfile:makedumpfile gdb:gdb "${CC:-gcc}":gcc python3:python3 \
        apt-get:apt dpkg:dpkg timeout:coreutils fallocate:util-linux xz:xz-utils; do
        command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
    done
    if [ -n "$missing" ]; then
        echo "make-vmcores.sh: install these packages first:$missing" >&2
        exit 77
    fi
}

# A step's stamp: the contents of the scripts and programs it runs, and the stamps before it.
stamp_of() { # FILE...
    cat "$@" | sha256sum | cut -d' ' -f1
}

is_done() { # STEP STAMP
    [ -f "stamps/$1" ] && [ "$(cat "stamps/$1")" = "$2" ]
}

mark_done() { # STEP STAMP
    echo "$2" >"stamps/$1"
}

make_initramfs() {
    stamp=$(stamp_of kernel/stamp "$here/make-initramfs.sh" "$here"/guest/*)
    is_done initramfs "$stamp" && return
    echo "building the initramfs" >&2
    sh "$here/make-initramfs.sh" kernel initramfs initramfs.cpio.gz
    mark_done initramfs "$stamp"
}

take_scenario() { # SCENARIO
    echo "booting the machine: $1" >&2
    rm -rf "boot-$1"
    mkdir "boot-$1"
    timeout --kill-after=30 600 python3 "$here/boot_scenario.py" "$1" kernel initramfs.cpio.gz \
        "boot-$1"
}

# Dumps are made in a folder of their own and moved into place, so that nobody sees half of one.
boot_scenario() { # SCENARIO
    stamp=$(stamp_of stamps/initramfs "$here/boot_scenario.py" "$here/qemu_machine.py" \
        "$here/leave-guest.gdb")
    is_done "boot-$1" "$stamp" && return
    # An emulator that fails is no finding of ours: it has a second chance, and what it said is told.
    take_scenario "$1" || {
        echo "once more" >&2
        take_scenario "$1"
    }
    for dump in "boot-$1"/*.elf; do
        fallocate --dig-holes "$dump"
    done
    mv "boot-$1"/* dumps/
    rmdir "boot-$1"
    mark_done "boot-$1" "$stamp"
}

reencode() {
    stamp=$(stamp_of stamps/boot-main stamps/boot-kdump "$here/reencode-dumps.sh" \
        "$here/recompress_kdump.py")
    is_done reencode "$stamp" && return
    echo "re-encoding the dumps" >&2
    sh "$here/reencode-dumps.sh" dumps
    mark_done reencode "$stamp"
}

suite=
built=
older=
case ${1:-} in
--kernel)
    [ $# -ge 2 ] || usage
    suite=$2
    shift 2
    ;;
--older)
    [ $# -ge 2 ] || usage
    suite=$2
    older=yes
    shift 2
    ;;
--built)
    built=yes
    shift
    ;;
esac
[ $# -eq 1 ] || usage
case $1 in -*) usage ;; esac

need_tools
mkdir -p "$1" || die "cannot make $1"
cd "$1"
mkdir -p stamps dumps
cache=${VMCORE_TEST_CACHE:-$PWD/cache}

if [ -n "$built" ]; then
    sh "$here/../live/build-kernel.sh" .
else
    sh "$here/fetch-kernel.sh" "$cache" kernel ${suite:+"$suite"}
fi
make_initramfs
if [ -n "$built$older" ]; then
    boot_scenario main
    exec python3 "$here/write_manifest.py" . \
        run.elf run-novmcoreinfo.elf run-vmexit.elf run-user.elf panic.elf
fi
for scenario in main kdump nokaslr linux early; do
    boot_scenario $scenario
done
reencode
python3 "$here/write_manifest.py" .
