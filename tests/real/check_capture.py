#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump that QEMU took while the kernel ran that saves kdump.elf: the crashed kernel is the same.

    check_capture.py CAPTURE_ELF KDUMP_ELF SERVER [SERVER_OPTION...]

The panicking CPU's registers are those that the kernel itself wrote into kdump.elf's note. The same
without VMCOREINFO in the dump's notes, where the other kernel's page tables are what CR3 leads to.
"""

import os
import struct
import sys

from elf_core import ElfCore
from oracle import Failure, json_lines, run, skip

PR_PID, PR_REG = 32, 112
# struct user_regs_struct
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags "
         "rsp ss").split()
COMPARED = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi rip eflags rsp".split()
HEAD = 1 << 16
VMCOREINFO, UNKNOWN = b"VMCOREINFO", b"XMCOREINFO"


def saved_registers(path):
    """{tid: registers} of the kernel's own notes."""
    saved = {}
    for name, kind, desc in ElfCore(path).notes:
        if name == "CORE" and kind == 1:
            pid, = struct.unpack_from("<I", desc, PR_PID)
            saved[pid] = dict(zip(NAMES, struct.unpack_from(f"<{len(NAMES)}Q", desc, PR_REG)))
    return saved


def change_note_name(path, old, new):
    with open(path, "r+b") as file:
        at = file.read(HEAD).find(old + b"\0")
        if at >= 0:
            file.seek(at)
            file.write(new)
        return at >= 0


def check(path, kdump, command):
    output = run([*command, "-x", "info --json", "-x", "bt --json", "-x", "bt 1 --json", path],
                 "the server")
    info, current, first = json_lines(output, "the server")
    original = json_lines(run([*command, "-x", "bt 1 --json", kdump], "the server"), "the server")[0]
    wanted = saved_registers(kdump)[1]
    if info["cpus"] != 2:
        raise Failure(f"that is not the crashed kernel, which has two CPUs: {info}")
    if current["tid"] != 1:
        raise Failure(f"thread {current['tid']} is the current one, not init, which panicked")
    registers = {name: int(value, 16) for name, value in first["frames"][0]["regs"].items()}
    for name in COMPARED:
        if registers.get(name) != wanted[name]:
            raise Failure(f"{name} is {registers.get(name)}, the kernel saved {wanted[name]:#x}")
    if [f["pc"] for f in first["frames"]] != [f["pc"] for f in original["frames"]]:
        raise Failure(f"frames differ from kdump's: {first['frames']}")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    capture, kdump, *command = sys.argv[1:]
    if not os.path.exists(capture):
        skip(f"there is no {capture}: make-vmcores.sh makes it")
    # Nobody else reads the file, which is large: its note loses its name in place, and gets it back.
    change_note_name(capture, UNKNOWN, VMCOREINFO)
    try:
        check(capture, kdump, command)
        if not change_note_name(capture, VMCOREINFO, UNKNOWN):
            raise Failure(f"{capture} has no VMCOREINFO note")
        try:
            check(capture, kdump, command)
        finally:
            change_note_name(capture, UNKNOWN, VMCOREINFO)
    except Failure as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
