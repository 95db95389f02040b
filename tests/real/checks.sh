# SPDX-License-Identifier: GPL-2.0-or-later
# What the checks on real vmcores share; sourced by *.tap, which print TAP.
#
#   VMCORE_GDBSERVER  the server's binary
#   VMCORE_REAL_DIR   where make-vmcores.sh keeps its dumps
#   VMCORE_REAL_ONLY  the names of the only dumps to look at, for a second pass that should be short
#
# What a missing tool keeps from being checked is a SKIP line that names the tool.
set -u

server=${VMCORE_GDBSERVER:?the path of vmcore-gdbserver}
real_dir=${VMCORE_REAL_DIR:?the folder to keep real dumps in}
manifest=$real_dir/manifest.json

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

finish() {
    echo "1..$count"
    exit $failed
}

# Without dumps there is nothing to check: dumps.tap has said why.
need_dumps() {
    [ -f "$manifest" ] && return
    echo "1..0 # SKIP there are no real dumps in $real_dir"
    exit 0
}

dump_names() {
    sed -n 's/^ *"name": "\(.*\)",$/\1/p' "$manifest"
}

wanted() { # NAME...: those of them that VMCORE_REAL_ONLY leaves
    for name in "$@"; do
        case " ${VMCORE_REAL_ONLY:-$name} " in
        *" $name "*) echo "$name" ;;
        esac
    done
}

# Dumps of machines that did not go down have no trace on the console to compare with.
panicked() { # NAME
    case $1 in
    panic* | kdump*) ;;
    *) return 1 ;;
    esac
}

vmlinux() {
    find "$real_dir/kernel/usr/lib/debug/boot" -name 'vmlinux-*'
}
