#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the server's thread list of one dump with what drgn and QEMU say of it.

    compare_threads.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

SERVER is the path of vmcore-gdbserver. Every difference is a line on stderr. Exit status: 0 the
same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

import json
import os
import subprocess
import sys

import qemu_registers
from elf_core import ElfCore

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER_TIMEOUT_S = 60
KERNEL_HALF = 1 << 63
SAME_KEYS = ["comm", "kind", "task", "state", "cpu", "on_cpu"]
REGS_FROM = {"note", "switch", "user", "unknown"}


class Failure(Exception):
    """Nothing can be compared; the text says why."""


class Difference:
    """Collects what is different, as sentences."""

    def __init__(self):
        self.lines = []

    def add(self, thread, text):
        self.lines.append(f"tid {thread['tid']} ({thread['comm']}): {text}")


def run(command, what):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=SERVER_TIMEOUT_S, check=False)
    if result.returncode == 77:
        print(result.stderr.decode().strip(), file=sys.stderr)
        sys.exit(77)
    if result.returncode != 0:
        raise Failure(f"{what} ended with status {result.returncode}:\n"
                      f"{result.stderr.decode('utf-8', 'replace').strip()}")
    return result.stdout


def json_lines(output, what):
    try:
        return [json.loads(line) for line in output.decode("utf-8").splitlines()]
    except ValueError as error:
        raise Failure(f"{what} did not write JSON Lines in UTF-8: {error}") from error


def find_dump(manifest_path, name):
    with open(manifest_path, encoding="utf-8") as file:
        for dump in json.load(file)["dumps"]:
            if dump["name"] == name:
                return dump
    raise Failure(f"{manifest_path} has no dump {name}")


def oracle_output(dump, base):
    """What drgn says of the ELF dump of the same moment: (threads, facts)."""
    oracle = dump["oracle"]
    python = run(["sh", os.path.join(HERE, "find_python.sh")], "find_python.sh").decode().strip()
    command = [python, os.path.join(HERE, "oracle_drgn.py")]
    if oracle["vmcoreinfo_from"]:
        command += ["--vmcoreinfo-from", os.path.join(base, oracle["vmcoreinfo_from"])]
    command += [os.path.join(base, path)
                for path in [oracle["elf"], dump["vmlinux"], *dump["modules"]]]
    lines = json_lines(run(command, "drgn"), "drgn")
    return lines[:-1], lines[-1]


def open_core(dump, base):
    """The ELF dump of the same moment, able to translate the kernel's addresses."""
    oracle = dump["oracle"]
    core = ElfCore(os.path.join(base, oracle["elf"]))
    if oracle["vmcoreinfo_from"]:
        core.vmcoreinfo = ElfCore(os.path.join(base, oracle["vmcoreinfo_from"])).vmcoreinfo
    return core


def server_threads(server, dump, base):
    files = [os.path.join(base, file) for file in dump["files"]]
    return json_lines(run([*server, "-x", "threads --json", *files], server[0]), server[0])


def by_tid(threads, whose):
    table = {thread["tid"]: thread for thread in threads}
    if len(table) != len(threads):
        raise Failure(f"{whose} lists a thread id twice")
    return table


def numbers(regs):
    return {name: int(value, 16) for name, value in regs.items()}


def normal_comm(comm):
    """comm's bytes may be cut in the middle of a character: both sides as text one can print."""
    return comm.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def compare_identity(mine, theirs, diff):
    for key in SAME_KEYS:
        expected, got = theirs[key], mine.get(key)
        if key == "comm":
            expected, got = normal_comm(expected), normal_comm(got or "")
        elif key == "task" and got is not None:
            expected, got = int(expected, 16), int(got, 16)
        if got != expected:
            diff.add(theirs, f"{key} is {got!r}, should be {expected!r}")
    if theirs["kind"] == "task" and mine.get("pid") != theirs["pid"]:
        diff.add(theirs, f"pid is {mine.get('pid')!r}, should be {theirs['pid']}")
    if mine.get("regs_from") not in REGS_FROM:
        diff.add(theirs, f"regs_from is {mine.get('regs_from')!r}")
    if mine.get("regs_from") == "unknown" and not mine.get("why"):
        diff.add(theirs, "its registers are unknown, and it does not say why")


def compare_registers(regs, expected, whose, theirs, diff):
    for name, value in expected.items():
        if name not in regs:
            diff.add(theirs, f"{name} is unknown, {whose} says {value:#x}")
        elif regs[name] != value:
            diff.add(theirs, f"{name} is {regs[name]:#x}, {whose} says {value:#x}")


