#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds pages of a kdump-compressed dump against what libkdumpfile reads of the same files.

    check_pages.py MANIFEST DUMP_NAME SERVER

One page in twenty, and the one behind it; tests/memory/kdump_compare without --step compares all.
"""

import os
import subprocess

from oracle import check_main, skip

STEP = 20


def check(dump, command):
    if dump.entry["format"] != "kdump":
        skip("libkdumpfile's pages of ELF dumps are not those of the file")
    program = os.path.join(os.path.dirname(command[0]), "tests/memory/kdump_compare")
    done = subprocess.run([program, "--step", str(STEP), *dump.files], capture_output=True,
                          text=True, check=False)
    return [f"{program} said: {done.stderr}"] if done.returncode else []


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
