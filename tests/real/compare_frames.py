#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the frames that `bt --all --json` gives of one dump with drgn's.

    compare_frames.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

rip, rsp, rbp, rbx and r12-r15 of every frame must be drgn's wherever drgn has a value; with a
vmlinux, so must be the inlined functions and the source lines of the kernel's own code. What the
server may not know:
  - Without a vmlinux (no --symbols among the options) it has ORC alone, which does not speak of rbx
    and r12-r15.
  - Without a vmlinux, frames that the frame pointer passes over: __crash_kexec has no ORC entries
    (STACK_FRAME_NON_STANDARD in kernel/kexec_core.c), and rbp is panic()'s there.
What drgn 0.0.22 has otherwise, and is not right:
  - rbp of a frame whose registers an entry has saved: it keeps the value of the entry's code, which
    cleared it, and does not take that of pt_regs.
  - Frames of user mode behind the first: there is no unwind information there.
  - Frames below a module's function whose name it does not know: it has found no modules in the
    dump (6.12), and guesses.
  - Frames at what is no address of code: without ORC (6.12) it goes on behind the entry of a kernel
    thread, by the words at rbp, which is 0.
Every difference is a line on stderr. Exit status: 0 the same, 1 different or failed, 77 no Python
on this machine can import drgn.
"""

import os
import sys

from oracle import check_main, json_lines, run

ALWAYS = {"rip", "rsp"}
COMPARED = ALWAYS | {"rbp", "rbx", "r12", "r13", "r14", "r15"}
USER_END = 1 << 56
KERNEL_CODE = 0xffffffff80000000
ENDS = {"user", "kthread", "lost"}


def values(regs):
    return {name: int(value, 16) for name, value in regs.items()}


def up_to_nonsense(frames):
    """Without what drgn goes on to behind a stack's end: addresses that nothing has, and the zero
    where a kernel thread's frame pointers end; or nothing at all, where it cannot leave the stack of
    an interrupt."""
    for number, frame in enumerate(frames):
        rip = int(frame["regs"].get("rip", "0"), 16)
        if not rip or USER_END <= rip < KERNEL_CODE:
            return frames[:number]
    return frames


def source_line(part):
    return f"{os.path.basename(part['file'])}:{part['line']}" if "file" in part else None


def is_last(mine, theirs):
    """Whether drgn's frames behind this one say nothing."""
    return (int(theirs["regs"]["rip"], 16) < USER_END
            or ("module" in mine and theirs["name"] is None))


class Comparison:
    """Counts what was compared and collects differences as sentences."""

    def __init__(self, has_vmlinux, has_lines=False):
        self.has_lines = has_lines
        self.has_vmlinux = has_vmlinux
        self.lines = []
        self.threads = self.frames = self.sources = self.passed_over = 0
        self.same = self.unknown = self.ours_alone = 0

    def registers(self, where, mine, theirs, may_miss, kept_rbp):
        """kept_rbp is drgn's rbp of the frame before."""
        self.frames += 1
        regs = values(mine["regs"])
        self.ours_alone += len(COMPARED & regs.keys() - theirs["regs"].keys())
        for name, value in values(theirs["regs"]).items():
            if regs.get(name) == value:
                self.same += 1
            elif name in regs:
                if name != "rbp" or mine["how"] != "regs" or value != kept_rbp:
                    self.lines.append(f"{where}: {name} is {regs[name]:#x}, drgn says {value:#x}")
            elif may_miss and name not in ALWAYS:
                self.unknown += 1
            else:
                self.lines.append(f"{where}: {name} is unknown, drgn says {value:#x}")

    def lines_of_source(self, where, mine, theirs):
        """Of code that the vmlinux's DWARF covers."""
        if not self.has_lines or "module" in mine or theirs["at"] is None:
            return
        expected = [(part["name"], part["at"]) for part in theirs["inlined"]]
        found = [(part.get("name"), source_line(part)) for part in mine.get("inlined", [])]
        self.sources += 1
        if found != expected:
            self.lines.append(f"{where}: inlined are {found}, drgn says {expected}")
        if source_line(mine) != theirs["at"]:
            self.lines.append(f"{where}: at {source_line(mine)}, drgn says {theirs['at']}")

    def pairs(self, mine, theirs):
        """Frames that belong together."""
        theirs = iter(theirs)
        for frame in mine:
            other = next(theirs, None)
            while (not self.has_vmlinux and frame["how"] == "fp" and other is not None
                   and int(other["regs"]["rsp"], 16) < int(frame["regs"]["rsp"], 16)):
                self.passed_over += 1
                other = next(theirs, None)
            if other is None:
                return
            yield frame, other

    def thread(self, mine, theirs):
        who = f"tid {theirs['tid']} ({theirs['comm']})"
        self.threads += 1
        may_miss = not self.has_vmlinux
        kept_rbp = matched = 0
        before = self.passed_over
        credible = up_to_nonsense(theirs["frames"])
        expected = len(credible)
        for number, (frame, other) in enumerate(self.pairs(mine["frames"], credible)):
            where = f"{who} #{number} {frame.get('name')} by {frame['how']}"
            self.registers(where, frame, other, may_miss, kept_rbp)
            self.lines_of_source(where, frame, other)
            kept_rbp = int(other["regs"].get("rbp", "0"), 16)
            matched += 1
            if is_last(frame, other):
                expected = matched + self.passed_over - before
                break
        missing = expected - matched - (self.passed_over - before)
        if missing:
            self.lines.append(f"{who}: {missing} of drgn's frames are missing; {mine['end']} "
                              f"{mine.get('why', '')}")
        if mine["end"] not in ENDS or (mine["end"] == "lost") != ("why" in mine):
            self.lines.append(f"{who}: end is {mine['end']!r}, why {mine.get('why')!r}")


def compare(dump, server):
    output = run([*server, "-x", "bt --all --inline --json", *dump.files], server[0])
    mine = {thread["tid"]: thread for thread in json_lines(output, server[0])}
    # What --write-types makes has no source lines.
    reduced = any(word.endswith(".types.tar.xz") for word in server)
    comparison = Comparison("--symbols" in server, "--symbols" in server and not reduced)
    for theirs in dump.ask_drgn("oracle_drgn_frames.py"):
        if theirs["tid"] in mine:
            comparison.thread(mine[theirs["tid"]], theirs)
    print(f"{comparison.threads} threads, {comparison.frames} frames, "
          f"{comparison.same} registers the same, {comparison.unknown} known to drgn alone, "
          f"{comparison.ours_alone} to the server alone, "
          f"{comparison.passed_over} frames passed over, {comparison.sources} source lines the same, "
          f"{len(comparison.lines)} differences",
          file=sys.stderr)
    return comparison.lines


if __name__ == "__main__":
    check_main(__doc__, compare)
