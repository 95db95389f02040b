#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attaches a stock gdb, with a vmlinux of its own or without, to one dump.

    check_gdb.py [--without-vmlinux] MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

With a vmlinux nothing is typed to make up for KASLR: addresses, strings and the backtrace of a
sleeping task must be right all the same. gdb's index of the vmlinux is cached beside the dumps.
"""

import json
import os
import re
import shutil
import sys

from oracle import HERE, check_main, run, skip
from server_process import Server

SLEEPER = "in poll"
MARK = "GDB-REPORT "


def gdb_sees(dump, server, with_vmlinux):
    """gdb_report.py's report."""
    command = ["gdb", "-nx", "-batch", "-iex", "set index-cache enabled on",
               "-iex", f"set index-cache directory {dump.path('gdb-index')}",
               "-ex", f"target remote {server.host}:{server.port}",
               "-x", os.path.join(HERE, "gdb_report.py")]
    if with_vmlinux:
        command.append(dump.vmlinux)
    env = dict(os.environ, GDB_REPORT_TID=str(dump.thread_named(SLEEPER)["tid"]),
               GDB_REPORT_SYMBOLS="yes" if with_vmlinux else "")
    output = run(command, "gdb", env=env, with_stderr=True).decode("utf-8", "replace")
    for line in output.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK):])
    raise ValueError(f"gdb did not come to its report:\n{output}")


def compare_threads(seen, dump):
    expected = {thread["tid"]: thread for thread in dump.threads}
    names = dict(map(tuple, seen["threads"]))
    for tid in sorted(expected.keys() ^ names.keys()):
        yield f"thread {tid} is in {'the oracle' if tid in expected else 'gdb'} only"
    for tid in sorted(expected.keys() & names.keys()):
        comm = expected[tid]["comm"]
        # Bytes that are no character may be shown in more ways than one.
        beginning = re.match(r"[ -~]*", comm).group()
        if not (names[tid] or "").startswith(beginning):
            yield f"thread {tid} is named {names[tid]!r}, should start with {comm!r}"
        if f"Thread {tid} " not in seen["info_threads"] and \
                f"Thread 1.{tid} " not in seen["info_threads"]:
            yield f"info threads does not list {tid}"


def compare_symbols(seen, dump):
    facts = dump.facts
    if seen["init_task"] != int(facts["symbols"]["init_task"], 16):
        yield f"&init_task is {seen['init_task']:#x}, should be {facts['symbols']['init_task']}"
    if seen["comm"] != "swapper/0":
        yield f"init_task.comm is {seen['comm']!r}"
    if seen["banner"] != facts["banner"]:
        yield f"linux_banner is {seen['banner']!r}"
    expected = dump.thread_named(SLEEPER)["frames"]
    # At the system call's entry gdb's own unwinding may end: what lies below is the server's care.
    # And drgn has no frames of kernels whose unwind tables it does not know.
    end = expected.index("do_syscall_64") + 1 if expected else 0
    if seen["backtrace"][:end] != expected[:end]:
        yield f"the backtrace of {SLEEPER!r} is {seen['backtrace']}, should be {expected[:end]}"


def compare_selected(seen, dump):
    """The current thread runs on a CPU; in a panic it is the one that panicked: init."""
    running = [thread["tid"] for thread in dump.threads if thread["on_cpu"]]
    if dump.entry["scenario"] in ("panic", "kdump"):
        running = [dump.thread_named("init")["tid"]]
    if seen["selected"] not in running:
        yield f"the current thread is {seen['selected']}, should be one of {running}"


def main():
    with_vmlinux = "--without-vmlinux" not in sys.argv
    if not with_vmlinux:
        sys.argv.remove("--without-vmlinux")
    if shutil.which("gdb") is None:
        skip("gdb is missing: install the package gdb")

    def check(dump, command):
        with Server(command, dump.files) as server:
            seen = gdb_sees(dump, server, with_vmlinux)
        lines = [*compare_threads(seen, dump), *compare_selected(seen, dump)]
        if with_vmlinux:
            lines += compare_symbols(seen, dump)
        return lines

    check_main(__doc__, check)


if __name__ == "__main__":
    main()
