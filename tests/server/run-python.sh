#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a test that is a Python script; without Python it is skipped. Nothing is written beside it.
command -v python3 >/dev/null || {
    echo "1..0 # SKIP python3 is missing"
    exit 0
}
exec python3 -B "$@"
