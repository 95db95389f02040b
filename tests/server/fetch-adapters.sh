#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   fetch-adapters.sh FOLDER
#
# Puts debug adapters into FOLDER that no package of Debian's installs beside its lldb: npm's
# cdt-gdb-adapter, and lldb 22's lldb-dap, unpacked (49 MB to fetch, 240 MB there). What cannot be had
# is left out: its tests are skipped then.
set -u

folder=$1
mkdir -p "$folder/debs" || exit 1
cd "$folder" || exit 1

if [ ! -e cdt.done ] && command -v npm >/dev/null && command -v node >/dev/null; then
    npm install --silent --ignore-scripts --no-audit --no-fund --prefix . cdt-gdb-adapter@1.7.0 >npm.log 2>&1 &&
        touch cdt.done || echo "fetch-adapters.sh: npm install cdt-gdb-adapter failed: $folder/npm.log" >&2
fi

# They conflict with lldb 14's Python module, so they are not installed.
packages="lldb-22 liblldb-22 libllvm22 libclang-cpp22 python3-lldb-22"
if [ ! -e lldb.done ] && command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    # One word a package.
    # shellcheck disable=SC2086
    if (cd debs && apt-get download -qq $packages) >apt.log 2>&1; then
        for package in debs/*.deb; do
            dpkg -x "$package" lldb || exit 1
        done
        rm -rf debs
        touch lldb.done
    else
        echo "fetch-adapters.sh: apt-get download $packages failed: $folder/apt.log" >&2
    fi
fi
