# SPDX-License-Identifier: GPL-2.0-or-later
"""The image that is made of a dump, and gdb from its start to the first backtrace."""
import os
import shutil
import subprocess
import tempfile
import time

from bench_common import serve, show


def run_child(command):
    """(seconds of the processor, seconds by the clock, peak resident MiB) of a program and what it waits for."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def first_backtrace(build, dump, options, files):
    """(seconds of gdb's and the server's processor, seconds by the clock) from gdb's start to its end."""
    server = serve(build, dump, *options)
    try:
        before = processor_seconds(server.process.pid)
        busy, clock, _ = run_child(["gdb", "-nx", "-batch", "-iex", "set remotetimeout 60",
                                    "-ex", f"target remote 127.0.0.1:{server.port}", "-ex", "bt", *files])
        return busy + processor_seconds(server.process.pid) - before, clock
    finally:
        server.stop()


def bench_image(build, dump, vmlinux):
    """The second number is what the server does anyway to open the dump."""
    program = f"{build}/vmcore-gdbserver"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/symbols"
        opened, _, before = run_child([program, "-q", "-x", "info", dump])
        made, clock, peak = run_child([program, "--write-symbols", path, dump])
        print(f"{dump}: an image of {os.path.getsize(path) / 2**20:.0f} MiB")
    print(f"  {'':34} {'image':>12} {'opening':>12} {'ratio':>9}")
    show("processor (s)", made, opened, "low")
    show("peak resident (MiB)", peak, before, "low")
    show("by the clock (s)", clock, None, "low")
    if not shutil.which("gdb"):
        print("  no gdb: no first backtrace")
        return
    bare, bare_clock = first_backtrace(build, dump, [], [])
    full, full_clock = first_backtrace(build, dump, [], [vmlinux])
    print(f"  {'gdb, from its start to the first bt':34} {'no file':>12} {'vmlinux':>12} {'ratio':>9}")
    show("processor (s)", bare, full, "low")
    show("by the clock (s)", bare_clock, full_clock, "low")
