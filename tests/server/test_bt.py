#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt on the demo dump: every register of every frame, and those that must stay unknown."""

import json

from program import Server, monitor, run_on_demo
from rsp import Client
from seed_case import CALLEE_SAVED, FRAMES, SAVED, STACK, VCPU
from tap import check, expect, expect_equal, expect_in, run_checks

def threads_of(line):
    return [json.loads(text) for text in monitor(line).splitlines()]


def numbers(members):
    return {name: int(value, 16) for name, value in members.items()}


@check("the case's frames: every register known or unknown as by hand")
def _():
    [thread] = threads_of("bt 110 --json")
    expect_equal((thread["tid"], thread["vcpu"]), (110, f"{VCPU:#x}"), "the thread")
    for number, (name, module, how, values) in enumerate(FRAMES):
        frame = thread["frames"][number]
        expect_equal((frame["name"], frame.get("module"), frame["how"]), (name, module, how),
                     f"frame {number}")
        expect_equal(frame["pc"], frame["regs"]["rip"], f"frame {number}: pc")
        expect_equal(frame["interrupted"], number == 0, f"frame {number}: interrupted")
        regs = numbers(frame["regs"])
        for register, value in zip(CALLEE_SAVED, values):
            expect_equal(regs.get(register), value, f"frame {number}: {register}")
        if number:
            expect(set(regs) <= set(CALLEE_SAVED), f"frame {number} knows {set(regs)}")


@check("where each register was saved")
def _():
    [thread] = threads_of("bt 110 --json")
    expect_equal(thread["frames"][0]["saved"], {}, "frame 0")
    for number, offsets in SAVED.items():
        expect_equal(numbers(thread["frames"][number]["saved"]),
                     {name: STACK + offset for name, offset in offsets.items()}, f"frame {number}")
    expect_in("rbx      0xffff88043ea73280 ← [0xffff88003e5ebd20]", monitor("bt 110 --regs"))


@check("it goes on to user mode")
def _():
    [thread] = threads_of("bt --json")
    expect_equal([frame.get("name") for frame in thread["frames"][6:]],
                 ["SyS_ioctl", "system_call_fastpath", None], "the last frames")
    expect_equal((thread["end"], "why" in thread), ("user", False), "the end")
    regs = thread["frames"][-1]["regs"]
    expect_equal([regs[name] for name in ("rip", "rsp", "eflags")],
                 ["0x7f0b9c4b3107", "0x7f0b977fd9a8", "0x246"], "user mode")
    for tid, rsp in ((1, "0x7ffd1e0a4a30"), (103, "0x7fff5c9d1b50")):
        [thread] = threads_of(f"bt {tid} --json")
        expect_equal(thread["frames"][-1]["regs"]["rsp"], rsp, f"{tid}: the user's stack")


@check("as text: a line a frame")
def _():
    lines = monitor("bt").splitlines()
    expect_equal(lines[0], "110 CPU 0/KVM, on CPU 0, "
                 "vm 103 vcpu 0, struct kvm_vcpu 0xffff88043ea73280", "the thread")
    expect_equal(lines[1], "#0   0xffffffffc07a21a8  note    vmx_set_cr3+0x18 [kvm_intel]", "#0")
    expect_equal(lines[3], "#2   0xffffffffc09920fb  cfi     vcpu_enter_guest+0x67b [kvm]", "#2")
    expect_equal(lines[6], "#5   0xffffffff812151cd  fp      do_vfs_ioctl+0x33d", "#5")
    expect_equal(len(lines), 10, "lines")


@check("one thread, that of a CPU, or all")
def _():
    tids = [thread["tid"] for thread in threads_of("threads --json")]
    every = threads_of("bt --all --json")
    expect_equal([thread["tid"] for thread in every], tids, "all")
    for thread in every:
        expect_in(thread["end"], ["user", "kthread", "lost"])
        expect_equal("why" in thread, thread["end"] == "lost", f"{thread['tid']}: a reason")
    expect_equal(monitor("bt --cpu 0"), monitor("bt 110"), "CPU 0")
    expect_equal(monitor("bt --cpu 1"), monitor("bt 10000001"), "CPU 1")
    with Server() as server, Client(server.address) as client:
        client.ask("Hg67")
        expect_equal(client.monitor("bt"), (monitor("bt 103"), "OK"), "the selected thread")


@check("stacks: the same places are one stack, most threads first")
def _():
    every = {thread["tid"]: thread for thread in threads_of("bt --all --json")}
    stacks = threads_of("stacks --json")
    expect_equal(sorted(tid for stack in stacks for tid in stack["tids"]), sorted(every), "tids")
    counts = [stack["threads"] for stack in stacks]
    expect_equal(counts, sorted(counts, reverse=True), "the order")
    seen = set()
    for stack in stacks:
        expect_equal(stack["threads"], len(stack["tids"]), "the number of threads")
        places = [frame["pc"] for frame in stack["frames"]]
        for tid in stack["tids"]:
            expect_equal([frame["pc"] for frame in every[tid]["frames"]], places, f"{tid}: frames")
            expect_equal((every[tid]["end"], every[tid].get("why")),
                         (stack["end"], stack.get("why")), f"{tid}: the end")
        seen.add((*places, stack["end"], stack.get("why")))
    expect_equal(len(seen), len(stacks), "different stacks")
    text = monitor("stacks")
    expect_equal(text.count(" threads:") + text.count(" thread:"), len(stacks), "stacks as text")
    expect_in("1 thread: 110\n#0   0xffffffffc07a21a8", text)


@check("wrong arguments are one sentence, and status 1")
def _():
    for line, part in [("bt 5", "no thread 5"), ("bt x", "'x'"), ("bt --cpu", "--cpu"),
                       ("bt --cpu 2", "no CPU 2"), ("bt --cpu x", "--cpu"),
                       ("bt --all 110", "one of"), ("bt 1 2", "one of"),
                       ("bt" + " --regs" * 7, "takes")]:
        done = run_on_demo("--exec", line)
        expect_equal((done.returncode, done.stdout), (1, ""), f"{line}: status and output")
        expect_equal(len(done.stderr.splitlines()), 1, f"{line}: sentences")
        expect_in(part, done.stderr)


run_checks()
