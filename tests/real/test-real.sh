#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test-real.sh: checks the server on real vmcores; prints TAP.
#
#   VMCORE_GDBSERVER  the server's binary
#   VMCORE_REAL_DIR   where make-vmcores.sh keeps its dumps; they are made, or brought up to date,
#                     first (unless VMCORE_REAL_KEEP is set)
#
# What a missing tool keeps from being checked is a SKIP line that names the tool.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
server=${VMCORE_GDBSERVER:?the path of vmcore-gdbserver}
real_dir=${VMCORE_REAL_DIR:?the folder to keep real dumps in}
manifest=$real_dir/manifest.json

# The dumps that a debugger with a vmlinux is tried on: one of each way to find the registers.
debugger_dumps="run.elf run-user.elf panic.elf kdump.elf kdump.d31 nokaslr.elf"
# Those that the server is tried on with a vmlinux of its own, one a format.
symbols_dumps="run.elf run-novmcoreinfo.elf kdump.elf kdump.d31 run.qemu-kdump-zlib"

count=0
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

diagnose() { # the last command's output as TAP comments
    sed 's/^/# /' "$output"
}

check() { # DESCRIPTION COMMAND...
    description=$1
    shift
    count=$((count + 1))
    "$@" >"$output" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok $count - $description"
    elif [ $status -eq 77 ]; then
        echo "ok $count - $description # SKIP $(tail -n 1 "$output")"
    else
        echo "not ok $count - $description"
        diagnose
        failed=1
    fi
}

check_dump() { # WHAT SCRIPT DUMP [SERVER_OPTION...]
    what=$1
    script=$2
    dump=$3
    shift 3
    check "$dump: $what" python3 "$here/$script" "$manifest" "$dump" "$server" "$@"
}

dump_names() {
    sed -n 's/^ *"name": "\(.*\)",$/\1/p' "$manifest"
}

vmlinux() {
    find "$real_dir/kernel/usr/lib/debug/boot" -name 'vmlinux-*'
}

# A set without one of its pieces must be refused with a sentence that says so.
refuses_incomplete_set() {
    "$server" -x info "$real_dir/dumps/kdump.split1" "$real_dir/dumps/kdump.split3" && return 1
    "$server" -x info "$real_dir/dumps/kdump.split1" "$real_dir/dumps/kdump.split3" 2>&1 |
        grep -qiE 'piece|missing'
}

if [ -z "${VMCORE_REAL_KEEP:-}" ]; then
    sh "$here/make-vmcores.sh" "$real_dir" >"$output" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        echo "1..0 # SKIP $(tail -n 1 "$output")"
        exit 0
    elif [ $status -ne 0 ]; then
        diagnose
        echo "Bail out! the real dumps cannot be made"
        exit 1
    fi
fi

for dump in $(dump_names); do
    check_dump "says what it found" check_startup.py "$dump"
    check_dump "threads and registers" compare_threads.py "$dump"
    check_dump "memory is the raw dump's" check_memory.py "$dump"
done
for dump in $symbols_dumps; do
    check_dump "threads and registers, the server with a vmlinux" compare_threads.py "$dump" \
        --symbols "$(vmlinux)"
    check_dump "memory, the server with a vmlinux" check_memory.py "$dump" --symbols "$(vmlinux)"
done
check "a split set without a piece is refused" refuses_incomplete_set
for dump in $debugger_dumps; do
    check "$dump: gdb with a vmlinux" python3 "$here/check_gdb.py" "$manifest" "$dump" "$server"
    check "$dump: gdb without a vmlinux" \
        python3 "$here/check_gdb.py" --without-vmlinux "$manifest" "$dump" "$server"
    check_dump "lldb with a vmlinux" check_lldb.py "$dump"
done
echo "1..$count"
exit $failed
