#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt by ORC in each of its formats: tables that are written into the memory of a small
kernel's dump, and a sleeping task whose stack is laid down word by word."""

import json
import os
import subprocess
import tempfile

from orc_dumps import FORMATS, make_orc_dump
from program import Server, run_program
from rsp import Client
from tap import Skip, check, expect_equal, run_checks

FRAMES = [
    ("__schedule", "switch", 0x1111),
    ("sysrq_handle_crash", "orc", "base+0x60"),
    ("default_idle", "orc", 0x7777),
    (None, "regs", 0xb9),
]
ENTRY_FRAMES = "/from-dump/entry-code-frames"
folder = tempfile.TemporaryDirectory()


def backtrace(name, kernel, words, header="00" * 20):
    """bt of the task in such a dump."""
    dump = make_orc_dump(folder.name, name, kernel, words, header)
    done = run_program("--symbols", f"tests/kernel/{kernel}", "--exec", "bt 1 --json", dump)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{name}: status and standard error")
    return json.loads(done.stdout)


def expect_frames(thread):
    frames = thread["frames"]
    base = int(frames[0]["regs"]["rsp"], 16)
    expect_equal([(frame.get("name"), frame["how"]) for frame in frames],
                 [(name, how) for name, how, _ in FRAMES], "the frames")
    expect_equal([int(frame["regs"]["rbp"], 16) for frame in frames],
                 [base + 0x60 if rbp == "base+0x60" else rbp for _, _, rbp in FRAMES], "rbp")
    expect_equal([int(frame["regs"]["rsp"], 16) for frame in frames],
                 [base, base + 0x20, base + 0x70, 0x7ffe0000], "rsp")
    expect_equal(["rbx" in frame["regs"] for frame in frames[1:]], [False, False, True],
                 "that rbx is known")
    expect_equal(frames[2]["saved"]["rbp"], f"{base + 0x60:#x}", "where rbp was saved")
    expect_equal(thread["end"], "user", "the end")


for FORMAT, (WORDS, HASH) in FORMATS.items():
    if HASH:
        @check(f"the format of {FORMAT}, by the hash in its header")
        def _(format_=FORMAT, words=WORDS, header=HASH):
            expect_frames(backtrace(f"{format_}-header", "modern", words, header))

    @check(f"the format of {FORMAT}, by what the table looks like")
    def _(format_=FORMAT, words=WORDS):
        expect_frames(backtrace(f"{format_}-middle", "middle", words))
        expect_frames(backtrace(f"{format_}-modern", "modern", words))


@check("a hash says more than a look")
def _():
    words, _ = FORMATS["6.4"]
    _, other = FORMATS["7.1"]
    thread = backtrace("other", "modern", words, other)
    expect_equal(thread["end"], "lost", "the end")


@check("frames of entry code: a library, and a file for those who read none; neither when turned off")
def _():
    words, header = FORMATS["6.4"]
    dump = make_orc_dump(folder.name, "entry-frames", "modern", words, header)
    for options, there in [((), True), (("--no-extra-cfi",), False)]:
        with Server(*options, dump=dump, symbols="tests/kernel/modern") as server, \
                Client(server.address) as client:
            client.no_acks()
            client.document("exec-file")
            expect_equal(ENTRY_FRAMES in client.document("libraries").decode(), there, "the library")
            expect_equal(client.ask(f"vFile:open:{ENTRY_FRAMES.encode().hex()},0,0"),
                         "F0" if there else "F-1,2", "the file")


run_checks()
