#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attaches a stock lldb with a vmlinux of its own to one dump.

    check_lldb.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Nothing is typed to make up for KASLR. lldb 14 never ends unwinding by .debug_frame through some
functions (kauditd_thread of 6.1, whatever the server is), so it gets a copy of the vmlinux without that
section, kept beside the dumps: it then reads the code and finds its way.
"""

import os
import re
import shutil

from oracle import check_main, run, skip
from server_process import Server

THREAD = re.compile(r"^[* ] thread #\d+: tid = (0x[0-9a-f]+|\d+)", re.MULTILINE)
ADDRESS = re.compile(r"^\(task_struct \*\) \$\d+ = (0x[0-9a-f]+)", re.MULTILINE)
CONTEXTS = 20000000


def without_debug_frame(dump):
    copy = dump.path("no-debug-frame-" + os.path.basename(dump.vmlinux))
    if not os.path.exists(copy) or os.path.getmtime(copy) < os.path.getmtime(dump.vmlinux):
        # Under another name first: two checks may do this at once.
        unfinished = f"{copy}.{os.getpid()}"
        run(["objcopy", "--remove-section=.debug_frame", "--remove-section=.rela.debug_frame",
             dump.vmlinux, unfinished], "objcopy")
        os.replace(unfinished, copy)
    return copy


def lldb_says(dump, server):
    command = ["lldb", "--no-lldbinit", "--batch",
               "-o", f"gdb-remote {server.host}:{server.port}",
               "-o", "thread list", "-o", "expression -- &init_task",
               "-o", "x/s &linux_banner", without_debug_frame(dump)]
    return run(command, "lldb").decode("utf-8", "replace")


def check(dump, command):
    if shutil.which("lldb") is None:
        skip("lldb is missing: install the package lldb")
    if shutil.which("objcopy") is None:
        skip("objcopy is missing: install the package binutils")
    with Server(command, dump.files) as server:
        text = lldb_says(dump, server)
    listed = {int(tid, 0) for tid in THREAD.findall(text)}
    # No tasks: check_contexts.py looks at those.
    listed -= {tid for tid in listed if tid >= CONTEXTS}
    expected = {thread["tid"] for thread in dump.threads}
    lines = [f"thread {tid} is in {'the oracle' if tid in expected else 'lldb'} only"
             for tid in sorted(listed ^ expected)]
    address = ADDRESS.search(text)
    if address is None or int(address.group(1), 16) != int(dump.facts["symbols"]["init_task"], 16):
        lines.append(f"&init_task should be {dump.facts['symbols']['init_task']}; lldb said:\n{text}")
    if dump.facts["banner"].strip() not in text:
        lines.append(f"linux_banner is wrong; lldb said:\n{text}")
    return lines


if __name__ == "__main__":
    check_main(__doc__, check)
