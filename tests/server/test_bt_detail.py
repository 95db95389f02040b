#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt --raw: the stack's words with what each is, as they were marked by hand."""

import json
import re
import socket
import subprocess
import sys
import tempfile

from program import SOURCE, Server, monitor, run_on_demo
from recipes import MAKER, make_dump
from rsp import Client, frame
from tap import check, expect, expect_equal, expect_in, run_checks

STACK = 0xffff88003e5eb000
LINE = re.compile(r"^ {8}([0-9a-f]{16})  ([0-9a-f]{16})(?:  ← (.*?)|    \((.*)\))?(?:  \[([^]]*)\])?$")
# What the words of the first frames are: the prologues' pushes, counted by hand.
MARKS = {
    0xce8: "rbx of #1", 0xcf0: "r12 of #1", 0xcf8: "r13 of #1", 0xd00: "rbp of #1",
    0xd08: "rip of #1: kvm_mmu_load+0x293 [kvm]",
    0xd20: "rbx of #2", 0xd28: "r12 of #2", 0xd30: "r13 of #2", 0xd38: "r14 of #2",
    0xd40: "r15 of #2", 0xd48: "rbp of #2", 0xd50: "rip of #2: vcpu_enter_guest+0x67b [kvm]",
    0xda0: "rbx of #3", 0xda8: "r12 of #3", 0xdb0: "r13 of #3", 0xdb8: "r14 of #3",
    0xdc0: "r15 of #3", 0xdc8: "rbp of #3", 0xdd0: "rip of #3: kvm_arch_vcpu_ioctl_run+0xbd [kvm]",
}

folder = tempfile.TemporaryDirectory()


def raw_lines(text):
    """The words by the number of the frame that they are shown with."""
    frames = []
    for line in text.splitlines()[1:]:
        if line.startswith("#"):
            frames.append([])
            continue
        match = LINE.match(line)
        expect(match, f"no line of a word: {line!r}")
        mark = match[3]
        # A module is in brackets, too.
        if mark and match[5] and match[5] != "kvm_vcpu":
            mark += f" [{match[5]}]"
        frames[-1].append((int(match[1], 16), int(match[2], 16), mark, match[4]))
    return frames


@check("--raw: every word from a frame's rsp to its caller's, marked")
def _():
    frames = raw_lines(monitor("bt --raw"))
    words = [word for frame in frames for word in frame]
    expect_equal([word[0] for word in words], list(range(STACK + 0xcd0, STACK + 0x1000, 8)),
                 "addresses")
    expect_equal([frame[0][0] - STACK for frame in frames[:4]], [0xcd0, 0xd10, 0xd58, 0xdd8],
                 "where frames begin")
    expect_equal(frames[-1], [], "of user mode")
    expect_equal({address - STACK: mark for address, _, mark, _ in words
                  if mark and address < STACK + 0xdd8}, MARKS, "marks")
    stale = {address - STACK: name for address, _, _, name in words if name}
    expect_equal(stale[0xd60], "kvm_arch_vcpu_load+0x4c [kvm]", "a call that had returned")


@check("--raw --json: the same words")
def _():
    thread = json.loads(monitor("bt --raw --json"))
    plain = json.loads(monitor("bt --json"))
    shown = raw_lines(monitor("bt --raw"))
    for number, frame in enumerate(thread["frames"]):
        words = frame.pop("words")
        expect_equal([(int(word["address"], 16), int(word["value"], 16)) for word in words],
                     [word[:2] for word in shown[number]], f"frame {number}")
    expect_equal(thread, plain, "the rest")
    words = json.loads(monitor("bt --raw --json"))["frames"][0]["words"]
    expect_equal(words[3], {"address": f"{STACK + 0xce8:#x}", "value": "0x0", "saved": ["rbx"],
                            "frame": 1}, "a saved register")
    expect_equal(words[-1], {"address": f"{STACK + 0xd08:#x}", "value": "0xffffffffc09a9833",
                             "saved": ["rip"], "frame": 1, "symbol": "kvm_mmu_load",
                             "offset": 0x293, "module": "kvm"}, "a return address")


