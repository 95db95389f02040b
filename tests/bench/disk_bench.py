#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads of what nobody has read before, and a disk that takes long.

    disk_bench.py --build FOLDER [--old PROGRAM] [--rounds N] [--range START-END] DUMP...

For each dump 256 MiB of physical memory in order (`x`, `m`) and pages at random, medians of
interleaved rounds, beside an older program and libkdumpfile in process, each with the processor
time of the server and of the client (or of the process with libkdumpfile); then who reads hot pages
alone, and beside one who walks cold memory and one who runs `bt --all`, while each read of the dump
takes 100 ms.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(BENCH), "server"))
import program  # noqa: E402
from rsp import Client, frame  # noqa: E402

SLOW_MS, SECONDS = 100, 3


def serve(path, dump, *arguments, env=None):
    """A server that makes nothing ahead."""
    program.PROGRAM = path
    return program.Server("-q", "--no-serve-files", *arguments, dump=dump, symbols=NO_SYMBOLS,
                          env=env)


def reader_of(server):
    """The process that reads the dump: the larger one."""
    pid = server.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        pids = [pid, *map(int, children.read().split())]

    def resident(one):
        with open(f"/proc/{one}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1])
    return max(pids, key=resident)


def measure(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    size, seconds, own, theirs = map(float, re.findall(r"[\d.]+", done.stdout))
    return size / seconds, theirs, own


def cold(path, dump, kind, rounds=1):
    """In the last of so many rounds by one server: more than one, and it is warm."""
    with serve(path, dump, "--cache-size", "512M" if rounds > 1 else "64M") as server:
        for _ in range(rounds):
            result = measure(TOOL, server.address, kind, *RANGE, str(reader_of(server)))
    return result


def by_library(dump, kind):
    rate, _, own = measure(TOOL, dump, "random" if kind == "random" else "order", *RANGE)
    return rate, 0, own


def reads(dump, programs, rounds):
    elf = b"\x7fELF" == open(dump, "rb").read(4)
    results = {}
    for _ in range(rounds):
        for kind in ["x", "m", "random"]:
            for name, path in programs.items():
                results.setdefault((kind, name), []).append(cold(path, dump, kind))
                if elf and kind != "random":
                    results.setdefault((kind + ", warm", name), []).append(
                        cold(path, dump, kind, 3))
            if kind != "m":
                results.setdefault((kind, "libkdumpfile"), []).append(by_library(dump, kind))
    print(f"{os.path.basename(dump)}, {rounds} rounds")
    for (kind, name), list_ in sorted(results.items()):
        rate, theirs, own = (statistics.median(column) for column in zip(*list_))
        print(f"  {kind:8} {name:14} {rate:6.0f} MB/s  server {theirs:.3f} s  client {own:.3f} s")


def percentile(times, part):
    return sorted(times)[int(len(times) * part)] * 1e3


def hot_reads(client, address):
    times, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        begin = time.perf_counter()
        client.ask(f"m{address:x},8")
        times.append(time.perf_counter() - begin)
    return times


def slow_disk(path, dump):
    with tempfile.TemporaryDirectory() as folder:
        library, order = f"{folder}/failing_reads.so", f"{folder}/order"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                        f"{program.SOURCE}/tests/server/failing_reads.c"], check=True)
        env = dict(os.environ, LD_PRELOAD=library, FAILING_READS=order)
        done = False
        with serve(path, dump, "--no-confinement", env=env) as server:

            def walk():
                with Client(server.address) as client:
                    client.socket.settimeout(60)
                    client.ask("Qqemu.PhyMemMode:1")
                    for at in range(int(RANGE[0], 16), int(RANGE[1], 16), 0x1000):
                        client.ask(f"m{at:x},1000")
                        if done:
                            break

            def frames():
                with Client(server.address) as client:
                    client.socket.settimeout(60)
                    client.send(frame("qRcmd," + b"bt --all".hex()))
                    while client.reply()[:1] == b"O" and not done:
                        pass

            with Client(server.address) as hot:
                hot.no_acks()
                rsp = int.from_bytes(bytes.fromhex(hot.ask("g")[7 * 16:8 * 16]), "little")
                alone = hot_reads(hot, rsp)
                with open(order, "w", encoding="ascii") as out:
                    out.write(f"-{SLOW_MS}")
                others = [threading.Thread(target=work) for work in (walk, frames)]
                for other in others:
                    other.start()
                time.sleep(0.5)
                beside = hot_reads(hot, rsp)
                done = True
                os.remove(order)
                for other in others:
                    other.join()
    for name, times in (("alone", alone), ("beside the others", beside)):
        print(f"  hot `m` {name}: median {percentile(times, 0.5):.3f} ms, 99th percentile "
              f"{percentile(times, 0.99):.3f} ms, {len(times)} reads")


parser = argparse.ArgumentParser()
parser.add_argument("--build", required=True)
parser.add_argument("--old")
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--range", default="1000000-11000000")
parser.add_argument("dumps", nargs="+")
options = parser.parse_args()
RANGE = options.range.split("-")
TOOL = os.path.join(os.path.abspath(options.build), "tests/bench/cold_bench")
PROGRAMS = {"now": os.path.join(os.path.abspath(options.build), "vmcore-gdbserver")}
if options.old:
    PROGRAMS["before"] = os.path.abspath(options.old)
with tempfile.TemporaryDirectory() as NO_SYMBOLS:
    for one_dump in options.dumps:
        reads(one_dump, PROGRAMS, options.rounds)
        slow_disk(PROGRAMS["now"], one_dump)
