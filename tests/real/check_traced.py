#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine whose functions are traced: by kretprobes, the function graph tracer, a BPF trampoline.

    check_traced.py REAL_DIR WORK_DIR SERVER

Threads sleep in traced functions. Their frames must be those that the kernel shows of itself
(/proc/PID/stack, on the console), in `monitor bt` and in gdb, with a vmlinux and without any. Where the
kernel does not see through two tracers at once, tracers' trampolines end what it shows. Prints TAP.
"""

import os
import re
import subprocess
import sys

from gdb_stub import GdbStub
from oracle import Failure, json_lines, run
from qemu_machine import Machine
from random_stops import HERE, Kernel
from server_process import Server

STACKS = re.compile(r"^stack of (\d+)\r?\n((?:\[<0>\] .*\n)*)", re.MULTILINE)
FUNCTION = re.compile(r"\[<0>\] ([\w.]+)\+(0x[0-9a-f]+)/")
GDB_FUNCTION = re.compile(r"^#\d+ .*?\b(?:in )?([\w.]+) \(")
TRAMPOLINES = ["arch_rethook_trampoline", "return_to_handler", "ftrace_regs_caller_end",
               "trace_clock_x86_tsc"]
# What guest/workload.c's threads sleep in, outermost last: by name where offsets are not told.
EXPECTED = {
    "in poll": ["do_sys_poll", "__x64_sys_poll", "do_syscall_64"],
    "in pipe read": ["pipe_read", "vfs_read", "ksys_read", "do_syscall_64"],
    "futex": ["futex_wait_queue", "futex_wait", "do_futex", "__x64_sys_futex", "do_syscall_64"],
    "schl": ["do_nanosleep", "bpf_trampoline_", "hrtimer_nanosleep", "common_nsleep",
             "__x64_sys_clock_nanosleep", "do_syscall_64"],
}


def lacks(found, expected):
    """The first of expected that is not among found, in this order; None if all are."""
    found = iter(found)
    for name in expected:
        if not any(name == other or name.endswith("_") and other.startswith(name)
                   for other in found):
            return name
    return None


def of_kernel(console):
    """{tid: ["name+0x1f"...]} up to where the kernel has met a trampoline."""
    stacks = {}
    for tid, text in STACKS.findall(console.replace("\r", "")):
        names = []
        for name, offset in FUNCTION.findall(text):
            if name in TRAMPOLINES:
                break
            names.append(f"{name}+{offset}")
        stacks[int(tid)] = names
    return stacks


def traced_threads(threads):
    """(thread, what its frames must have)"""
    for start, expected in EXPECTED.items():
        [thread] = [t for t in threads.values() if t["comm"].startswith(start)]
        yield thread, expected


def ask(server, dump):
    threads = {}
    for line in json_lines(run([*server, "-q", "-x", "threads --json", "-x", "bt --all --json",
                                dump], "the server"), "the server"):
        if "tid" in line:
            threads.setdefault(line["tid"], {}).update(line)
    return threads


def check_monitor(threads, kernel):
    wrong = []
    for thread, expected in traced_threads(threads):
        names = [frame.get("name", "") for frame in thread["frames"]]
        places = [f"{frame.get('name')}+{frame.get('offset', 0):#x}" for frame in thread["frames"]]
        for missing in (lacks(names, expected), lacks(places, kernel[thread["tid"]])):
            if missing:
                wrong.append(f"{thread['comm']}: {missing} is not in {' '.join(places)}")
        if thread["end"] != "user":
            wrong.append(f"{thread['comm']}: ends {thread['end']}: {thread.get('why')}")
        if not any(frame.get("traced") for frame in thread["frames"]):
            wrong.append(f"{thread['comm']}: no frame is traced")
    return wrong


def check_gdb(server, options, vmlinux, dump, threads):
    wrong = []
    with Server([*server, *options], [dump]) as running:
        for thread, expected in traced_threads(threads):
            choose = ("python [t.switch() for t in gdb.selected_inferior().threads()"
                      f" if {thread['tid']} in t.ptid]")
            said = subprocess.run(
                ["gdb", "-nx", "-batch", "-ex", "set print frame-arguments none",
                 *running.gdb_attach(), "-ex", choose, "-ex", "bt", *vmlinux],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                check=False).stdout
            names = [match.group(1) for line in said.splitlines()
                     if (match := GDB_FUNCTION.match(line))]
            missing = lacks(names, expected)
            if missing:
                wrong.append(f"{thread['comm']}: gdb has no {missing}:\n{said}")
    return wrong


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    real, work, server = sys.argv[1], sys.argv[2], sys.argv[3].split()
    os.makedirs(work, exist_ok=True)
    kernel = Kernel(real)
    initrd, dump = os.path.join(work, "busy.cpio.gz"), os.path.join(work, "traced.elf")
    run(["sh", f"{HERE}/busy/make-initramfs.sh", real, initrd], "make-initramfs.sh")
    with Machine(kernel.image, initrd,
                 "console=ttyS0 panic=0 no_timer_check vmcore_busy=kretprobe,graph,bpf",
                 os.path.join(work, "traced"), ["-m", "300"]) as machine:
        console = machine.await_console("phase busy\r", 300)
        GdbStub(machine.gdb_socket)  # stops it
        machine.command("dump-guest-memory", paging=False, protocol=f"file:{dump}", format="elf")
    threads = ask(server, dump)
    checks = [
        ("bt has the frames of traced functions",
         lambda: check_monitor(threads, of_kernel(console))),
        ("gdb has them with a vmlinux",
         lambda: check_gdb(server, ["--symbols", kernel.vmlinux], [kernel.vmlinux], dump, threads)),
        ("gdb has them without any file", lambda: check_gdb(server, [], [], dump, threads)),
    ]
    failed = False
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks, 1):
        try:
            wrong = check()
        except Failure as error:
            wrong = [str(error)]
        failed |= bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in wrong:
            print("\n".join(f"# {part}" for part in line.splitlines()))
    os.unlink(dump)
    sys.exit(failed)


if __name__ == "__main__":
    main()
