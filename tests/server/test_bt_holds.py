#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor bt: the vCPU's pointer in frames whose variables DWARF describes (held.S)."""

import json
import os
import subprocess
import tempfile

from program import SOURCE, run_program
from seed_case import STACK, VCPU
from tap import check, expect_equal, expect_in, expect_not_in, need_tool, run_checks

DEMO = os.path.join(SOURCE, "contrib/demo")
OBJECTS = ["text.o", "text-kvm.o", "data.o", "kvm.o"]
MAKER = os.path.abspath("tests/recipe/mkvmcore")

folder = tempfile.TemporaryDirectory()


def build(name, statements=""):
    """The demo with held.S in its vmlinux; returns the folder of both files."""
    path = os.path.join(folder.name, name)
    os.mkdir(path)
    run = {"check": True, "timeout": 20, "stdin": subprocess.DEVNULL}
    subprocess.run([need_tool("gcc"), "-c", "-o", f"{path}/held.o",
                    os.path.join(SOURCE, "tests/server/held.S")], **run)
    subprocess.run([need_tool("ld"), "-nostdlib", "-static", "-z", "max-page-size=4096", "-z",
                    "noexecstack", "--build-id=sha1", "-T", f"{DEMO}/vmlinux.lds", "-o",
                    f"{path}/vmlinux", *(f"contrib/demo/{name}" for name in OBJECTS),
                    f"{path}/held.o"], **run)
    with open(f"{path}/recipe", "w", encoding="ascii") as recipe:
        recipe.write(f'include "seed.recipe"\n{statements}')
    subprocess.run([MAKER, "-I", DEMO, "-I", path, f"{path}/recipe", f"{path}/vmcore"], **run)
    return path


def bt(path, line):
    done = run_program("--symbols", f"{path}/vmlinux", "--exec", line, f"{path}/vmcore")
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


def held(name, value, where, **more):
    return {"name": name, "type": "struct kvm_vcpu *", "value": f"{value:#x}", "where": where,
            **more}


HELD = [held("vcpu", VCPU, "rbx"), held("again", VCPU, "rbx"),
        held("on_stack", VCPU, f"[{STACK + 0xda0:#018x}]")]


@check("by register, stack and computation; unknown where a register or the entry's is unknown")
def _():
    path = build("right")
    thread = json.loads(bt(path, "bt --json"))
    holds = {number: frame["holds"] for number, frame in enumerate(thread["frames"])
             if "holds" in frame}
    why = holds[2][3].pop("why")
    expect_equal(holds, {2: [*HELD, held("computed", VCPU + 8, "computed")]}, "what frames hold")
    for part in ["'computed'", f"{VCPU + 8:#x}", f"{VCPU:#x}"]:
        expect_in(part, why)
    text = bt(path, "bt")
    expect_in(f"vcpu_enter_guest+0x67b [kvm]  vcpu={VCPU:#x} (rbx)", text)
    expect_equal(text.count("KVM says"), 1, "sentences of disagreement")


@check("a thread that KVM's structures do not name, and a vCPU that they do")
def _():
    path = build("nobody", "put kvm_vcpu at vcpu: pid = 0\n")
    thread = json.loads(bt(path, "bt --json"))
    expect_equal("vcpu" in thread, False, "a vCPU by KVM's structures")
    for part in thread["frames"][2]["holds"]:
        expect_in("does not say", part["why"])
    text = bt(path, "bt")
    expect_not_in(", vCPU", text.splitlines()[0])
    expect_in(f"'vcpu' is {VCPU:#x}, but KVM does not say", text)


run_checks()
