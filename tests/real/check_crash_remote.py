#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""crash on the served dump says what crash says of the file itself, line by line.

    check_crash_remote.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

It is started by the line that the server prints. Tasks on CPUs are another matter: of the file crash
looks through their stacks for where to begin, from the server it gets the registers. There, both must be the
same from the first frame on that both have.
"""

import re
import shlex
import shutil
import subprocess
import threading

from oracle import check_main, skip
from server_process import Server

COMMANDS = ["sys", "ps", "bt", "bt -a", "mod", "kmem -i", "kmem -s", "runq",
            "vtop linux_banner", "struct task_struct.pid,comm init_task", "files", "dev", "net",
            "log", "foreach bt"]
# crash reads a vmlinux for a quarter of a minute, and the machine may have other things to do.
CRASH_S = 900
# Crash's own words, and what it calls the dump: over a server it does not say that a kernel is tainted,
# and looks for VMCOREINFO in memory before it knows where memory is.
OWN = re.compile(r" *DUMPFILE: |NOTE: setting phys_base to|crash: cannot read vmcoreinfo_data$|$")
TAINTED = re.compile(r"^( *KERNEL: .*\S) +\[TAINTED\]$")
TASK = re.compile(r"PID: +\d+ +TASK: (\w+) ")
# What may stand in a backtrace.
FRAME = re.compile(r" *#\d+ (\[\w+\] .*)$")
OF_BACKTRACE = re.compile(r" *#\d+ |    |---|bt: |WARNING: possibly bogus")


def start(command):
    process = subprocess.Popen([*command, "-s", "--no_crashrc"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    result = {}
    text = "".join(f"{line}\n" for line in ["set scroll off", *COMMANDS, "exit"])

    def run():
        try:
            printed, _ = process.communicate(text.encode(), timeout=CRASH_S)
            result["printed"] = printed.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            result["printed"] = f"crash took more than {CRASH_S} s"
    thread = threading.Thread(target=run)
    thread.start()
    return thread, result


def split(printed):
    """The lines that are not a backtrace of a task on a CPU, and those backtraces, each by its header
    and task."""
    lines = [line.rstrip() for line in printed.splitlines()]
    on_cpus = set(re.findall(r"^> +\d+ +\d+ +\d+ +(\w+) ", printed, re.MULTILINE))
    others, backtraces, current = [], [], None
    for line in lines:
        task = TASK.match(line)
        if task:
            current = (task.group(1), []) if task.group(1) in on_cpus else None
            if current:
                backtraces.append(current)
        elif current and OF_BACKTRACE.match(line):
            current[1].append(line)
            continue
        else:
            current = None
        if not OWN.match(line):
            others.append(TAINTED.sub(r"\1", line))
    return others, backtraces


def frames(lines):
    return [match.group(1) for match in map(FRAME.match, lines) if match]


def same_end(mine, other):
    """Whether both are the same from the first frame on that both have, which is the first or the second
    of mine: what lies right at the stack pointer may be left over."""
    for first in range(min(2, len(mine))):
        if mine[first] in other:
            return mine[first:] == other[other.index(mine[first]):]
    return False


def compare_on_cpus(ours, theirs):
    if [task for task, _ in ours] != [task for task, _ in theirs]:
        yield f"on CPUs are {[task for task, _ in ours]}, of the file {[t for t, _ in theirs]}"
        return
    for (task, mine), (_, other) in zip(ours, theirs):
        # Where registers are not known it says so. Of the file it may find nothing, as of a CPU that
        # was stopped inside a guest.
        unknown = any("cannot determine starting stack pointer" in line for line in mine)
        mine, other = frames(mine), frames(other)
        if other and not unknown and not same_end(mine, other):
            yield "\n  ".join([f"task {task} on a CPU has", *mine, "and of the file", *other])


def compare(remote, file):
    ours, our_cpus = split(remote)
    theirs, their_cpus = split(file)
    if len(theirs) < 200 or not their_cpus:
        return [f"crash says little of the file itself:\n{file[:4000]}"]
    if len(ours) < 200:
        return [f"crash says little over the server:\n{remote[:4000]}"]
    differences = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    if differences:
        return [f"served: {ours}\n  file:   {theirs}" for ours, theirs in differences[:10]]
    if len(ours) != len(theirs):
        return [f"{len(ours)} lines over the server, {len(theirs)} of the file"]
    return [*compare_on_cpus(our_cpus, their_cpus)]


def main():
    if shutil.which("crash") is None:
        skip("crash is missing: install the package crash")

    def check(dump, command):
        with Server([*command, "--symbols", dump.vmlinux], dump.files) as server:
            remote = [line for line in server.rest_of_greeting() if line.startswith("  crash ")]
            if not remote:
                return ["the server does not say how crash is started"]
            runs = [start(shlex.split(remote[0])), start(["crash", dump.vmlinux, *dump.files])]
            for thread, _ in runs:
                thread.join()
        return compare(*(result["printed"] for _, result in runs))

    check_main(__doc__, check, with_oracle=False)


if __name__ == "__main__":
    main()
