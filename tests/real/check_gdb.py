#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attaches a stock gdb, with a vmlinux of its own or without, to one dump.

    check_gdb.py [--without-vmlinux|--served] MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

With a vmlinux nothing is typed to make up for KASLR: addresses, strings and the backtrace of a
sleeping task must be right all the same. gdb's index of the vmlinux is cached beside the dumps.
Without a vmlinux the index cache is off.
With --served the server has the vmlinux and gdb has none: it must show the same, and per-CPU
symbols as they are linked too, which it cannot with a file of its own. The index that the server
makes then must be gdb's own, if gdb has made one of that vmlinux before.
"""

import glob
import json
import os
import re
import shutil
import sys
import tempfile

from compare_gdb_index import Index, differences
from oracle import HERE, check_main, run, skip
from server_process import Server

SLEEPER = "in poll"
MARK = "GDB-REPORT "
CONTEXTS = 20000000
NAMES_LEAST, SHOWN = 50000, 20
MODES = ("--without-vmlinux", "--served")


def gdb_sees(dump, server, mode):
    """gdb_report.py's report."""
    command = ["gdb", "-nx", "-batch"]
    # The image that is made from the dump has the vmlinux's build-id and other DWARF: the cache is
    # off.
    if not mode:
        command += ["-iex", "set index-cache enabled on",
                    "-iex", f"set index-cache directory {dump.path('gdb-index')}"]
    command += [*server.gdb_attach(), "-x", os.path.join(HERE, "gdb_report.py")]
    if not mode:
        command.append(dump.vmlinux)
    env = dict(os.environ, GDB_REPORT_TID=str(dump.thread_named(SLEEPER)["tid"]),
               GDB_REPORT_SYMBOLS="made" if mode == "--without-vmlinux" else "yes")
    output = run(command, "gdb", env=env, with_stderr=True).decode("utf-8", "replace")
    for line in output.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK):])
    raise ValueError(f"gdb did not come to its report:\n{output}")


def compare_threads(seen, dump):
    expected = {thread["tid"]: thread for thread in dump.threads}
    # What an interrupt has stopped is a thread, too, but no task: check_contexts.py looks at those.
    names = {tid: name for tid, name in seen["threads"] if tid < CONTEXTS}
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


def compare_init(seen, dump):
    facts = dump.facts
    if seen["init_task"] != int(facts["symbols"]["init_task"], 16):
        yield f"&init_task is {seen['init_task']:#x}, should be {facts['symbols']['init_task']}"
    if seen["comm"] != "swapper/0":
        yield f"init_task.comm is {seen['comm']!r}"


def compare_symbols(seen, dump):
    facts = dump.facts
    if seen["banner"] != facts["banner"]:
        yield f"linux_banner is {seen['banner']!r}"
    expected = dump.thread_named(SLEEPER)["frames"]
    # At the system call's entry gdb's own unwinding may end: what lies below is the server's care.
    # And drgn has no frames of kernels whose unwind tables it does not know.
    end = expected.index("do_syscall_64") + 1 if expected else 0
    if seen["backtrace"][:end] != expected[:end]:
        yield f"the backtrace of {SLEEPER!r} is {seen['backtrace']}, should be {expected[:end]}"


def compare_module(seen):
    """Functions of a module, which has no file: from a library, or from the image, and not both."""
    for name, said in seen["module"].items():
        if len(said.splitlines()) != 1 or f"{name} in section [kvm].text" not in said:
            yield f"info symbol {name} says {said!r}"


def compare_per_cpu(seen, dump):
    """Offsets, which KASLR does not move, or addresses, which it does."""
    listed = run(["nm", dump.vmlinux], "nm").decode()
    linked = {name: int(re.search(rf"^(\w+) \w {name}$", listed, re.MULTILINE).group(1), 16)
              for name in ("init_task", "runqueues")}
    moved = int(dump.facts["symbols"]["init_task"], 16) - linked["init_task"]
    expected = linked["runqueues"] + (moved if linked["runqueues"] >> 63 else 0)
    if seen["runqueues"] != expected:
        yield f"&runqueues is {seen['runqueues']:#x}, should be {expected:#x}"


def compare_selected(seen, dump):
    """The current thread runs on a CPU; in a panic it is the one that panicked."""
    running = [thread["tid"] for thread in dump.threads if thread["on_cpu"]]
    panic = dump.panic()
    if panic:
        running = [int(re.search(r" PID: (\d+) ", "\n".join(panic)).group(1))]
    if seen["selected"] not in running:
        yield f"the current thread is {seen['selected']}, should be one of {running}"


def compare_index(folder, dump):
    """What the server keeps of the vmlinux, with what gdb kept of it."""
    kept = glob.glob(os.path.join(folder, "*.gdb-index"))
    if len(kept) != 1:
        yield f"{len(kept)} indexes were kept"
        return
    gdbs = dump.path(os.path.join("gdb-index", os.path.basename(kept[0])))
    if not os.path.exists(gdbs):
        return
    indexes = []
    for name in (kept[0], gdbs):
        with open(name, "rb") as file:
            indexes.append(Index(file.read()))
    if len(indexes[0].names) < NAMES_LEAST:
        yield f"the index has {len(indexes[0].names)} names"
    yield from list(differences(*indexes, definitions=True))[:SHOWN]


def main():
    mode = sys.argv.pop(1) if sys.argv[1:] and sys.argv[1] in MODES else None
    if shutil.which("gdb") is None:
        skip("gdb is missing: install the package gdb")

    def check(dump, command):
        with tempfile.TemporaryDirectory() as folder:
            if mode == "--served":
                command = [*command, "--symbols", dump.vmlinux, "--symbol-cache", folder]
            with Server(command, dump.files) as server:
                seen = gdb_sees(dump, server, mode)
            lines = list(compare_index(folder, dump)) if mode == "--served" else []
        lines += [*compare_threads(seen, dump), *compare_selected(seen, dump),
                 *compare_init(seen, dump)]
        if mode != "--served":
            lines += compare_module(seen)
        if mode != "--without-vmlinux":
            lines += compare_symbols(seen, dump)
        if mode == "--served":
            lines += compare_per_cpu(seen, dump)
        return lines

    check_main(__doc__, check)


if __name__ == "__main__":
    main()
