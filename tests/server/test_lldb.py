# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock lldb on the demo dump."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

from program import SOURCE, VMLINUX, Server
from tap import (Skip, check, expect, expect_equal, expect_in, expect_not_in, need_tool,
                 run_checks)

LLDB_S = 120

THREADS = {110: "CPU 0/KVM [running on 0] vm 103 vcpu 0, in kernel",
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


# ---- what vmcore-lldb writes otherwise for lldb 14 ----


def script():
    """vmcore-lldb's functions."""
    loader = importlib.machinery.SourceFileLoader(
        "vmcore_lldb", os.path.join(SOURCE, "contrib/lldb/vmcore-lldb"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("vmcore_lldb", loader))
    loader.exec_module(module)
    return module


@check("vmcore-lldb: rows of unwind entries that begin behind a call begin a byte later")
def _():
    tool, start = script(), 0xffffffff81000000
    # push %rbp at 28, a call that ends at 150, and what follows it: rsp+16, rsp+8, rsp+24.
    code = bytearray(b"\x90" * 300)
    code[27], code[145] = 0x55, 0xe8
    program = bytes([0x40 | 28, 0x0e, 16, 0x02, 122, 0x0e, 8, 0x40 | 10, 0x0e, 24])
    later = bytes([0x40 | 28, 0x0e, 16, 0x02, 123, 0x0e, 8, 0x40 | 9, 0x0e, 24])
    given = tool.Code([(start, bytes(code))])
    expect_equal(tool.behind_calls(program, start, given), later, "behind the call")
    expect_equal(tool.behind_calls(program, start + 1, given), program, "behind no call")
    expect_equal(tool.behind_calls(program, start, tool.Code([])), program, "of code that is not there")
    # One that was given back is in frames as a caller only.
    gone = tool.Code([], [(start, start + 300)])
    expect_equal(tool.behind_calls(program, start, gone),
                 bytes([0x40 | 29, 0x0e, 16, 0x02, 122, 0x0e, 8, 0x40 | 10, 0x0e, 24]), "all rows")
    # A row of one byte, within an instruction, is of tasks that were switched out; a push ends with one.
    switched = bytes([0x02, 150, 0x0e, 8, 0x40 | 1, 0x0e, 24])
    code[150] = 0x65
    expect_equal(tool.behind_calls(switched, start, tool.Code([(start, bytes(code))])), switched, "a switch")
    code[150] = 0x53
    expect_equal(tool.behind_calls(switched, start, tool.Code([(start, bytes(code))])),
                 bytes([0x02, 151, 0x0e, 8, 0x40, 0x0e, 24]), "a push")
    # What there is no room for, or is not known, stays.
    code[63 - 5] = 0xe8
    for odd in (bytes([0x40 | 63, 0x0e, 16]), b"\x3f\x41", b"\x02"):
        expect_equal(tool.behind_calls(odd, start, tool.Code([(start, bytes(code))])), odd, "unchanged")


WITH_COLD_PART = """
__attribute__((cold, noreturn)) void bad(int);
int between(int x) { return x * 3; }
int whole(int *p, int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++) {
		if (__builtin_expect(p[i] < 0, 0))
			bad(p[i] + n);
		sum += p[i];
	}
	return sum;
}
"""


@check("vmcore-lldb: functions of modules end before their part elsewhere, in a copy")
def _():
    with tempfile.TemporaryDirectory() as folder:
        source, module = os.path.join(folder, "one.c"), os.path.join(folder, "one.ko")
        with open(source, "w", encoding="ascii") as file:
            file.write(WITH_COLD_PART)
        subprocess.run([need_tool("gcc"), "-c", "-g", "-gdwarf-5", "-O2", source, "-o", module,
                        "-fno-asynchronous-unwind-tables"], check=True)

        def ranges(path):
            text = subprocess.run([need_tool("readelf"), "--debug-dump=Ranges", path],
                                  stdout=subprocess.PIPE, text=True, check=True).stdout
            return re.findall(r"^ +[0-9a-f]{8} ([0-9a-f]{16} [0-9a-f]{16}|<End of list>)", text,
                              re.MULTILINE)
        before = ranges(module)
        if len(before) < 3:
            raise Skip(f"this gcc makes no part elsewhere: {before}")
        copy = script().module_for_lldb(module, os.path.join(folder, "copies"))
        expect(copy.startswith(f"{folder}/copies/"), copy)
        after = ranges(copy)
        expect_equal((after[0], after[1]), (before[0], "<End of list>"), "the function's ranges")
        expect_equal(ranges(module), before, "the file itself")
        expect_equal(script().module_for_lldb(copy, folder), copy, "a file that is right")


run_checks()