def compare_no_registers(mine, theirs, diff):
    """A thread that has no stack any more has no registers."""
    if mine.get("regs") or mine.get("regs_from") != "unknown":
        diff.add(theirs, f"has registers from {mine.get('regs_from')!r}, though it has no stack")


def compare_in_guest(mine, regs, cpu, theirs, save_area, core, diff):
    """The CPU was inside a guest: the task's registers are the host's, or unknown."""
    if mine.get("regs_from") == "unknown":
        if regs:
            diff.add(theirs, "its registers are unknown, and some are listed all the same")
        return
    for name in ("rip", "rsp"):
        if name not in regs:
            diff.add(theirs, f"{name} is missing, though regs_from is {mine['regs_from']!r}")
            return
        if regs[name] == cpu.regs[name]:
            diff.add(theirs, f"{name} is the guest's: {regs[name]:#x}")
            return
    for name in sorted(regs.keys() & cpu.regs.keys() - {"rip", "rsp"}):
        if regs[name] == cpu.regs[name] != 0:
            diff.add(theirs, f"{name} is the guest's: {regs[name]:#x}")
    base = int(theirs["stack"][0], 16)
    if not base <= regs["rsp"] < base + theirs["stack"][1]:
        diff.add(theirs, f"rsp {regs['rsp']:#x} is not on the task's stack at {base:#x}")
        return
    saved = numbers(save_area)
    at_vmrun = regs["rip"] == saved["rip"] and regs["rsp"] == saved["rsp"]
    if not at_vmrun and core.read_virtual(regs["rsp"] - 8, 8) != regs["rip"].to_bytes(8, "little"):
        diff.add(theirs, f"rip {regs['rip']:#x} is neither where VMRUN saved the host nor a "
                         f"return address just below rsp {regs['rsp']:#x}")


def compare_running(mine, theirs, cpu, context, diff):
    """A task on a CPU of a machine that QEMU has dumped."""
    regs = numbers(mine.get("regs", {}))
    if cpu.in_guest:
        save_area = context["host_save_areas"][str(theirs["cpu"])]
        compare_in_guest(mine, regs, cpu, theirs, save_area, context["core"], diff)
    else:
        compare_registers(regs, cpu.regs, "QEMU", theirs, diff)


def compare_thread(mine, theirs, cpus, context, diff):
    compare_identity(mine, theirs, diff)
    if theirs["on_cpu"] and cpus is not None:
        compare_running(mine, theirs, cpus[theirs["cpu"]], context, diff)
    elif not theirs["regs"]:
        compare_no_registers(mine, theirs, diff)
    else:
        source = "note" if theirs["on_cpu"] else "switch"
        if mine.get("regs_from") != source:
            diff.add(theirs, f"regs_from is {mine.get('regs_from')!r}, should be {source!r}")
        compare_registers(numbers(mine.get("regs", {})), numbers(theirs["regs"]), "drgn", theirs,
                          diff)


def compare(mine, theirs, cpus, context):
    diff = Difference()
    for tid in sorted(theirs.keys() - mine.keys()):
        diff.add(theirs[tid], "is not in the server's list")
    for tid in sorted(mine.keys() - theirs.keys()):
        diff.add(mine[tid], "is in the server's list only")
    for tid in sorted(mine.keys() & theirs.keys()):
        compare_thread(mine[tid], theirs[tid], cpus, context, diff)
    return diff.lines


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    manifest, name, server = sys.argv[1], sys.argv[2], sys.argv[3:]
    base = os.path.dirname(os.path.abspath(manifest))
    try:
        dump = find_dump(manifest, name)
        oracle = dump["oracle"]
        threads, facts = oracle_output(dump, base)
        facts["core"] = open_core(dump, base)
        cpus = None
        if oracle["registers"]:
            cpus = qemu_registers.read(os.path.join(base, oracle["registers"]),
                                       os.path.join(base, oracle["gdb_registers"]))
        lines = compare(by_tid(server_threads(server, dump, base), "the server"),
                        by_tid(threads, "drgn"), cpus, facts)
    except (Failure, ValueError, subprocess.TimeoutExpired) as error:
        sys.exit(f"compare_threads.py: {name}: {error}")
    for line in lines:
        print(f"{name}: {line}", file=sys.stderr)
    print(f"{name}: {len(threads)} threads, {len(lines)} differences")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
