#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmarks of KVM's structures, on dumps of their own: many machines, a large guest's EPT, a guest's memory."""
import os
import subprocess
import sys
import tempfile
import time

from bench_common import RANGE, measure, serve, show

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "server"))
from rsp import Client  # noqa: E402 (found by the line above)


def make_dump(build, source, recipe, dump):
    subprocess.run([f"{build}/tests/recipe/mkvmcore", "-I", f"{build}/contrib/demo", "-I",
                    f"{source}/contrib/demo", recipe, dump], check=True)


def serve_demo(build, dump, *options):
    return serve(build, dump, "--symbols", f"{build}/contrib/demo/vmlinux", *options)


def monitor_seconds(server, line):
    """From the packet to its last reply, and the bytes that came; nothing of it is kept."""
    with Client(f"127.0.0.1:{server.port}") as client:
        client.no_acks()
        received = 0
        start = time.monotonic()
        reply = client.ask("qRcmd," + line.encode().hex()).encode()
        while reply[:1] == b"O" and reply != b"OK":
            received += len(reply) // 2
            reply = client.reply()
        seconds = time.monotonic() - start
        if reply != b"OK":
            sys.exit(f"monitor {line}: {reply[:200]!r}")
        return seconds, received


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bench_commands(server, lines):
    for line in lines:
        before = processor_seconds(server.process.pid)
        seconds, received = monitor_seconds(server, line)
        used = processor_seconds(server.process.pid) - before
        show(f"{line} (s)", seconds, None, "low")
        print(f"  {'':34} {used:12.2f} of the processor, {received / 1e6:.1f} MB of text")


def bench_vms(build, source, vms, vcpus):
    with tempfile.TemporaryDirectory() as folder:
        recipe, dump = f"{folder}/vms.recipe", f"{folder}/vms.vmcore"
        with open(recipe, "w", encoding="ascii") as out:
            subprocess.run([sys.executable, f"{HERE}/many_vms.py", str(vms), str(vcpus)], check=True,
                           stdout=out)
        make_dump(build, source, recipe, dump)
        server = serve_demo(build, dump)
        try:
            print(f"{vms} VMs of {vcpus} vCPUs: listening after {server.seconds:.3f} s")
            bench_commands(server, ["vms", "vms --json"])
        finally:
            server.stop()


def make_guest(build, source, folder, gib, kind):
    dump = f"{folder}/{kind}.vmcore"
    subprocess.run([sys.executable, f"{HERE}/big_guest.py", folder, str(gib), kind], check=True)
    make_dump(build, source, f"{folder}/big.recipe", dump)
    return dump


def bench_ept(build, source, gib):
    # Scattered, it is a line a page: of a part, for most of the time goes into reading it.
    for kind, part in (("whole", "ept 0"), ("scattered", "ept 0 0..ffffffff")):
        with tempfile.TemporaryDirectory() as folder:
            dump = make_guest(build, source, folder, gib, kind)
            server = serve_demo(build, dump)
            try:
                print(f"EPT of a guest of {gib} GiB in pages of 4 KiB, {kind}")
                bench_commands(server, [part, "ept 0 --summary"])
            finally:
                server.stop()


def bench_guest_memory(build, source):
    """The same memory through the guest's tables and its slots, and through the host's direct map."""
    with tempfile.TemporaryDirectory() as folder:
        dump = make_guest(build, source, folder, 1, "whole")
        server = serve_demo(build, dump, "--guests")
        try:
            for line in server.process.stderr:
                if " for vm-103" in line:
                    break
            host_port, guest_port = server.port, int(line.split(" for ")[0].rsplit(":", 1)[1])
            host = measure(build, host_port, 0xFFFF880280000000, RANGE)
            guest = measure(build, guest_port, 0, RANGE)
        finally:
            server.stop()
    print("memory through the guest target")
    print(f"  {'':34} {'guest':>12} {'host':>12} {'ratio':>9}")
    for key, better in (("m8_round_trip", "low"), ("m_cold", "high"), ("m_warm", "high"), ("x_warm", "high")):
        show(key, guest[key], host[key], better)