@check("--raw: words that point to a vCPU are marked, and one is evidence where registers are unknown")
def _():
    marked = {int(line.split()[0], 16) - STACK for line in monitor("bt --raw").splitlines()
              if line.endswith("  [kvm_vcpu]")}
    expect_equal(marked, {0xcd0, 0xcf0, 0xd20, 0xd80, 0xda0, 0xde8}, "words that are the vCPU's")
    words = json.loads(monitor("bt --raw --json"))["frames"][0]["words"]
    expect_equal(words[0]["object"], {"name": "kvm_vcpu", "start": "0xffff88043ea73280",
                                      "offset": "0x0", "state": "allocated"}, "as JSON")
    expect("lies in this frame" not in monitor("bt --raw"), "a register is more than a word")
    # The function that frame 3's registers are known by is not in the dump.
    dump = make_dump(folder.name, "lost", "absent 0xffffffffc0992000 4k\n")
    expect_in("        a struct kvm_vcpu, 0xffff88043ea73280, lies in this frame at "
              "0xffff88003e5ebde8\n", monitor("bt --regs", dump))
    frame = json.loads(monitor("bt --raw --json", dump))["frames"][3]
    expect_equal(frame["evidence"], [{"type": "struct kvm_vcpu", "value": "0xffff88043ea73280",
                                      "address": "0xffff88003e5ebde8"}], "evidence as JSON")
    expect("rbx" not in frame["regs"], "evidence is no register")


@check("--raw: with the other options, and of all threads")
def _():
    text = monitor("bt --regs --raw 110")
    expect_in("rbx      0xffff88043ea73280 ← [0xffff88003e5ebd20]", text)
    expect_in("ffff88003e5ebd20  ffff88043ea73280  ← rbx of #2", text)
    for thread in map(json.loads, monitor("bt --all --raw --json").splitlines()):
        for frame in thread["frames"]:
            expect("words" in frame, f"{thread['tid']}: no words")


@check("--raw: words that cannot be read are said to be missing, once")
def _():
    # A sleeper whose stack is one page longer, and has lost the page where its frames were.
    [top] = {thread["frames"][0]["regs"]["rsp"] for thread in
             map(json.loads, [monitor("bt 103 --json")])}
    page = int(top, 16) & ~0xfff
    dump = make_dump(folder.name, "cut", f"zero {page - 0x1000:#x} 4k\nabsent {page:#x} 4k\n"
                     f"put task_struct at qemu_task: thread.sp = {page - 0x100:#x}\n")
    text = monitor("bt 103 --raw", dump)
    expect_equal(re.findall("^ .*  missing$", text, re.MULTILINE), [f"        {page:016x}  missing"],
                 "lines of missing words")
    words = json.loads(monitor("bt 103 --raw --json", dump))["frames"][-1]["words"]
    expect_equal(words[-1], {"address": f"{page + 0xff8:#x}", "kind": "missing"}, "the last word")


@check("--inline: names and lines where DWARF has them, the same frames where it does not")
def _():
    # The demo's functions are assembly without debug information.
    expect_equal(monitor("bt --all --inline"), monitor("bt --all"), "in words")
    expect_equal(monitor("bt --inline --json"), monitor("bt --json"), "as JSON")


def end_of(client):
    """The reply behind a command's output."""
    reply = client.reply()
    while reply[:1] == b"O" and reply != b"OK":
        reply = client.reply()
    return reply


def arrived(client):
    """What has come and was not read; it stays."""
    try:
        return client.socket.recv(1 << 24, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


@check("--all and stacks: others are served meanwhile, and Ctrl-C ends it", 120)
def _():
    recipe, dump = f"{folder.name}/many.recipe", f"{folder.name}/many"
    with open(recipe, "w", encoding="ascii") as out:
        subprocess.run([sys.executable, f"{SOURCE}/tests/bench/many_tasks.py", "5000"], check=True,
                       stdout=out, timeout=20)
    subprocess.run([MAKER, "-I", f"{SOURCE}/contrib/demo", "-I", "contrib/demo", recipe, dump],
                   check=True, timeout=20)
    with Server(dump=dump) as server, Client(server.address) as client, \
            Client(server.address) as other:
        client.no_acks()
        for line in ["bt --all --raw", "stacks"]:
            packet = frame("qRcmd," + line.encode().hex())
            client.send(packet + b"\x03")
            expect_equal(end_of(client), b"E04", f"{line}: interrupted")
            # Whoever asks in the middle of it has an answer. The list is more than the sockets hold, so it
            # is not done before it is read.
            client.send(packet)
            other.ask("qC")
            if line != "stacks":
                expect(not arrived(client).endswith(b"$OK#9a"), f"{line}: done already")
            expect_equal(end_of(client), b"OK", f"{line}: the end")


@check("wrong options are one sentence that names the right ones")
def _():
    for line in ["bt --rw", "bt -r", "bt 110 --raw --bad"]:
        done = run_on_demo("--exec", line)
        expect_equal((done.returncode, done.stdout), (1, ""), f"{line}: status and output")
        expect_equal(len(done.stderr.splitlines()), 1, f"{line}: sentences")
        for option in ["--all", "--cpu", "--regs", "--raw", "--inline", "--json"]:
            expect_in(option, done.stderr)


run_checks()
