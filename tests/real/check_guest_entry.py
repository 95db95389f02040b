#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the frames of a CPU that was inside its guest with those of the same CPU when it had just
left that guest.

    check_guest_entry.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

DUMP_NAME is a dump taken while CPU 1 ran a guest: its note holds the guest's registers, and the
server finds the host's where the CPU keeps them. run-vmexit.elf is the same machine, stepped on
until CPU 1 was back in the host, whose rip and rsp its note then holds: they, and all registers of
the frames behind, must be those that were found before. Every frame up to user mode is compared,
and there every register that either dump knows; of the first frame rip and rsp, for the guest's
others are still in place there. Exit status: 0 the same, 1 different or failed.
"""

import sys

from oracle import Failure, check_main, json_lines, run

AFTER = "run-vmexit.elf"


def entry_thread(server, files):
    """Of the threads in the code that enters a guest; there must be one."""
    output = run([*server, "-x", "bt --all --json", *files], server[0])
    found = [thread for thread in json_lines(output, server[0])
             if thread["frames"] and thread["frames"][0].get("name") == "__svm_vcpu_run"]
    if len(found) != 1:
        raise Failure(f"{files[0]}: {len(found)} threads are entering a guest, not one")
    return found[0]


def compare_registers(number, before, after):
    names = {"rip", "rsp"} if number == 0 else before["regs"].keys() | after["regs"].keys()
    for name in sorted(names):
        values = before["regs"].get(name), after["regs"].get(name)
        if values[0] != values[1]:
            yield f"#{number} {before.get('name')}: {name} is {values[0]} and {values[1]} after"


def compare(dump, server):
    before = entry_thread(server, dump.files)
    after = entry_thread(server, [dump.path(f"dumps/{AFTER}")])
    lines = []
    hows = [thread["frames"][0]["how"] for thread in (before, after)]
    if hows != ["found", "note"]:
        lines.append(f"the first frames are by {hows}")
    if before["end"] != "user" or len(before["frames"]) != len(after["frames"]):
        lines.append(f"{len(before['frames'])} frames, ending at {before['end']}; "
                     f"{len(after['frames'])} after")
    for number, pair in enumerate(zip(before["frames"], after["frames"])):
        lines += compare_registers(number, *pair)
    print(f"{len(before['frames'])} frames", file=sys.stderr)
    return lines


if __name__ == "__main__":
    check_main(__doc__, compare)
