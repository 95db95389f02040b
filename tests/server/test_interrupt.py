#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt of a task in an interrupt, on a kernel with frame pointers and without tables for its
entry code: the demo's 3.10, whose vCPU thread is interrupted where the case's dump stopped it."""

import json
import tempfile

from program import monitor
from recipes import make_changed_dump
from seed_case import CALLEE_SAVED, FRAMES, STACK
from tap import check, expect_equal, run_checks

NOTE = "\trip = 0xffffffffc07a21a8\n\trsp = 0xffff88003e5ebcd0\n\trbp = 0xffff88003e5ebd00\n"
PT_REGS = STACK + 0xcd0 - 168
# The handler's frame at the top of the IRQ stack: rbp, the return address and the link, which in
# this kernel leads to the saved rbp. What lies below that in pt_regs was never written.
IN_INTERRUPT = f"""
set top cpu0 + 0x4000 - 64
virt top-24: {STACK + 0xd00:#x} common_interrupt+0x40 {PT_REGS + 32:#x}
virt {PT_REGS:#x}: 0xbad15 0xbad14 0xbad13 0xbad12 {STACK + 0xd00:#x} 0xbadbb 11 10 9 8 0 1 2 3 4
	{(1 << 64) - 0xef:#x} 0xffffffffc07a21a8 0x10 0x282 {STACK + 0xcd0:#x} 0x18
"""
folder = tempfile.TemporaryDirectory()


def interrupted(name, more=""):
    """bt of the vCPU thread, in a dump with these statements more."""
    note = "\trip = do_IRQ + 0x10\n\trsp = cpu0 + 0x3f80\n\trbp = cpu0 + 0x4000 - 64 - 24\n"
    dump = make_changed_dump(folder.name, name, NOTE, note, IN_INTERRUPT + more)
    return json.loads(monitor("bt 110 --json", dump))


@check("what was interrupted keeps its registers, and leads to user mode")
def _():
    thread = interrupted("in-interrupt")
    frames = thread["frames"]
    expect_equal([(frame["name"], frame["how"]) for frame in frames[:2]],
                 [("do_IRQ", "note"), ("common_interrupt", "cfi")], "the interrupt")
    expect_equal(frames[1]["cfa"], f"{PT_REGS:#x}", "where the entry's frame ends")
    for number, (name, module, how, values) in enumerate(FRAMES):
        frame = frames[2 + number]
        expect_equal((frame["name"], frame.get("module"), frame["how"], frame["interrupted"]),
                     (name, module, how if number else "regs", number == 0), name)
        expect_equal([frame["regs"].get(register) for register in CALLEE_SAVED],
                     [None if value is None else f"{value:#x}" for value in values], name)
    expect_equal(frames[2]["saved"]["rbp"], f"{PT_REGS + 32:#x}", "where rbp was saved")
    expect_equal("rbx" in frames[2]["saved"], False, "that rbx was saved")
    expect_equal((thread["end"], frames[-1]["pc"]), ("user", "0x7f0b9c4b3107"), "the end")


@check("saved registers that are none are passed over by rbp")
def _():
    thread = interrupted("damaged", f"virt {PT_REGS + 17 * 8:#x}: 0x11\n")
    expect_equal([frame["name"] for frame in thread["frames"][:3]],
                 ["do_IRQ", "common_interrupt", "kvm_mmu_load"], "the frames")
    expect_equal((thread["frames"][2]["how"], thread["end"]), ("fp", "user"), "the way")


run_checks()
