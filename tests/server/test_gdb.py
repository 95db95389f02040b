# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock gdb on the demo dump."""

import os
import pty
import re
import subprocess
import tempfile

from gdb_run import GDB_S, gdb, gdb_command, gdb_on_demo
from program import DUMP, PROGRAM, VMLINUX, Server, run_on_demo
from rsp import Client
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

THREADS = [("1", "systemd [sleeping]"), ("2", "kthreadd [sleeping]"),
           ("103", "qemu-kvm [sleeping]"), ("110", "CPU 0/KVM [running on 0] vm 103 vcpu 0, in kernel"),
           ("10000000", "swapper/0 [runnable]"), ("10000001", "swapper/1 [running on 1]")]
FUNCTIONS = ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest", "kvm_arch_vcpu_ioctl_run",
             "kvm_vcpu_ioctl", "do_vfs_ioctl", "SyS_ioctl"]
# The vCPU thread's frames, as they were found by hand in the case that the demo shows.
FRAMES = [
    {"rip": 0xffffffffc07a21a8, "rsp": 0xffff88003e5ebcd0, "rbp": 0xffff88003e5ebd00,
     "rbx": 0xffff88043ea73280, "r12": 0x5308000},
    {"rip": 0xffffffffc09a9833, "rsp": 0xffff88003e5ebd10, "rbp": 0xffff88003e5ebd48,
     "rbx": 0, "r12": 0xffff88043ea73280, "r13": 0},
    {"rip": 0xffffffffc09920fb, "rsp": 0xffff88003e5ebd58, "rbp": 0xffff88003e5ebdc8,
     "rbx": 0xffff88043ea73280, "r12": 0, "r13": 1, "r14": 0, "r15": 1},
]
PROLOGUE = ["nopl 0x0(%rax,%rax,1)", "push %rbp", "mov %rsp,%rbp", "push %r13", "push %r12",
            "mov %rsi,%r12", "push %rbx", "mov %rdi,%rbx", "sub $0x18,%rsp"]


def listed_threads(text):
    return re.findall(r'^[* ] \d+ +Thread (\d+) "(.*?)" +0x', text, re.MULTILINE)


def functions(text):
    return re.findall(r"^#\d+ +0x[0-9a-f]+ in (\S+) ", text, re.MULTILINE)


def values(text):
    """What `print` printed, in order."""
    return re.findall(r"^\$\d+ = (.*)$", text, re.MULTILINE)


@check("every task and idle CPU is a thread; the current one is selected", GDB_S)
def _():
    text = gdb_on_demo("info threads")
    expect_equal(listed_threads(text), THREADS, "threads")
    expect(re.search(r"^\* 4 +Thread 110 ", text, re.MULTILINE), text)
    # gdb says so of the first file of any server's.
    slow = "warning: File transfers from remote targets can be slow."
    expect_not_in("warning", text.replace(slow, "").lower())


@check("the frames of gdb with its own vmlinux end at user mode, of a kernel without ORC, too", GDB_S)
def _():
    text = gdb_on_demo("thread 4", "bt")
    expect(re.search(r"^#8 +0x00007f0b9c4b3107 in ", text, re.MULTILINE), text)
    expect_not_in("#9 ", text)


@check("the vCPU thread's backtrace and its frames' registers", GDB_S)
def _():
    names = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]
    commands = ["bt 7"]
    for number in range(len(FRAMES)):
        commands += [f"frame {number}"] + [f"print/x (unsigned long)${name}" for name in names]
    text = gdb_on_demo(*commands)
    expect_equal(functions(text)[:7], FUNCTIONS, "functions")
    got = iter(values(text))
    for number, frame in enumerate(FRAMES):
        shown = {name: int(next(got), 16) for name in names}
        for name, value in frame.items():
            expect_equal(shown[name], value, f"frame {number}: {name}")


