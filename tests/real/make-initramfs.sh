#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-initramfs.sh KERNEL_DIR WORK_DIR OUTPUT
#
# Builds the test machine's root file system: busybox, kexec, the kernel's KVM, virtio and fw_cfg
# modules, and the programs in guest/. The crash kernel boots an initramfs of its own, which lies
# in this one together with the kernel image.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kernel=$1
work=$2
output=$3

PATH=$PATH:/usr/sbin:/sbin

kvm_modules="irqbypass kvm kvm-amd"
virtio_modules="virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk"

die() {
    echo "make-initramfs.sh: $*" >&2
    exit 1
}

need_tool() {
    command -v "$1" || die "$1 is missing: install the package $2"
}

pack() { # FOLDER FILE
    (cd "$1" && find . | cpio --quiet -o -H newc | gzip -1) >"$2"
}

copy_module() { # NAME ROOT: some kernels ship modules compressed, busybox loads plain ones only
    file=$(find "$kernel/lib/modules" -name "$1.ko" -o -name "$1.ko.xz" | head -n 1)
    case $file in
    '') die "the kernel package has no module $1" ;;
    *.xz) xz -dc "$file" >"$2/modules/$1.ko" ;;
    *) cp "$file" "$2/modules/$1.ko" ;;
    esac
}

copy_with_libraries() { # PROGRAM ROOT
    cp "$1" "$2/bin/"
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$2$(dirname "$library")"
        cp -L "$library" "$2$library"
    done
}

base_root() { # ROOT MODULES...
    root=$1
    shift
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev"
    cp "$busybox" "$root/bin/busybox"
    for applet in $("$busybox" --list | grep -vx busybox); do
        ln -s busybox "$root/bin/$applet"
    done
    cp "$here/guest/init" "$root/init"
    chmod +x "$root/init"
    for module in "$@"; do
        copy_module "$module" "$root"
    done
}

compile() { # NAME ROOT
    "${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$2/bin/$1" "$here/guest/$1.c"
}

busybox=$(need_tool busybox busybox-static)
kexec=$(need_tool kexec kexec-tools)
need_tool cpio cpio >/dev/null

mkdir -p "$work"
# shellcheck disable=SC2086 # lists of names
base_root "$work/crash" $virtio_modules
pack "$work/crash" "$work/crash.cpio.gz"

# shellcheck disable=SC2086
base_root "$work/root" $kvm_modules qemu_fw_cfg
copy_with_libraries "$kexec" "$work/root"
compile vmhost "$work/root"
compile workload "$work/root"
mkdir "$work/root/boot"
cp "$kernel"/boot/vmlinuz-* "$work/root/boot/vmlinuz"
cp "$work/crash.cpio.gz" "$work/root/boot/initrd"
pack "$work/root" "$output.new"
mv "$output.new" "$output"
