#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks what the server says when it starts on one dump.

    check_startup.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]
"""

import re

from oracle import PANIC, check_main
from server_process import Server


def expectations(dump):
    """(what, regular expression) of every line that must be there."""
    entry = dump.entry
    yield "the release", re.escape(entry["release"])
    yield "the architecture", r"x86[-_]64"
    yield "the CPUs", r"\b2\b.*CPU|CPU.*\b2\b"
    yield "the format", r"\bELF\b" if entry["format"] == "elf" else r"kdump"
    if entry["compression"]:
        yield "the compression", re.escape(entry["compression"])
    panic = dump.panic()
    if panic:
        yield "the panic message", re.escape(PANIC.search(panic[0])[1])
    yield "how many tasks there are", rf"\b({len(dump.threads)}|{count_tasks(dump)})\b"
    yield "the gdb line to paste", r"target remote"


def count_tasks(dump):
    return sum(thread["kind"] == "task" for thread in dump.threads)


def check(dump, command):
    with Server(command, dump.files) as server:
        said = "\n".join(server.start_up + server.rest_of_greeting())
    return [f"the start-up summary does not show {what}:\n{said}"
            for what, pattern in expectations(dump)
            if not re.search(pattern, said, re.IGNORECASE)]


if __name__ == "__main__":
    check_main(__doc__, check)