@check("the case's questions: set_cr3's offset, its code, the root", GDB_S)
def _():
    text = gdb_on_demo("print &((struct kvm_vcpu *)0)->arch.mmu.set_cr3",
                       "x/1xg ((struct kvm_vcpu *)0)->arch.mmu.set_cr3",
                       "x/9i vmx_set_cr3", "frame 2",
                       "print ((struct kvm_vcpu *)$rbx)->arch.mmu.root_hpa",
                       "print ((struct kvm_vcpu *)0xffff88043ea73280)->arch.mmu.set_cr3",
                       "print linux_banner")
    offset, root, function, banner = values(text)
    expect_in(" 0x348", offset)
    expect_in("Cannot access memory at address 0x348", text)
    code = re.findall(r"<vmx_set_cr3(?:\+\d+)?>:\t(.*)$", text, re.MULTILINE)
    expect_equal([" ".join(line.split()) for line in code], PROLOGUE, "the code")
    expect_equal(root, "87064576", "root_hpa")
    expect_in("<vmx_set_cr3>", function)
    expect_in("Linux version 3.10.0-693.el7.x86_64", banner)


@check("sleepers: backtraces, and what is not known is said to be unavailable", GDB_S)
def _():
    text = gdb_on_demo("thread 3", "bt 5", "info registers rax rip", "print $rbx", "thread 5",
                       "bt 3")
    expect_equal(functions(text.split("thread 3", 1)[1])[1:6],
                 ["__schedule", "schedule", "schedule_hrtimeout_range", "do_sys_poll", "SyS_ppoll"],
                 "qemu-kvm's functions")
    expect(re.search(r"^rax +<unavailable>$", text, re.MULTILINE), text)
    expect_equal(values(text), ["<unavailable>"], "rbx")
    expect_in("cpu_startup_entry", functions(text))


@check("the lower half is the selected thread's", GDB_S)
def _():
    text = gdb_on_demo("thread 3", "x/7xb 0x7f0b9c4b3100", "thread 1", "x/7xb 0x7f0b9c4b3100")
    expect_in("0x7f0b9c4b3100: 0xb8 0x10 0x00 0x00 0x00 0x0f 0x05", " ".join(text.split()))
    expect_in("Cannot access memory at address 0x7f0b9c4b3100", text)


@check("what would run or change something is refused, and the session lives", GDB_S)
def _():
    address = "*0xffffffff81000000"
    refusals = {
        "continue": "it cannot run", "stepi": "it cannot run", "nexti": "it cannot run",
        "set var init_task.prio = 1": "Cannot access memory",
        "set var $rax = 1": "cannot be changed",
        f"jump {address}": "cannot be changed",
    }
    for command, refusal in refusals.items():
        text = gdb_on_demo(command, "print init_task.prio", "info threads")
        expect_in(refusal, text)
        expect_not_in("SIGTRAP", text)
        expect_equal(values(text), ["120"], f"after {command}: memory")
        expect_equal(listed_threads(text), THREADS, f"after {command}: threads")


@check("what sets breakpoints and runs comes back at once, to the thread that it was tried on", 2 * GDB_S)
def _():
    for commands in [["finish"], ["up", "finish"], ["until *0xffffffffc09a9840"],
                     ["advance vcpu_enter_guest"], ["break vmx_set_cr3", "continue", "delete"],
                     ["hbreak vmx_set_cr3", "continue", "delete"],
                     ["watch init_task.prio", "continue", "delete"],
                     ["rwatch init_task.prio", "stepi", "delete"], ["step"], ["next"]]:
        # Front ends read the registers of all threads.
        text = gdb_on_demo("thread apply all print $rip", *commands, "print init_task.prio",
                           "info threads")
        expect_in("this is a crash dump: it cannot run", text)
        expect_not_in("Command aborted", text)
        expect_not_in("SIGTRAP", text)
        expect_equal(values(text)[-1], "120", f"after {commands}: memory")
        expect_equal(listed_threads(text), THREADS, f"after {commands}: threads")
        expect(re.search(r"^\* 4 +Thread 110 ", text, re.MULTILINE), text)


@check("kill ends the session, and nobody else's", 2 * GDB_S)
def _():
    with Server() as server, Client(server.address) as other:
        text = gdb("kill", "info threads", f"target remote {server.address}", "info threads",
                   attach=server.address)
        expect_in("killed]", text)
        expect_in("No threads.", text)
        expect_equal(listed_threads(text), THREADS, "threads after attaching again")
        expect_equal(other.ask("qC"), "QC6e", "another client")


