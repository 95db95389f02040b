#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""drgn on the served dump (contrib/drgn/vmcore-drgn) says what drgn says of the file itself, line by line.

    check_drgn_remote.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Tasks, their stacks, those of CPUs with registers, modules, memory of a process, the log. Without any
vmlinux what it says of all but source lines is the same, too. Of a guest it has the tasks that the
guest printed itself.
"""

import os
import re
import shutil

from oracle import HERE, Failure, check_main, run, skip
from server_process import Server

REPORT = os.path.join(HERE, "drgn_report.py")
STARTER = os.path.join(HERE, "..", "..", "contrib", "drgn", "vmcore-drgn")
GREETING = re.compile(r"listening on (\S+:\d+) for vm-\d+$")


def served(python, address, *options):
    return run([python, STARTER, "-q", *options, address, REPORT], "vmcore-drgn").decode()


def frames_aside(text):
    """Without frames, which have no inlined functions and source lines where there is no vmlinux."""
    return [line for line in text.splitlines() if not re.match(r"#\d+ |failed$|\{", line)]


def functions(text):
    """The functions of each stack that are no inlined ones are at least these."""
    return {re.match(r"#\d+ +(\w+)", line).group(1) for line in text.splitlines()
            if re.match(r"#\d+ +[a-z_]", line)}


def differences(got, expected, what):
    if len(expected) < 300:
        yield f"{what}: drgn says little: {expected[:40]}"
    if got != expected:
        pairs = [pair for pair in zip(got, expected) if pair[0] != pair[1]]
        yield f"{what}: {len(got)} lines, should be {len(expected)}"
        yield from (f"{what}: {mine!r}, should be {theirs!r}" for mine, theirs in pairs[:10])


def check_host(dump, command, python):
    drgn = shutil.which("drgn")
    if drgn is None:
        skip("drgn is missing: install the package python3-drgn")
    files = [option for path in (dump.vmlinux, *map(dump.path, dump.entry["modules"]))
             for option in ("-s", path)]
    expected = run([drgn, "-q", "-c", *dump.files, *files, REPORT], "drgn").decode()
    with Server([*command, "--symbols", dump.vmlinux], dump.files) as server:
        got = served(python, f"{server.host}:{server.port}")
    yield from differences(got.splitlines(), expected.splitlines(), "with a vmlinux")
    if dump.entry["filtered"]:
        return
    with Server(command, dump.files) as server:
        image = served(python, f"{server.host}:{server.port}")
    yield from differences(frames_aside(image), frames_aside(expected), "without a vmlinux")
    if strange := functions(image) - functions(expected) - {"entry_SYSCALL_64_after_hwframe"}:
        yield f"without a vmlinux: frames of {sorted(strange)}"


def check_guest(dump, command, python):
    with open(dump.path("dumps/linux.guest"), encoding="utf-8") as file:
        expected = dict(re.findall(r"^task (\d+) (.*)$", file.read(), re.MULTILINE))
    with Server([*command, "--guests"], dump.files) as server:
        address = next(match.group(1) for match in map(GREETING.search, server.rest_of_greeting()) if match)
        got = served(python, address, "-s", dump.vmlinux)
    tasks = dict(re.findall(r"^task (\d+) (.*) 0x", got, re.MULTILINE))
    for pid, comm in expected.items():
        # ps itself, and what it was started by, have ended since; workers change their names.
        if pid not in tasks and pid != "1" and comm in ("ps", "guest-init"):
            continue
        if comm[:15] != tasks.get(pid, "")[:len(comm)] and not tasks.get(pid, "").startswith("kworker"):
            yield f"task {pid} is {tasks.get(pid)!r}, should be {comm!r}"
    # CPU 1 spins in user mode, in guest/workload.c; CPU 0 is idle.
    idle, spins = re.findall(r"^CPU \d runs .*\n((?:#.*\n)+)", got, re.MULTILINE)
    if "default_idle" not in idle or not re.fullmatch(r"#0 +0x4\w+\n", spins):
        yield f"the guest's CPUs are in\n{idle}\n{spins}"


def check(dump, command):
    python = run(["sh", os.path.join(HERE, "find_python.sh")], "find_python.sh").decode().strip()
    which = check_guest if dump.entry["scenario"] == "linux" else check_host
    return [*which(dump, command, python)]


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
