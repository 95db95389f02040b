#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From a fresh Debian 12 to a working server, in one command:
#
#   sh contrib/quickstart.sh demo    build it, serve the built-in dump, let gdb look at its vCPU thread
#   sh contrib/quickstart.sh check   build it and run the whole test suite
#
# Installs what is missing with apt-get, as root or by sudo. Builds in build/ below the source.
set -eu

source_dir=$(cd "$(dirname "$0")/.." && pwd)
build_dir=${BUILD_DIR:-$source_dir/build}
jobs=$(nproc 2>/dev/null || echo 2)
# Tests wait a good part of their time: for debuggers, and for machines that boot.
test_jobs=$((jobs + 1))

build_packages="autoconf automake gcc libc6-dev make pkg-config
    libkdumpfile-dev libdw-dev libelf-dev libev-dev libdebuginfod-dev libjson-c-dev
    liblzma-dev libzstd-dev libzydis-dev zlib1g-dev liblzo2-dev libsnappy-dev libarchive-dev
    libseccomp-dev"
demo_packages="gdb"
check_packages="gdb lldb python3 python3-drgn crash libxml2-utils mandoc
    elfutils libcmocka-dev libbpf-dev dwarves valgrind
    qemu-system-x86 strace busybox-static cpio kexec-tools makedumpfile xz-utils zstd
    ca-certificates debuginfod"

say() {
    printf '== %s\n' "$*"
}

fail() {
    printf 'quickstart: %s\n' "$*" >&2
    exit 1
}

# The words that are no installed package.
missing() {
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || state=
        case $state in
        ii*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing packages needs root: run this as root, or install: $wanted"
    fi
}

install_packages() {
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null ||
        fail "this system has no apt-get; install what these Debian packages hold: $wanted"
    say "installing: $wanted"
    as_root apt-get update -qq
    # One word a package.
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted \
        >/dev/null
}

# build FOLDER CONFIGURE-OPTION...
build() {
    folder=$1
    shift
    [ -x "$source_dir/configure" ] && [ "$source_dir/configure" -nt "$source_dir/configure.ac" ] ||
        (cd "$source_dir" && autoreconf -fi)
    mkdir -p "$folder"
    say "building in $folder"
    (cd "$folder" && "$source_dir/configure" --quiet "$@" && make --quiet -j"$jobs")
}

run_demo() {
    # shellcheck disable=SC2086
    install_packages $build_packages $demo_packages
    build "$build_dir"
    say "serving the demo dump; gdb looks at it"
    cd "$build_dir"
    exec make --quiet demo
}

# The value of "# WORD:  N" in a log of automake's, added up over both builds.
total() {
    cat "$build_dir/test-suite.log" "$build_dir/sanitized/test-suite.log" |
        awk -v word="$1:" '$1 == "#" && $2 == word { sum += $3 } END { print sum + 0 }'
}

# make_check FOLDER: its tests. What failed is told once more at the end, with the reasons: that is
# where a log of thousands of lines is looked at first.
make_check() {
    folder=$1
    make -C "$folder" --quiet -j"$test_jobs" check VERBOSE=1 && return
    if [ -f "$folder/test-suite.log" ]; then
        say "what failed"
        awk '/^(not ok|FAIL:|ERROR:)/ { told = 1 } /^(ok|PASS:|SKIP:)/ { told = 0 } told' \
            "$folder/test-suite.log" | tail -n 200
    fi
    return 1
}

run_check() {
    # shellcheck disable=SC2086
    install_packages $build_packages $check_packages
    # Both builds look at the same dumps, and run the same debug adapters.
    VMCORE_REAL_DIR=${VMCORE_REAL_DIR:-$build_dir/real-dumps}
    VMCORE_ADAPTERS_DIR=${VMCORE_ADAPTERS_DIR:-$build_dir/adapters}
    export VMCORE_REAL_DIR VMCORE_ADAPTERS_DIR
    say "debug adapters"
    sh "$source_dir/tests/server/fetch-adapters.sh" "$VMCORE_ADAPTERS_DIR"
    build "$build_dir" --enable-werror
    say "make check"
    make_check "$build_dir"
    build "$build_dir/sanitized" --enable-werror --enable-sanitizers
    say "make check, with AddressSanitizer and UndefinedBehaviorSanitizer"
    # A dump of each kind of reader is enough here.
    VMCORE_REAL_ONLY="run.elf kdump.d31 panic.qemu-kdump-zlib"
    VMCORE_REAL_KEEP=1
    export VMCORE_REAL_ONLY VMCORE_REAL_KEEP
    make_check "$build_dir/sanitized"
    echo "$(total PASS) passed, $(($(total FAIL) + $(total ERROR))) failed, $(total SKIP) skipped"
}

case ${1-} in
demo) run_demo ;;
check) run_check ;;
*) fail "say what to do: demo or check" ;;
esac
