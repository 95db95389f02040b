#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel stack that a recursion has run over: `bt` and `stacks` against what the kernel printed.

    check_overflow.py DUMP CONSOLE SERVER
"""

import os
import re
import sys

from check_panic_trace import FRAME
from oracle import Failure, json_lines, run, skip

HIT = "stack guard page was hit"
RSP = re.compile(r"RSP: 0018:([0-9a-f]+)")
USER = re.compile(r"RIP: 0033:(0x[0-9a-f]+)")


def printed(console):
    """(rsp, [(function, offset)], the user's rip) of what has hit the guard page."""
    with open(console, encoding="utf-8", errors="replace") as file:
        text = file.read()
    report = text[text.index(HIT):]
    report = report[:report.index("</TASK>")]
    frames = [(match[2], int(match[3], 16)) for match in map(FRAME.match, report.splitlines())
              if match and not match[1]]
    return int(RSP.search(report)[1], 16), frames, int(USER.search(report)[1], 16)


def check(dump, console, server):
    rsp, frames, user = printed(console)
    output = run([server, "-x", "bt --json", dump], "the server")
    got = json_lines(output, "the server")[0]["frames"]
    stopped = next((i for i, frame in enumerate(got) if frame["interrupted"] and i), None)
    if stopped is None:
        raise Failure(f"no frame was interrupted: {[frame.get('name') for frame in got]}")
    if int(got[stopped]["regs"]["rsp"], 16) != rsp:
        raise Failure(f"rsp is {got[stopped]['regs']['rsp']}, the console shows {rsp:#x}")
    mine = [(frame["name"], frame["offset"]) for frame in got[stopped:] if "name" in frame]
    if mine != frames:
        raise Failure(f"{len(mine)} frames {mine}, the console shows {len(frames)}: {frames}")
    if int(got[-1]["pc"], 16) != user:
        raise Failure(f"the last frame is at {got[-1]['pc']}, the user's is {user:#x}")
    # One is what was stopped, one is shown.
    name, offset = frames[1]
    folded = f"{name}+{offset:#x}\n     {frames.count(frames[1]) - 1} more frames like this one\n"
    for command in ("bt", "stacks"):
        text = run([server, "-x", command, dump], "the server").decode()
        if folded not in text:
            raise Failure(f"{command} does not say {folded!r}:\n{text}")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if not os.path.exists(sys.argv[1]):
        skip(f"there is no {sys.argv[1]}: make-vmcores.sh makes it")
    try:
        check(*sys.argv[1:])
    except Failure as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
