#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that list and unwind all the time, in a machine where tasks are created and die at full
speed.

    SOAK_SECONDS=3600 soak.py

No crash, no leak, no wrong frame: frames of sleeping threads are compared with /proc/PID/stack
between two looks that saw them still, guests' registers with what they were given, and the server's
memory must stop growing. What is said of threads that cannot be unwound must be one of a few
reasons. Prints what was done; exit status 1 with the findings."""

import collections
import json
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "server")]

from machine import LiveMachine, Setup  # noqa: E402
from rsp import Client  # noqa: E402
from tell import Symbols, frames_differ, look  # noqa: E402

CLIENTS = 3
REPLY_S = 120  # of a machine without KVM, on a host that is busy
TELL_RBX = 0xb0b0b0b0b0b00000
# The server's memory may be this much larger in the last third than in the first two.
GROWTH_KIB = 3072

# Why a thread on a machine that runs may have no frames.
REASONS = [
    r"the task \d+ has ended",
    r"the task is running on CPU \d+, and what its registers are only that CPU knows",
    r"the task changed while being read(, again and again)?",
    r"the task has ended and has no stack any more",
]
REASON = re.compile("|".join(f"({reason})" for reason in REASONS))


class Soak:
    """Runs for some seconds on a machine with a server that listens; findings are sentences."""

    def __init__(self, machine, symbols):
        self._machine = machine
        self._symbols = symbols
        self._lock = threading.Lock()
        self._end = 0.0
        self.findings = []
        self.counts = collections.Counter()
        self.resident_kib = []

    def _count(self, what, number=1):
        with self._lock:
            self.counts[what] += number

    def _find(self, *lines):
        with self._lock:
            self.findings += lines
            for line in lines:
                print(f"# {line}", flush=True)

    # ---- clients ----

    def _answer(self, client, line):
        printed, last = client.monitor(line)
        if last != "OK" and not REASON.search(printed + last) and "there is no thread" not in \
                (printed + bytes.fromhex(last[2:]).decode("latin-1")
                 if re.fullmatch(r"E\.([0-9a-f]{2})+", last) else printed + last):
            self._find(f"'{line}' is answered {last!r} after {printed[-200:]!r}")
        self._count(line.split()[0])
        return printed

    def _check_frames(self, row):
        if row["end"] == "lost" and not row["frames"]:
            if not REASON.search(row.get("why", "")):
                self._find(f"thread {row['tid']} has no frames: {row}")
            self._count("threads without frames")
            return
        if row["end"] not in ("user", "kthread"):
            self._find(f"thread {row['tid']} ends strangely: {row}")
        self._count("threads with frames")

    def _list_threads(self, client):
        document = client.document("threads").decode("utf-8", "replace")
        tids = [int(tid, 16) for tid in re.findall(r'<thread id="([0-9a-f]+)"', document)]
        if len(tids) != len(set(tids)) or 1 not in tids:
            self._find(f"the threads are {tids}")
        self._count("lists")
        return tids

    def _some_threads(self, client):
        for tid in random.sample(self._list_threads(client), 6):
            client.ask(f"Hg{tid:x}")
            client.ask("g")
            printed = self._answer(client, f"bt {tid} --json")
            if printed.startswith("{"):
                self._check_frames(json.loads(printed))

    def _all_threads(self, client):
        for line in self._answer(client, "bt --all --json").splitlines():
            self._check_frames(json.loads(line))

    def _stacks(self, client):
        self._answer(client, "stacks --json")

    def _guests(self, client):
        for line in self._answer(client, "vcpus --json").splitlines():
            row = json.loads(line)
            if "vcpu" not in row:
                self._find(f"vcpus: {row}")
                continue
            [vcpu] = [json.loads(text) for text in
                      self._answer(client, f"vcpu {row['vcpu']} --json").splitlines()]
            rbx = vcpu["regs"]["rbx"]
            tell = int(rbx["value"], 16) - TELL_RBX
            if tell not in (0x4100 + row["id"], 0x4200 + row["id"]):
                self._find(f"rbx of the guest is {rbx} in {row}")

    def _be_a_client(self, address):
        work = [self._some_threads, self._some_threads, self._all_threads, self._stacks,
                self._guests]
        while time.monotonic() < self._end:
            with Client(address) as client:
                client.socket.settimeout(REPLY_S)
                client.no_acks()
                for _ in range(8):
                    if time.monotonic() < self._end:
                        random.choice(work)(client)

    # ---- the watch ----

    def _spot_check(self, client):
        before = look(self._machine)
        rows = {row["tid"]: row for row in map(json.loads, self._answer(
            client, "bt --all --json").splitlines())}
        after = look(self._machine)
        for tid, thread in before.items():
            if thread.stack and thread.still(after.get(tid)) and tid in rows:
                self._find(*frames_differ(thread, rows[tid]["frames"], self._symbols))
                self._count("stacks compared")

    def _watch(self, address):
        with Client(address) as client:
            client.socket.settimeout(REPLY_S)
            client.no_acks()
            while time.monotonic() < self._end:
                self._spot_check(client)
                time.sleep(2)

    def _weigh(self):
        while time.monotonic() < self._end:
            status = self._machine.run("cat /proc/$(cat /run/server.pid)/status")
            self.resident_kib.append(int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)))
            time.sleep(2)

    def _guarded(self, what, work, *arguments):
        try:
            work(*arguments)
        except Exception as error:  # of whatever kind, it is what we look for
            self._find(f"{what} ended: {error!r}")

    def _check_memory(self):
        seen = self.resident_kib
        if len(seen) < 3:
            self._find(f"the server's memory was seen {len(seen)} times only")
            return
        # Types and symbols are read when they are first asked for, which takes a short soak's half.
        early = max(seen[:2 * len(seen) // 3 + 1])
        if max(seen[-len(seen) // 3:]) > early + GROWTH_KIB:
            self._find(f"the server grows: its resident KiB were {seen}")

    def run(self, seconds, where):
        self._end = time.monotonic() + seconds
        self._machine.run("taskset 2 churn >/run/churn 2>&1 & echo $! >/run/churn.pid")
        with self._machine.forwarded(where) as address:
            work = [("a client", self._be_a_client, address)] * CLIENTS
            work += [("the watch", self._watch, address), ("the scales", self._weigh)]
            threads = [threading.Thread(target=self._guarded, args=item) for item in work]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self._machine.try_run("kill -9 $(cat /run/churn.pid)")
        made = re.findall(r"(\d+) processes", self._machine.run("cat /run/churn"))
        self.counts["processes"] = int(made[-1]) if made else 0
        if not self.counts["stacks compared"] or not self.counts["processes"]:
            self._find(f"too little was done: {dict(self.counts)}")
        self._check_memory()

    def summary(self):
        done = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        kib = self.resident_kib
        return f"{done}; resident {kib[0]} KiB at first, {max(kib)} at most, {kib[-1]} at last" \
            if kib else done


def main():
    seconds = int(os.environ.get("SOAK_SECONDS", "3600"))
    setup = Setup()
    if setup.missing():
        sys.exit(f"soak.py: {setup.missing()}")
    with LiveMachine(setup, lifetime_s=seconds + 600) as machine:
        machine.start_server(f"--live={setup.source}", "--no-serve-files")
        soak = Soak(machine, Symbols(machine))
        soak.run(seconds, machine.socket)
        print(f"{seconds} s: {soak.summary()}")
        machine.stop_server()
        log = machine.run("cat /run/server.log")
        if not log.rstrip().splitlines()[-1].startswith("  gdb"):
            soak.findings.append(f"the server said at its end: {log[-500:]}")
    for finding in soak.findings[:50]:
        print(finding)
    sys.exit(1 if soak.findings else 0)


if __name__ == "__main__":
    main()
