#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that list and unwind all the time, in a machine where tasks are created and die at full
speed, virtual machines come and go, and modules are loaded and unloaded.

    SOAK_SECONDS=3600 soak.py

No crash, no leak, no wrong frame: frames of sleeping threads are compared with /proc/PID/stack
between two looks that saw them still, guests' registers with what they were given, and the server's
memory must stop growing. What is said of threads that cannot be unwound must be one of a few
reasons. Seconds are the machine's (qemu_machine.Machine.stopwatch()): on a host that starves it all
takes longer, and is no finding. Prints what was done; exit status 1 with the findings."""

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
from patience import Hang, PatientSocket  # noqa: E402
from portal import PortalError  # noqa: E402
from rsp import Client  # noqa: E402
from tell import Symbols, frames_differ, look  # noqa: E402

CLIENTS = 3
TELL_RBX = 0xb0b0b0b0b0b00000
# Of the clock on the wall, in seconds of the machine: a host that is worse is no place for this.
SLOWEST = 5
# A soak that is so long has KVM unloaded and loaded, too, every so often.
KVM_SOAK_S, KVM_EVERY_S = 300, 90
# The server's memory may be this much larger in the last third than in the first two.
GROWTH_KIB = 3072

# Why a thread on a machine that runs may have no frames.
REASONS = [
    r"the task \d+ has ended",
    r"the task is running on CPU \d+, and what its registers are only that CPU knows",
    r"the task changed while being read(, again and again)?",
    r"the task has ended and has no stack any more",
    r"the module [\w-]+ is not what it was when the modules were listed: ask again",
]
# What was listed may be gone by the time that it is asked about.
GONE = re.compile("there is no thread|there is no vCPU|there are no virtual machines")
REASON = re.compile("|".join(f"({reason})" for reason in REASONS))


class Soak:
    """Runs for some seconds on a machine with a server that listens; findings are sentences."""

    def __init__(self, machine, symbols):
        self._machine = machine
        self._symbols = symbols
        self._lock = threading.Lock()
        self._ended = lambda: True
        self._stop = threading.Event()
        self._next_guest = "C"
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
        said = printed + (bytes.fromhex(last[2:]).decode("latin-1")
                          if re.fullmatch(r"E\.([0-9a-f]{2})+", last) else last)
        if last != "OK" and not REASON.search(said) and not GONE.search(said):
            self._find(f"'{line}' is answered {last!r} after {printed[-200:]!r}")
        self._count(line.split()[0])
        return printed

    def _check_frames(self, client, row, tries=5):
        if row["end"] == "lost" and not row["frames"]:
            if not REASON.search(row.get("why", "")):
                self._find(f"thread {row['tid']} has no frames: {row}")
            self._count("threads without frames")
            return
        if row["end"] == "lost" and "name" not in row["frames"][-1] and tries:
            # A module that has come since the modules were listed: the server will list them again.
            time.sleep(0.2)
            self._count("threads in unknown code")
            printed = self._answer(client, f"bt {row['tid']} --json")
            if printed.startswith("{"):
                self._check_frames(client, json.loads(printed), tries - 1)
            return
        if row["end"] not in ("user", "kthread"):
            self._find(f"thread {row['tid']} ends strangely: {row}")
        self._count("threads with frames")

    def _client(self, address):
        client = Client(address)
        client.socket = PatientSocket(client.socket, self._machine)
        client.no_acks()
        return client

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
                self._check_frames(client, json.loads(printed))

    def _all_threads(self, client):
        for line in self._answer(client, "bt --all --json").splitlines():
            self._check_frames(client, json.loads(line))

    def _stacks(self, client):
        self._answer(client, "stacks --json")

    def _guests(self, client):
        for line in self._answer(client, "vcpus --json").splitlines():
            row = json.loads(line)
            if "vcpu" not in row:
                self._find(f"vcpus: {row}")
                continue
            printed = self._answer(client, f"vcpu {row['vcpu']} --json")
            rbx = json.loads(printed)["regs"].get("rbx", {}) if printed.startswith("{") else {}
            if "value" not in rbx:
                self._count("vCPUs without registers")
                continue
            tell = int(rbx["value"], 16) - TELL_RBX
            if tell & 0xff != row["id"] or not ord("A") <= tell >> 8 <= ord("Z"):
                self._find(f"rbx of the guest is {rbx} in {row}")

    def _be_a_client(self, address):
        work = [self._some_threads, self._some_threads, self._all_threads, self._stacks,
                self._guests]
        while not self._ended():
            with self._client(address) as client:
                for _ in range(8):
                    if not self._ended():
                        random.choice(work)(client)

    # ---- the watch ----

    def _spot_check(self, client):
        before = look(self._machine)
        rows = {row["tid"]: row for row in map(json.loads, self._answer(
            client, "bt --all --json").splitlines())}
        after = look(self._machine)
        for tid, thread in before.items():
            if not thread.stack or not thread.still(after.get(tid)) or tid not in rows:
                continue
            if rows[tid]["end"] == "lost":
                self._check_frames(client, rows[tid])
            else:
                self._find(*frames_differ(thread, rows[tid]["frames"], self._symbols))
                self._count("stacks compared")

    def _watch(self, address):
        with self._client(address) as client:
            while not self._ended():
                self._spot_check(client)
                time.sleep(2)

    def _weigh(self):
        while not self._ended():
            status = self._machine.run("cat /proc/$(cat /run/server.pid)/status")
            self.resident_kib.append(int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)))
            time.sleep(2)

    # ---- what comes and goes ----

    def _shuffle_modules(self):
        """In any order, so that they are seldom where they were. What needs another is not loaded
        before that is, and not unloaded after."""
        names = self._machine.run("cd /modules/more && ls").split()
        random.shuffle(names)
        loaded = self._machine.run("n=0; for i in 1 2; do for m in " + " ".join(names) + "; do "
                                   "insmod /modules/more/$m 2>/dev/null && n=$((n+1)); done; done; "
                                   "sleep 0.5; echo $n")
        random.shuffle(names)
        self._machine.run("for i in 1 2 3; do for m in " + " ".join(names) + "; do "
                          "rmmod ${m%.ko} 2>/dev/null; done; done; true")
        self._count("modules", int(loaded))

    def _begin_guests(self):
        """Two virtual machines in place of those that are there; a vCPU of the first stays in its guest
        until an interrupt comes."""
        first, second = self._next_guest, chr(ord(self._next_guest) + 1)
        self._next_guest = chr(ord(second) + 1) if second < "Y" else "C"
        self._machine.run(
            "killall -9 vmhost; "
            f"taskset 2 vmhost {first} spin >/run/vmhost-{first} 2>&1 & "
            f"taskset 2 vmhost {second} halt >/run/vmhost-{second} 2>&1 & "
            f"for name in {first} {second}; do for i in $(seq 1000); do "
            "grep -q ready /run/vmhost-$name && break; sleep 0.2; done; "
            "grep -q ready /run/vmhost-$name || { cat /run/vmhost-$name; exit 1; }; done", 240)

    def _reload_kvm(self):
        """Its virtual machines end, it comes again, seldom where it was, and others begin."""
        if self._machine.try_run("grep -q '^kvm_amd ' /proc/modules")[0]:
            return
        self._machine.run(
            "killall -9 vmhost; for i in $(seq 200); do rmmod kvm_amd 2>/dev/null && rmmod kvm && "
            "break; sleep 0.2; done; cd /modules/more && insmod ./virtio.ko 2>/dev/null; "
            "insmod /modules/kvm/kvm.ko && insmod /modules/kvm/kvm-amd.ko && "
            "{ rmmod virtio 2>/dev/null || true; }", 240)
        self._begin_guests()
        self._count("reloads of KVM")

    def _change_modules(self, seconds):
        kvm_due = KVM_EVERY_S if seconds >= KVM_SOAK_S else float("inf")
        passed = self._machine.stopwatch()
        while not self._ended():
            self._shuffle_modules()
            time.sleep(0.5)
            if passed() >= kvm_due:
                self._reload_kvm()
                passed = self._machine.stopwatch()

    def _guarded(self, what, work, *arguments):
        try:
            work(*arguments)
        except Hang as error:
            self._find(f"{what} waited: {error}")
            self._stop.set()
        except PortalError as error:
            self._find(f"{what} lost the machine: {error}")
            self._stop.set()
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
        self._begin_guests()
        passed, started = self._machine.stopwatch(), time.monotonic()
        self._ended = lambda: (self._stop.is_set() or passed() >= seconds or
                               time.monotonic() >= started + SLOWEST * seconds)
        self._machine.run("taskset 1 churn >/run/churn 2>&1 & echo $! >/run/churn.pid")
        with self._machine.forwarded(where) as address:
            work = [("a client", self._be_a_client, address)] * CLIENTS
            work += [("the watch", self._watch, address), ("the scales", self._weigh)]
            if self._machine.setup.more_modules():
                work.append(("who loads modules", self._change_modules, seconds))
            threads = [threading.Thread(target=self._guarded, args=item) for item in work]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self._machine.try_run("kill -9 $(cat /run/churn.pid)")
        made = re.findall(r"(\d+) processes", self._machine.run("cat /run/churn"))
        self.counts["processes"] = int(made[-1]) if made else 0
        self.counts["s of the wall's clock"] = round(time.monotonic() - started)
        self.counts["s of the machine's"] = round(passed())
        for what in ("stacks compared", "processes", "modules"):
            if not self.counts[what] and (what != "modules" or self._machine.setup.more_modules()):
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
    with LiveMachine(setup, lifetime_s=SLOWEST * seconds + 1800) as machine:
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
