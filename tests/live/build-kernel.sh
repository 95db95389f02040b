#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build-kernel.sh DIR [JOBS]
#
# Builds the kernel of devmem/kernel.config from Debian's linux-source in DIR/tree, and lays it out
# in DIR/kernel as fetch-kernel.sh lays out a packaged one. Nothing is done when DIR/kernel is there
# already and was made of the same source and configuration. When something that the build needs is
# missing, it says what to install and ends with status 77.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=$1
jobs=${2:-$(nproc)}
options=$here/devmem/kernel.config
archive=${VMCORE_DEVMEM_SOURCE:-$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort -V | tail -n 1)}

die() {
    echo "build-kernel.sh: $*" >&2
    exit 1
}

skip() {
    echo "build-kernel.sh: $*" >&2
    exit 77
}

check_needs() {
    { [ -n "$archive" ] && [ -s "$archive" ]; } ||
        skip "there is no kernel source: install the package linux-source"
    missing=
    for need in gcc:gcc ld:binutils make:make flex:flex bison:bison bc:bc xz:xz-utils tar:tar \
        perl:perl pahole:dwarves; do
        command -v "${need%%:*}" >/dev/null || missing="$missing ${need#*:}"
    done
    for need in openssl/opensslv.h:libssl-dev libelf.h:libelf-dev; do
        echo "#include <${need%%:*}>" | gcc -E - >/dev/null 2>&1 || missing="$missing ${need#*:}"
    done
    [ -z "$missing" ] || skip "the kernel cannot be built: install$missing"
}

run_make() { # ARGUMENT...: with its output in a file, whose end is shown if it fails
    make -C "$tree/source" O="$tree/build" -j"$jobs" "$@" >>"$tree/log" 2>&1 || {
        tail -n 30 "$tree/log" >&2
        die "make $* failed: all that it said is in $tree/log"
    }
}

unpack() {
    rm -rf "$tree"
    mkdir -p "$tree/source" "$tree/build"
    tar -xf "$archive" -C "$tree/source" --strip-components=1
}

# Kconfig drops without a word what it does not know or what lacks something else.
check_options() {
    lost=
    while read -r line; do
        case $line in
        CONFIG_*=*) grep -qxF "$line" "$tree/build/.config" || lost="$lost ${line#CONFIG_}" ;;
        '# CONFIG_'*' is not set')
            name=${line#\# }
            ! grep -q "^${name%% *}=" "$tree/build/.config" || lost="$lost ${name%% *}=n" ;;
        esac
    done <"$options"
    [ -z "$lost" ] || die "this source does not take these options of $options:$lost"
}

configure() {
    run_make tinyconfig
    (cd "$tree/build" && "$tree/source/scripts/kconfig/merge_config.sh" -m .config "$options") \
        >>"$tree/log" 2>&1 || die "the options cannot be merged: see $tree/log"
    run_make olddefconfig
    check_options
}

lay_out() {
    release=$(cat "$tree/build/include/config/kernel.release")
    new=$output/kernel.new
    rm -rf "$output/kernel" "$new"
    mkdir -p "$new/boot" "$new/usr/lib/debug/boot"
    run_make modules_install INSTALL_MOD_PATH="$new" INSTALL_MOD_STRIP=1 DEPMOD=true
    run_make modules_install INSTALL_MOD_PATH="$new/usr/lib/debug" DEPMOD=true
    find "$new" -type l -delete
    cp "$tree/build/arch/x86/boot/bzImage" "$new/boot/vmlinuz-$release"
    cp "$tree/build/vmlinux" "$new/usr/lib/debug/boot/vmlinux-$release"
    echo "$release" >"$new/release"
    echo "$stamp" >"$new/stamp"
    mv "$new" "$output/kernel"
}

check_needs
mkdir -p "$output"
output=$(CDPATH='' cd -- "$output" && pwd)
tree=$output/tree
stamp="$(sha256sum <"$archive") $(cat "$options" "$0" | sha256sum)"
if [ -f "$output/kernel/stamp" ] && [ "$(cat "$output/kernel/stamp")" = "$stamp" ]; then
    exit 0
fi
echo "building a kernel of $archive in $tree: this takes a while" >&2
unpack
configure
run_make bzImage modules
lay_out
rm -rf "$tree"
