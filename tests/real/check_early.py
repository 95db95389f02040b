#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of a machine that boots, without VMCOREINFO, with a CPU that is never started.

    check_early.py DUMP_DIR VMLINUX SERVER

rest-init.elf was stopped by a breakpoint at rest_init(): there is one task, and it runs. In
one-cpu.elf init begins: the second CPU runs nothing, not even its idle task.
"""

import os
import struct
import subprocess
import sys

from elf_core import ElfCore
from oracle import Failure, json_lines, run, skip

RIP_AT, RSP_AT = 112 + 8 * 16, 112 + 8 * 19  # in struct elf_prstatus


def symbol(vmlinux, name):
    lines = subprocess.run(["nm", vmlinux], stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in lines.splitlines()
                if line.split()[-1] == name)


def ask(server, path, *commands):
    words = [word for command in commands for word in ("-x", f"{command} --json")]
    return json_lines(run([*server, *words, path], "the server"), "the server")


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


def first_cpu(path):
    """(rip, rsp) of QEMU's note."""
    desc = next(desc for name, kind, desc in ElfCore(path).notes if name == "CORE" and kind == 1)
    return struct.unpack_from("<Q", desc, RIP_AT) + struct.unpack_from("<Q", desc, RSP_AT)


def check_rest_init(path, vmlinux, server):
    info, thread, trace = ask([*server, "--symbols", vmlinux], path, "info", "threads", "bt")
    expect("tasks", info["tasks"], 1)
    expect("the task", (thread["comm"], thread["on_cpu"]), ("swapper/0", True))
    expect("where it is", int(trace["frames"][0]["pc"], 16), symbol(vmlinux, "rest_init"))
    expect("the note", first_cpu(path)[0], symbol(vmlinux, "rest_init"))
    if "start_kernel" not in [frame.get("name") for frame in trace["frames"]]:
        raise Failure(f"start_kernel() is not among the frames: {trace}")


def check_one_cpu(path, server):
    info, *threads = ask(server, path, "info", "threads")
    expect("CPUs", (info["cpus"], info["cpus_online"]), (2, 1))
    running = [thread for thread in threads if thread["on_cpu"]]
    expect("threads that run", [thread["cpu"] for thread in running], [0])
    expect("its rip", int(running[0]["regs"]["rip"], 16), first_cpu(path)[0])
    idle = {thread["cpu"]: thread for thread in threads if thread["kind"] == "idle"}
    expect("idle tasks", sorted(idle), [0, 1])
    if "CPU 1 was never started" not in idle[1].get("why", ""):
        raise Failure(f"the idle task of CPU 1: {idle[1]}")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, vmlinux, server = sys.argv[1:]
    rest_init, one_cpu = (os.path.join(folder, name) for name in ("rest-init.elf", "one-cpu.elf"))
    if not os.path.exists(rest_init):
        skip(f"there is no {rest_init}: make-vmcores.sh makes it")
    try:
        check_rest_init(rest_init, vmlinux, [server])
        check_one_cpu(one_cpu, [server])
    except Failure as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