@check("monitor commands", GDB_S)
def _():
    text = gdb_on_demo("monitor threads", "monitor info", "monitor nonsense", "monitor")
    for part in ["CPU 0/KVM        0xffff88017a2b2500  note", "kernel    Linux 3.10.0-693",
                 "there is no monitor command 'nonsense'", "vtop ADDR"]:
        expect_in(part, text)


@check("without a vmlinux of gdb's own", GDB_S)
def _():
    text = gdb_on_demo("info threads", "x/s 0xffffffff81800000", "print/x $rip", "monitor info",
                       vmlinux=None)
    expect_equal(listed_threads(text), THREADS, "threads")
    expect_in('"Linux version 3.10.0-693.el7.x86_64', text)
    expect_equal(values(text), ["0xffffffffc07a21a8"], "rip")


@check("find", GDB_S)
def _():
    text = gdb_on_demo("find /1 0xffffffff81800000, +256, '3', '.', '1', '0'",
                       "find /1 0xffffffff81800000, +256, 'n', 'o', 'p', 'e'")
    expect_in("0xffffffff8180000e", text)
    expect_in("Pattern not found", text)


@check("detach, attach again, and two at once", 2 * GDB_S)
def _():
    with Server() as server:
        text = gdb("detach", "info threads", f"target remote {server.address}", "info threads",
                   attach=server.address)
        expect_in("No threads.", text)
        expect_equal(listed_threads(text), THREADS, "threads after attaching again")
        running = [subprocess.Popen(gdb_command("thread apply all bt", "info threads",
                                                attach=server.address), text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                   for _ in range(2)]
        for process in running:
            with process:
                expect_equal(listed_threads(process.communicate(timeout=GDB_S)[0]), THREADS,
                             "threads in each of two")


@check("by a Unix socket, and by a pipe", 2 * GDB_S)
def _():
    with tempfile.TemporaryDirectory() as folder:
        with Server(listen=[f"unix:{folder}/socket"]) as server:
            text = gdb("info threads", attach=server.address.removeprefix("unix:"))
    expect_equal(listed_threads(text), THREADS, "threads by a Unix socket")
    text = gdb("info threads", attach=f"| {PROGRAM} -q -s {VMLINUX} -l stdio {DUMP}")
    expect_equal(listed_threads(text), THREADS, "threads by a pipe")


@check("started by --run, whose status is gdb's", GDB_S)
def _():
    gdb_path = need_tool("gdb")
    done = run_on_demo("--run", f"{gdb_path} -nx -q -batch -ex 'target remote {{}}' "
                       f"-ex 'info threads' -ex 'python gdb.execute(\"quit 7\")' {VMLINUX}")
    expect_equal(done.returncode, 7, "the status")
    expect_equal(len(listed_threads(done.stdout)), 6, "threads")


@check("started by --run on a terminal: it is gdb's to type on, and Ctrl-C does not end the server",
       2 * GDB_S)
def _():
    gdb_path = need_tool("gdb")
    pid, terminal = pty.fork()
    if pid == 0:
        # Without exec the shell stays, and some shells make 130 of any status after a Ctrl-C.
        os.execl(PROGRAM, PROGRAM, "-q", "-s", VMLINUX, "-r",
                 f"exec {gdb_path} -nx -q -ex 'set width 0' -ex 'target remote {{}}' {VMLINUX}", DUMP)
    shown = b""

    def wait_for(text):
        nonlocal shown
        while text not in shown:
            shown += os.read(terminal, 4096)
        shown = shown.partition(text)[2]

    def type_line(text):
        wait_for(b"(gdb) ")
        os.write(terminal, text)

    type_line(b"print 40 + 2\n")
    wait_for(b"$1 = 42")
    type_line(b"\x03")
    wait_for(b"Quit")
    type_line(b"print init_task.prio\n")
    wait_for(b"$2 = 120")
    type_line(b"quit 5\n")
    try:
        # It asks whether it should leave what it is attached to.
        wait_for(b"(y or n) ")
        os.write(terminal, b"y\n")
        while os.read(terminal, 4096):
            pass
    except OSError:
        # So a terminal ends.
        pass
    expect_equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5, "the status")
    os.close(terminal)


run_checks()
