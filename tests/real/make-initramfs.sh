#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-initramfs.sh KERNEL_DIR WORK_DIR OUTPUT
#
# Builds the test machine's root file system: busybox, kexec, the kernel's KVM, virtio and fw_cfg
# modules, and the programs in guest/. The crash kernel boots an initramfs of its own, which lies
# in this one together with the kernel image; so does a guest that runs Linux.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kernel=$1
work=$2
output=$3

PATH=$PATH:/usr/sbin:/sbin

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

# Some kernels have one or the other built in, and some ship modules compressed; busybox loads
# plain ones only.
copy_modules() { # FOLDER NAME...
    folder=$1
    shift
    mkdir -p "$folder"
    for name in "$@"; do
        file=$(find "$kernel/lib/modules" -name "$name.ko" -o -name "$name.ko.xz" | head -n 1)
        case $file in
        '') is_built_in "$name" || is_in_virtio_pci "$name" ||
            die "the kernel package has no module $name" ;;
        *.xz) xz -dc "$file" >"$folder/$name.ko" ;;
        *) cp "$file" "$folder/$name.ko" ;;
        esac
    done
}

is_built_in() { # NAME
    grep -q "/$1\.ko\$" "$kernel"/lib/modules/*/modules.builtin
}

# They are modules of their own since 5.12.
is_in_virtio_pci() { # NAME
    [ "$1" = virtio_pci_modern_dev ] || [ "$1" = virtio_pci_legacy_dev ]
}

copy_with_libraries() { # PROGRAM ROOT
    cp "$1" "$2/bin/"
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$2$(dirname "$library")"
        cp -L "$library" "$2$library"
    done
}

base_root() { # ROOT
    root=$1
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev"
    cp "$busybox" "$root/bin/busybox"
    for applet in $("$busybox" --list | grep -vx busybox); do
        ln -s busybox "$root/bin/$applet"
    done
    cp "$here/guest/init" "$root/init"
    chmod +x "$root/init"
}

compile() { # NAME ROOT
    "${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$2/bin/$1" "$here/guest/$1.c"
}

busybox=$(need_tool busybox busybox-static)
kexec=$(need_tool kexec kexec-tools)
need_tool cpio cpio >/dev/null

mkdir -p "$work"
base_root "$work/crash"
copy_modules "$work/crash/modules/virtio" virtio virtio_ring virtio_pci_modern_dev \
    virtio_pci_legacy_dev virtio_pci virtio_blk
cp "$here/guest/guest-init" "$work/crash/"
chmod +x "$work/crash/guest-init"
compile workload "$work/crash"
pack "$work/crash" "$work/crash.cpio.gz"

base_root "$work/root"
copy_modules "$work/root/modules/kvm" irqbypass kvm kvm-amd
copy_modules "$work/root/modules/fw_cfg" qemu_fw_cfg
copy_with_libraries "$kexec" "$work/root"
compile vmhost "$work/root"
compile linuxvm "$work/root"
compile workload "$work/root"
mkdir "$work/root/boot"
cp "$kernel"/boot/vmlinuz-* "$work/root/boot/vmlinuz"
cp "$work/crash.cpio.gz" "$work/root/boot/initrd"
pack "$work/root" "$output.new"
mv "$output.new" "$output"
