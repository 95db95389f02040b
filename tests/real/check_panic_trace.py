#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares `bt` of the panicking thread with the trace that its kernel printed itself.

    check_panic_trace.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

From the function that called panic() on, names and offsets must be those on the console, through what
was interrupted down to the entry from user mode, and the last frame the user's. Lines that the kernel
marks with "?" are what it found on the stack and did not believe. Every difference is a line on
stderr. Exit status: 0 the same, 1 different or failed, 77 the console shows no panic of this dump.
"""

import itertools
import re

from oracle import Failure, check_main, json_lines, run, skip

# Where something was interrupted, the kernel shows the registers in place of a frame's line.
FRAME = re.compile(r"^(?:\[[^]]*\])?\s+(?:RIP: 0010:)?(\? )?([\w.]+)\+(0x[0-9a-f]+)/0x[0-9a-f]+"
                   r"(?: \[\w+\])?$")
USER = "RIP: 0033:"
USER_PC = re.compile(USER + r"(?:\[[^]]*\])?(0x[0-9a-f]+)")


def printed_trace(panic):
    """[(function, offset)] of the panic on the console, from panic()'s caller on."""
    matches = map(FRAME.match, itertools.takewhile(lambda line: USER not in line, panic))
    frames = [(match[2], int(match[3], 16)) for match in matches if match and not match[1]]
    names = [name for name, _ in frames]
    if "panic" not in names:
        raise Failure("the trace on the console is not that of panic()")
    return frames[names.index("panic") + 1:]


def check(dump, server):
    panic = dump.panic()
    if not panic:
        skip("this machine did not panic")
    expected = printed_trace(panic)
    user = [int(pc, 16) for pc in USER_PC.findall("\n".join(panic))]
    [thread] = json_lines(run([*server, "-x", "bt --json", *dump.files], server[0]), server[0])
    got = [(frame["name"], frame["offset"]) for frame in thread["frames"] if "name" in frame]
    names = [name for name, _ in got]
    if expected[0][0] not in names:
        return [f"{expected[0][0]} is not among {names}"]
    got = got[names.index(expected[0][0]):]
    lines = [f"{mine}, the console shows {theirs}"
             for mine, theirs in itertools.zip_longest(got, expected) if mine != theirs]
    last = int(thread["frames"][-1]["pc"], 16)
    if [last] != user:
        lines.append(f"the last frame is at {last:#x}, the console shows the user's at {user}")
    return lines


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
