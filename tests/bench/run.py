#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures vmcore-gdbserver beside gdbserver, its unwinder beside drgn, and what it does with virtual machines, in
one run, and prints ratios: seconds mean little on a busy machine.

    run.py --build BUILD [--dump DUMP [--vmlinux VMLINUX]] [--threads 1000,10000]

BUILD is where vmcore-gdbserver, rsp_bench, bench_process, mkvmcore and the demo were built. Without --dump the
demo stands in, which is too small for throughput to say much.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bench_common import RANGE, Server, measure, serve, show
from image_bench import bench_image
from kvm_bench import bench_ept, bench_guest_memory, bench_vms

HERE = os.path.dirname(os.path.abspath(__file__))


def measure_gdbserver(build, megabytes, threads):
    """None, with a line that says why, where there is no gdbserver."""
    if shutil.which("gdbserver") is None:
        print("  no gdbserver: install the package gdbserver")
        return None
    process = subprocess.Popen([f"{build}/tests/bench/bench_process", str(megabytes), str(threads)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            return None
        server = Server(["gdbserver", "--attach", "127.0.0.1:0", str(process.pid)],
                        r"Listening on port (\d+)")
        try:
            return measure(build, server.port, int(line, 16), RANGE)
        finally:
            server.stop()
    finally:
        process.kill()
        process.wait()


def text_address(build, dump, options):
    out = subprocess.run([f"{build}/vmcore-gdbserver", "-x", "info --json", *options, dump],
                         check=True, capture_output=True, text=True).stdout
    return int(json.loads(out)["text"], 16)


def bench_dump(build, dump, options):
    server = serve(build, dump, *options)
    try:
        print(f"{dump}{' with a vmlinux' if options else ''}")
        print(f"  listening after {server.seconds:.3f} s, resident {server.resident_mib():.0f} MiB")
        ours = measure(build, server.port, text_address(build, dump, options), RANGE)
        print(f"  resident after the measurements {server.resident_mib():.0f} MiB")
    finally:
        server.stop()
    megabytes = max(64, os.path.getsize(dump) >> 20)
    theirs = measure_gdbserver(build, megabytes, 1)
    print(f"  {'':34} {'ours':>12} {'gdbserver':>12} {'ratio':>9}")
    for key, better in (("m8_round_trip", "low"), ("m8_to_echo", "low"), ("m_cold", "high"),
                        ("m_warm", "high"), ("x_warm", "high")):
        reference = theirs.get(key) if theirs else None
        show(key, ours[key], reference or None, better)


def run_seconds(build, dump, options, commands):
    """Seconds that it takes to carry out monitor commands: of the processor, by the clock; and what they print."""
    line = [f"{build}/vmcore-gdbserver", *options, *(word for text in commands for word in ("-x", text)),
            dump]
    before, start = os.times(), time.monotonic()
    out = subprocess.run(line, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    after, end = os.times(), time.monotonic()
    return (after.children_user - before.children_user + after.children_system - before.children_system,
            end - start, out)


def measure_drgn(dump, vmlinux):
    """Microseconds a frame; None, with a line that says why, where drgn cannot."""
    done = subprocess.run(["/usr/bin/python3", f"{HERE}/drgn_frames.py", dump, vmlinux], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        print(f"  no drgn: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
        return None
    frames, seconds = done.stdout.split()
    return float(seconds) * 1e6 / max(1, int(frames))


def forget_pages(path):
    """Drops a file from the page cache, as far as the kernel likes."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bench_frames(build, dump, vmlinux):
    """A frame by `bt --all`, warm: the processor's time that many of them take more than one."""
    options = ["--symbols", vmlinux]
    forget_pages(vmlinux)
    _, cold, _ = run_seconds(build, dump, options, ["bt"])
    once, _, out = run_seconds(build, dump, options, ["bt --all"])
    frames = len(re.findall("^#", out, re.MULTILINE))
    passes = max(5, 50000 // max(1, frames))
    more, _, _ = run_seconds(build, dump, options, ["bt --all"] * (passes + 1))
    print(f"{dump}: {frames} frames")
    theirs = measure_drgn(dump, vmlinux)
    print(f"  {'':34} {'ours':>12} {'drgn':>12} {'ratio':>9}")
    show("bt --all (us a frame)", (more - once) / passes * 1e6 / max(1, frames), theirs, "low")
    show("start and first bt, cold (s)", cold, None, "low")


def processor_seconds(line, text=""):
    """Of the whole process; None, with a line that says why, where it fails."""
    before = os.times()
    try:
        done = subprocess.run(line, check=False, input=text, capture_output=True, text=True, timeout=600)
    except FileNotFoundError:
        print(f"  no {line[0]}")
        return None
    after = os.times()
    if done.returncode:
        print(f"  {line[0]}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
        return None
    return after.children_user - before.children_user + after.children_system - before.children_system


def bench_start(build, dump, vmlinux):
    """From the start to the end of the first list of all frames: ours without any file and with vmlinux,
    drgn's and crash's with it."""
    bare, _, out = run_seconds(build, dump, [], ["bt --all"])
    ours, _, _ = run_seconds(build, dump, ["--symbols", vmlinux], ["bt --all"])
    drgn = processor_seconds(["/usr/bin/python3", f"{HERE}/drgn_frames.py", dump, vmlinux, "once"])
    crash = processor_seconds(["crash", "-s", vmlinux, dump], "foreach bt\nquit\n")
    print(f"{dump}: start to the first bt --all, {len(re.findall('^#', out, re.MULTILINE))} frames")
    for name, theirs in ("drgn", drgn), ("crash", crash):
        print(f"  {'':34} {'ours':>12} {name:>12} {'ratio':>9}")
        show("without any file (s)", bare, theirs, "low")
        show("with vmlinux (s)", ours, theirs, "low")


def pointers_on_stacks(build, dump, most):
    """Addresses that words of stacks point to: what somebody would ask about."""
    _, _, out = run_seconds(build, dump, [], ["bt --all --raw --json"])
    found = []
    for thread in map(json.loads, out.splitlines()):
        for frame in thread["frames"]:
            found += [word["value"] for word in frame.get("words", [])
                      if int(word.get("value", "0x0"), 16) >= 0xff << 56]
    return [word[2:] for word in sorted(set(found))][:most]


def bench_what(build, dump, vmlinux):
    """An address by `what`, warm, and what a word of `bt --raw` costs more than without."""
    addresses = pointers_on_stacks(build, dump, 1500)
    commands = ["what " + " ".join(addresses[i:i + 15]) for i in range(0, len(addresses), 15)]
    once, _, _ = run_seconds(build, dump, [], commands)
    more, _, _ = run_seconds(build, dump, [], commands * 5)
    done = subprocess.run(["/usr/bin/python3", f"{HERE}/drgn_what.py", dump, vmlinux, *addresses],
                          check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    theirs = None
    if not done.returncode:
        theirs = float(done.stdout.split()[1]) * 1e6 / max(1, len(addresses))
    print(f"{dump}: {len(addresses)} addresses that lie on stacks")
    print(f"  {'':34} {'ours':>12} {'drgn':>12} {'ratio':>9}")
    show("what (us an address)", (more - once) / 4 * 1e6 / max(1, len(addresses)), theirs, "low")
    refs, _, _ = run_seconds(build, dump, [], [f"refs {addresses[0]}"] * 11) if addresses else (0, 0, 0)
    show("refs, 11 of them (s)", refs, None, "low")


def bench_threads(build, count, source):
    with tempfile.TemporaryDirectory() as folder:
        recipe, dump = f"{folder}/many.recipe", f"{folder}/many.vmcore"
        with open(recipe, "w", encoding="ascii") as out:
            subprocess.run([sys.executable, f"{HERE}/many_tasks.py", str(count)], check=True, stdout=out)
        subprocess.run([f"{build}/tests/recipe/mkvmcore", "-I", f"{build}/contrib/demo", "-I",
                        f"{source}/contrib/demo", recipe, dump], check=True)
        server = serve(build, dump, "--symbols", f"{build}/contrib/demo/vmlinux")
        try:
            ours = measure(build, server.port, 0xFFFFFFFF81000000, 4096)
            print(f"{count} tasks: listening after {server.seconds:.3f} s")
        finally:
            server.stop()
        bench_frames(build, dump, f"{build}/contrib/demo/vmlinux")
    theirs = measure_gdbserver(build, 64, count)
    for key in ("thread_list_first", "thread_list_again"):
        show(f"{key} (ms)", ours[key], theirs[key] if theirs else None, "low")
    show("thread_list_first (us a thread)", ours["thread_list_first"] * 1000 / ours["threads"],
         theirs["thread_list_first"] * 1000 / theirs["threads"] if theirs else None, "low")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--source", default=os.path.dirname(os.path.dirname(HERE)))
    parser.add_argument("--dump")
    parser.add_argument("--vmlinux")
    parser.add_argument("--threads", default="1000,10000")
    args = parser.parse_args()
    demo_options = ["--symbols", f"{args.build}/contrib/demo/vmlinux"]
    if args.dump:
        bench_dump(args.build, args.dump, [])
        if args.vmlinux:
            bench_dump(args.build, args.dump, ["--symbols", args.vmlinux])
            bench_frames(args.build, args.dump, args.vmlinux)
            bench_start(args.build, args.dump, args.vmlinux)
            bench_what(args.build, args.dump, args.vmlinux)
            bench_image(args.build, args.dump, args.vmlinux)
    else:
        bench_dump(args.build, f"{args.build}/contrib/demo/vmcore", demo_options)
    for count in args.threads.split(","):
        bench_threads(args.build, int(count), args.source)
    bench_vms(args.build, args.source, 1000, 4)
    bench_ept(args.build, args.source, 64)
    bench_guest_memory(args.build, args.source)


if __name__ == "__main__":
    main()
