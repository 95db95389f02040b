#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt by ORC in each of its formats: tables that are written into the memory of a small
kernel's dump, and a sleeping task whose stack is laid down word by word."""

import json
import os
import subprocess
import tempfile

from program import SOURCE, Server, run_program
from recipes import MAKER
from rsp import Client
from tap import Skip, check, expect_equal, run_checks

# Per format: what __schedule, ret_from_fork_asm, default_idle and sysrq_handle_crash have in the
# word behind the two offsets (a call by rsp that saved rbp, a call by rsp, pt_regs at rsp, a call by
# rbp that saved rbp), and the hash in .orc_header.
FORMATS = {
    "4.14": ((0x015, 0x005, 0x105, 0x014), None),
    "6.3": ((0x015, 0x005, 0x505, 0x014), "db84aed4103b31dd51e017f8f79783ca985c2c51"),
    "6.4": ((0x215, 0x205, 0xb05, 0x214), "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24"),
    "7.1": ((0x283, 0x203, 0xb03, 0x284), "137c36ad7627c4dd55932176bb0ecdbd5041fc82"),
}

RECIPE = """
include "{kernel}.recipe"
set ips __start_orc_unwind_ip + s
virt ips: u32 (__schedule + s - ips) (ret_from_fork_asm + s - ips - 4) (default_idle + s - ips - 8)
	(sysrq_handle_crash + s - ips - 12)
virt __start_orc_unwind + s: u16 32 0xfff0 {0:#x} 8 0 {1:#x} 0 0 {2:#x} 16 0xfff0 {3:#x}
set base init_stk + 0x3e00 + sizeof(inactive_task_frame)
put inactive_task_frame at init_stk + 0x3e00: bp = 0x1111 ret_addr = __schedule + s + 0x20
virt base: 0x22 0x33 (base + 0x60) (sysrq_handle_crash + s + 0x18)
virt base+0x60: 0x7777 (default_idle + s + 0x20)
	15 14 13 12 0xb9 0xbb 11 10 9 8 0 1 2 3 4 -1 0x401000 0x33 0x246 0x7ffe0000 0x2b
"""
FRAMES = [
    ("__schedule", "switch", 0x1111),
    ("sysrq_handle_crash", "orc", "base+0x60"),
    ("default_idle", "orc", 0x7777),
    (None, "regs", 0xb9),
]
ENTRY_FRAMES = "/from-dump/entry-code-frames"
folder = tempfile.TemporaryDirectory()


def make_dump(name, kernel, words, header):
    """A dump of the kernel with these tables; returns its path."""
    if not os.path.exists(f"tests/kernel/{kernel}"):
        raise Skip(f"tests/kernel/{kernel} was not built: cmocka is missing")
    text = RECIPE.format(*words, kernel=kernel)
    if kernel == "modern":
        octets = " ".join(f"0x{header[i:i + 2]}" for i in range(0, len(header), 2))
        text += f"virt __start_orc_header + s: u8 {octets}\n"
    recipe, dump = os.path.join(folder.name, name + ".recipe"), os.path.join(folder.name, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write(text)
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "tests/kernel"), "-I", "tests/kernel", recipe,
                    dump], check=True, timeout=20)
    return dump


def backtrace(name, kernel, words, header="00" * 20):
    """bt of the task in such a dump."""
    dump = make_dump(name, kernel, words, header)
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
    dump = make_dump("entry-frames", "modern", words, header)
    for options, there in [((), True), (("--no-extra-cfi",), False)]:
        with Server(*options, dump=dump, symbols="tests/kernel/modern") as server, \
                Client(server.address) as client:
            client.no_acks()
            client.document("exec-file")
            expect_equal(ENTRY_FRAMES in client.document("libraries").decode(), there, "the library")
            expect_equal(client.ask(f"vFile:open:{ENTRY_FRAMES.encode().hex()},0,0"),
                         "F0" if there else "F-1,2", "the file")


run_checks()
