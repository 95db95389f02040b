#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares `bt` of the panicking thread with the trace that its kernel printed itself.

    check_panic_trace.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

From the function that called panic() on, names and offsets must be those on the console, down to
the entry from user mode. Lines that the kernel marks with "?" are what it found on the stack and
did not believe. Every difference is a line on stderr. Exit status: 0 the same, 1 different or
failed, 77 the console shows no panic of this dump, or no Python here can import drgn.
"""

import itertools
import re

from oracle import Failure, check_main, json_lines, run, skip

PANICKED = {"kdump", "panic"}
FRAME = re.compile(r"^(?:\[[^]]*\])?\s+(\? )?([\w.]+)\+(0x[0-9a-f]+)/0x[0-9a-f]+$")


def printed_trace(path):
    """[(function, offset)] of the last panic on the console, from panic()'s caller on."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.rstrip() for line in file]
    starts = [i for i, line in enumerate(lines) if "] Kernel panic - not syncing" in line]
    if not starts:
        raise Failure(f"{path} shows no panic")
    matches = map(FRAME.match, itertools.takewhile(lambda line: "RIP:" not in line,
                                                   lines[starts[-1]:]))
    frames = [(match[2], int(match[3], 16)) for match in matches if match and not match[1]]
    names = [name for name, _ in frames]
    if "panic" not in names:
        raise Failure(f"{path}: the trace is not that of panic()")
    return frames[names.index("panic") + 1:]


def check(dump, server):
    if dump.entry["scenario"] not in PANICKED:
        skip("this machine did not panic")
    expected = printed_trace(dump.path(dump.entry["console"]))
    [thread] = json_lines(run([*server, "-x", "bt --json", *dump.files], server[0]), server[0])
    got = [(frame["name"], frame["offset"]) for frame in thread["frames"] if "name" in frame]
    names = [name for name, _ in got]
    if expected[0][0] not in names:
        return [f"{expected[0][0]} is not among {names}"]
    got = got[names.index(expected[0][0]):]
    return [f"{mine}, the console shows {theirs}"
            for mine, theirs in itertools.zip_longest(got, expected) if mine != theirs]


if __name__ == "__main__":
    check_main(__doc__, check)
