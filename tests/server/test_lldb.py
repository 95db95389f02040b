# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock lldb on the demo dump."""

import os
import re
import subprocess
import sys
import tempfile

from program import SOURCE, VMLINUX, Server
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

LLDB_S = 40

THREADS = {110: "CPU 0/KVM [running on 0] vm 103 vcpu 0",
           1: "systemd [sleeping]", 2: "kthreadd [sleeping]",
           103: "qemu-kvm [sleeping]", 10000000: "swapper/0 [runnable]",
           10000001: "swapper/1 [running on 1]"}
FUNCTIONS = ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest", "kvm_arch_vcpu_ioctl_run",
             "kvm_vcpu_ioctl", "do_vfs_ioctl", "SyS_ioctl"]


def lldb(server, *commands, typed=(), vmlinux=VMLINUX):
    """What lldb prints.

    Commands given as arguments wait for each other, but one that lets the process go on is the last
    that is carried out; those that are typed come after that.
    """
    line = [need_tool("lldb"), "--no-lldbinit", "--no-use-colors"]
    for command in [f"gdb-remote {server.address}", *commands]:
        line += ["-o", command]
    if vmlinux:
        line.append(vmlinux)
    done = subprocess.run(line, input="\n".join([*typed, "quit\n"]), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LLDB_S)
    expect_equal(done.returncode, 0, f"lldb's status (it said {done.stdout})")
    return done.stdout


def lldb_on_demo(*commands, **how):
    with Server() as server:
        return lldb(server, *commands, **how)


def listed_threads(text):
    text = text.rsplit("(lldb) thread list", 1)[1]
    rows = re.findall(r"^[* ] thread #\d+: tid = (\d+),.* name = '([^']*)'", text, re.MULTILINE)
    return {int(tid): name for tid, name in rows}


def functions(text):
    """The names of the backtrace's frames; the frame of the stop itself may be printed within."""
    frames = re.findall(r"frame #(\d+): 0x[0-9a-f]+ \S+?`(\w+)", text)
    by_number = {int(number): name for number, name in frames}
    return [by_number[number] for number in sorted(by_number)]


@check("threads, why it stands still, and the vCPU thread's backtrace", LLDB_S)
def _():
    text = lldb_on_demo("bt", "thread list")
    expect_in("stop reason = Kernel panic - not syncing: Hard LOCKUP", text)
    expect_equal(listed_threads(text), THREADS, "threads")
    expect_equal(functions(text)[:7], FUNCTIONS, "functions")


@check("registers, and those that are not known", LLDB_S)
def _():
    text = lldb_on_demo("register read rip rbx r12 fs_base", "thread select 4",
                        "register read rip rax rbx")
    for part in [r"rip = 0xffffffffc07a21a8\b", r"rbx = 0xffff88043ea73280\b",
                 r"r12 = 0x0000000005308000\b", r"fs_base = 0x00007f0b977fe700\b",
                 r"rip = 0xffffffff816a9214\b", r"rax +=? *error: unavailable",
                 r"rbx +=? *error: unavailable"]:
        expect(re.search(part, text), f"no {part} in:\n{text}")
    expect_not_in("0xcccc", text)


@check("memory, types, and the lower half that it cannot ask for", LLDB_S)
def _():
    vcpu = "((struct kvm_vcpu *)0xffff88043ea73280)"
    text = lldb_on_demo("memory read -s 1 -c 5 -f c 0xffffffff81800000",
                        f"expression -- (long){vcpu}->arch.mmu.root_hpa",
                        "memory read -c 7 0x7f0b9c4b3100")
    expect_in("Linux", text)
    expect_in("87064576", text)
    expect_in("memory read failed for 0x7f0b9c4b3000", text)


@check("monitor commands", LLDB_S)
def _():
    text = lldb_on_demo("process plugin packet monitor info",
                        "process plugin packet monitor nonsense",
                        "process plugin packet monitor threads")
    for part in ["kernel    Linux 3.10.0-693", "there is no monitor command 'nonsense'",
                 "CPU 0/KVM        0xffff88017a2b2500  note"]:
        expect_in(part, text)


@check("what would run or change something is refused, and the session lives", LLDB_S)
def _():
    for command, refusal in [("process continue", "it cannot run"),
                             ("thread step-inst", "it cannot run"),
                             ("memory write 0xffffffff81800000 0", "failed"),
                             ("register write rax 1", "rror")]:
        text = lldb_on_demo(command, typed=["thread list"])
        expect_in(refusal, text)
        expect_equal(listed_threads(text), THREADS, f"after {command}: threads")


@check("detaching, killing and quitting leave the server to the next", 4 * LLDB_S)
def _():
    with Server() as server:
        for last in ["process detach", "process kill", "thread list"]:
            lldb(server, last)
        expect_equal(listed_threads(lldb(server, "thread list")), THREADS, "threads")


@check("without a vmlinux of lldb's own", LLDB_S)
def _():
    text = lldb_on_demo("thread list", vmlinux=None)
    expect_equal(listed_threads(text), THREADS, "threads")


def vmcore_lldb(address, *words):
    """What contrib/lldb/vmcore-lldb and its lldb print, and its status."""
    need_tool("lldb")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, os.path.join(SOURCE, "contrib/lldb/vmcore-lldb"), address, *words],
            env=dict(os.environ, XDG_CACHE_HOME=folder), stdin=subprocess.DEVNULL, text=True,
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LLDB_S)
    return done.stdout, done.returncode


@check("vmcore-lldb, with a vmlinux and with the server's", 2 * LLDB_S)
def _():
    batch = ("--no-lldbinit", "--batch", "-o", "bt")
    with Server() as server:
        for vmlinux in ([VMLINUX], []):
            text, status = vmcore_lldb(server.address, *vmlinux, *batch)
            expect_equal((functions(text)[:7], status), (FUNCTIONS, 0), "functions, status")
            expect_in("section '.data..percpu' loaded at 0x0", text)


@check("vmcore-lldb says what it cannot do", LLDB_S)
def _():
    with Server("--no-serve-files") as server:
        for words, reason in [((), "no file of the kernel to give"),
                              (("/nowhere/vmlinux",), "No such file"),
                              ((sys.executable,), "build-id")]:
            text, status = vmcore_lldb(server.address, *words)
            expect_in(reason, text)
            expect_not_in("Traceback", text)
            expect_equal(status, 1, f"status (it said {text})")
    text, status = vmcore_lldb(server.address)
    expect_in("refused", text)
    expect_equal(status, 1, "status")


run_checks()
