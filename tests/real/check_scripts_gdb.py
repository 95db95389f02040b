#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux's own scripts for gdb (lx-ps, lx-lsmod, lx-dmesg, lx-cpus) on one dump.

    check_scripts_gdb.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

gdb has the vmlinux. What a kernel's build makes of constants.py.in is made here, as far as these
commands want it: constants of the kernel's headers.
"""

import os
import re
import shutil
import sys
import tempfile

from oracle import HERE, check_main, run, skip
from server_process import Server

CONSTANTS = {
    "CONFIG_DEBUG_INFO_REDUCED": 0, "CONFIG_OF": 1, "NR_CPUS": 8192, "OF_DT_HEADER": 0xd00dfeed,
    "SB_RDONLY": 1, "SB_SYNCHRONOUS": 1 << 4, "SB_MANDLOCK": 1 << 6, "SB_DIRSYNC": 1 << 7,
    "SB_NOATIME": 1 << 10, "SB_NODIRATIME": 1 << 11, "MNT_NOSUID": 1, "MNT_NODEV": 2,
    "MNT_NOEXEC": 4, "MNT_NOATIME": 8, "MNT_NODIRATIME": 0x10, "MNT_RELATIME": 0x20,
}
PARTS = ["utils", "symbols", "modules", "dmesg", "tasks", "cpus", "proc"]
COMMANDS = ["lx-ps", "lx-lsmod", "lx-dmesg", "lx-cpus"]
MODULES = {"kvm", "irqbypass"}


def make_scripts(manifest, folder):
    """The scripts with constants, as a package to import."""
    source = run(["sh", os.path.join(HERE, "fetch-scripts-gdb.sh"), manifest],
                 "fetch-scripts-gdb.sh").decode().strip()
    shutil.copytree(os.path.join(source, "linux"), os.path.join(folder, "linux"))
    with open(os.path.join(folder, "linux", "constants.py"), "w", encoding="ascii") as file:
        for name, value in CONSTANTS.items():
            file.write(f"LX_{name} = {value}\n")


def answers(dump, server, folder):
    """What each of the commands prints."""
    command = ["gdb", "-nx", "-batch", "-iex", "set index-cache enabled on",
               "-iex", f"set index-cache directory {dump.path('gdb-index')}",
               *server.gdb_attach(),
               "-ex", f"python sys.path.insert(0, {folder!r})"]
    for part in PARTS:
        command += ["-ex", f"python import linux.{part}"]
    for name in COMMANDS:
        command += ["-ex", f"echo @@{name}\\n", "-ex", name]
    text = run([*command, "-ex", "echo @@", dump.vmlinux], "gdb",
               with_stderr=True).decode("utf-8", "replace")
    found = re.findall(r"^@@(\S+)\n(.*?)(?=^@@)", text, re.MULTILINE | re.DOTALL)
    if [name for name, _ in found] != COMMANDS:
        raise ValueError(f"gdb printed:\n{text[:4000]}")
    return dict(found)


def compare_tasks(printed, dump):
    listed = {(int(task, 16), int(pid)) for task, pid in
              re.findall(r"^(0x[0-9a-f]+) +(\d+) +\S", printed, re.MULTILINE)}
    expected = {(int(thread["task"], 16), thread["tid"]) for thread in dump.threads
                if thread["kind"] == "task"}
    # It begins with the boot CPU's idle task, as init_task is the head of the list.
    missing = expected - listed
    more = [pid for task, pid in listed - expected if pid]
    if missing or more:
        yield f"lx-ps lacks {sorted(missing)}, and has {sorted(more)} more:\n{printed[:2000]}"


def compare_modules(printed):
    names = set(re.findall(r"^0x[0-9a-f]+ (\S+) +\d+", printed, re.MULTILINE))
    if not MODULES <= names:
        yield f"lx-lsmod does not name {MODULES}:\n{printed}"


def compare_log(printed, command, dump):
    """Its times are rounded otherwise, and stand before every line: the texts must be the same."""
    def texts(log):
        return [re.sub(r"^\[ *\d+\.\d+\] ", "", line).lstrip() for line in log.splitlines()]
    said = run([*command, "-x", "dmesg", *dump.files], "monitor dmesg").decode("utf-8", "replace")
    ours, theirs = texts(said), texts(printed)
    if len(ours) < 100 or ours != theirs:
        different = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]][:3]
        yield f"monitor dmesg has {len(ours)} lines, lx-dmesg {len(theirs)}; {different}"


def compare_cpus(printed):
    for kind in ("Possible", "Online"):
        if not re.search(rf"^{kind} CPUs *: \[0, 1\]$", printed, re.MULTILINE):
            yield f"lx-cpus prints:\n{printed}"


def main():
    if shutil.which("gdb") is None:
        skip("gdb is missing: install the package gdb")
    manifest = sys.argv[1] if sys.argv[1:] else ""

    def check(dump, command):
        with tempfile.TemporaryDirectory() as folder:
            make_scripts(manifest, folder)
            with Server(command, dump.files) as server:
                printed = answers(dump, server, folder)
        return [*compare_tasks(printed["lx-ps"], dump), *compare_modules(printed["lx-lsmod"]),
                *compare_log(printed["lx-dmesg"], command, dump),
                *compare_cpus(printed["lx-cpus"])]

    check_main(__doc__, check)


if __name__ == "__main__":
    main()
