#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the server's thread list of one dump with what drgn and QEMU say of it.

    compare_threads.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

SERVER is the path of vmcore-gdbserver. Every difference is a line on stderr. Exit status: 0 the
same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

from oracle import Failure, check_main, json_lines, run

SAME_KEYS = ["comm", "kind", "task", "state", "cpu", "on_cpu"]
REGS_FROM = {"note", "switch", "user", "found", "unknown"}


class Difference:
    """Collects what is different, as sentences."""

    def __init__(self):
        self.lines = []

    def add(self, thread, text):
        self.lines.append(f"tid {thread['tid']} ({thread['comm']}): {text}")


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


def compare_in_guest(mine, regs, cpu, theirs, dump, diff):
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
    below_rsp = int.from_bytes(dump.core.read_virtual(regs["rsp"] - 8, 8), "little")
    if below_rsp != regs["rip"] and not at_vmrun(regs, theirs["cpu"], dump):
        diff.add(theirs, f"rip {regs['rip']:#x} is neither where VMRUN saved the host nor a "
                         f"return address just below rsp {regs['rsp']:#x}")


def at_vmrun(regs, cpu, dump):
    """Whether the registers are those with which that CPU's VMRUN was executed."""
    saved = dump.facts["host_save_areas"].get(str(cpu))
    return saved is not None and numbers(saved) == {name: regs[name] for name in saved}


def compare_running(mine, theirs, dump, diff):
    """A task on a CPU of a machine that QEMU has dumped."""
    cpu = dump.cpus[theirs["cpu"]]
    regs = numbers(mine.get("regs", {}))
    if cpu.in_guest:
        compare_in_guest(mine, regs, cpu, theirs, dump, diff)
    else:
        compare_registers(regs, cpu.regs, "QEMU", theirs, diff)


def compare_thread(mine, theirs, dump, diff):
    compare_identity(mine, theirs, diff)
    if theirs["on_cpu"] and dump.cpus is not None:
        compare_running(mine, theirs, dump, diff)
    elif not theirs["regs"]:
        compare_no_registers(mine, theirs, diff)
    else:
        source = "note" if theirs["on_cpu"] else "switch"
        if mine.get("regs_from") != source:
            diff.add(theirs, f"regs_from is {mine.get('regs_from')!r}, should be {source!r}")
        compare_registers(numbers(mine.get("regs", {})), numbers(theirs["regs"]), "drgn", theirs,
                          diff)


def compare(dump, server):
    output = run([*server, "-x", "threads --json", *dump.files], server[0])
    mine = by_tid(json_lines(output, server[0]), "the server")
    theirs = by_tid(dump.threads, "drgn")
    diff = Difference()
    for tid in sorted(theirs.keys() - mine.keys()):
        diff.add(theirs[tid], "is not in the server's list")
    for tid in sorted(mine.keys() - theirs.keys()):
        diff.add(mine[tid], "is in the server's list only")
    for tid in sorted(mine.keys() & theirs.keys()):
        compare_thread(mine[tid], theirs[tid], dump, diff)
    return diff.lines


if __name__ == "__main__":
    check_main(__doc__, compare)
