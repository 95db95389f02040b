#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server costs the machine that it looks at, by /proc/kcore in the machine of tests/live.

    VMCORE_GDBSERVER=... VMCORE_REAL_DIR=... live_bench.py [THREADS [OTHER_SERVER]]

Figures are of the processor, user and system, in a machine that QEMU emulates: several times those
of a real one, by a factor that differs from work to work. So an OTHER_SERVER (an earlier one, say)
is measured beside it, turn by turn, and what the server takes from a busy machine is told in
percent. Run by hand, on a quiet host."""

import json
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "live"), os.path.join(HERE, "..", "server")]

import machine as live_machine  # noqa: E402
from machine import SOCKET, LiveMachine, Setup  # noqa: E402
from patience import PatientSocket  # noqa: E402
from rsp import Client  # noqa: E402

TIMES = 3
ROUND_S, ROUNDS = 15, 3
OTHER = "other-server"


class Server:
    """One that listens in the machine, and a client of it: a context manager."""

    def __init__(self, machine, program):
        self._machine = machine
        self._program = program

    def __enter__(self):
        live_machine.SERVER = self._program
        self._machine.start_server(f"--live={self._machine.setup.source}", "--no-serve-files")
        self.pid = self._machine.run("cat /run/server.pid").strip()
        self._forwarded = self._machine.forwarded(SOCKET)
        self.client = Client(self._forwarded.__enter__())
        self.client.socket = PatientSocket(self.client.socket, self._machine)
        self.client.no_acks()
        return self

    def __exit__(self, *_):
        self.client.close()
        self._forwarded.__exit__(None, None, None)
        self._machine.stop_server()

    def usage(self):
        """Milliseconds in user mode and in the kernel (in steps of 10), and how many reads."""
        text = self._machine.run(f"cat /proc/{self.pid}/stat; grep syscr /proc/{self.pid}/io")
        fields = text.rsplit(")", 1)[1].split()
        return 10 * int(fields[11]), 10 * int(fields[12]), int(text.split()[-1])

    def spent(self, work):
        before = self.usage()
        result = work()
        return [after - was for was, after in zip(before, self.usage())], result

    def resident(self):
        return self._machine.run(f"grep VmRSS /proc/{self.pid}/status").split()[1]


# ---- what commands cost ----


def least(results):
    return min(results, key=lambda spent: spent[0] + spent[1])


def measure(machine, program):
    """By command the least of some runs: (user ms, system ms, reads)."""
    with Server(machine, program) as server:
        client = server.client
        commands = {"list of threads": lambda: client.document("threads", length=0xffff)}
        for line in ("bt --all", "bt --all --json", "stacks"):
            commands[line] = lambda line=line: client.monitor(line)[0]
        spent, results = {}, {}
        for name, work in commands.items():
            runs = []
            for _ in range(TIMES):
                figures, results[name] = server.spent(work)
                runs.append(figures)
            spent[name] = least(runs)
        threads = results["list of threads"].count(b"<thread ")
        frames = sum(len(json.loads(line)["frames"])
                     for line in results["bt --all --json"].splitlines())
        print(f"{program}: {threads} threads, {frames} frames, resident {server.resident()} KiB",
              flush=True)
        for name, (user, system, reads) in spent.items():
            print(f"  {name}: {user + system} ms ({user} user, {system} system), {reads} reads"
                  f", {1000 * (user + system) / frames:.1f} us a frame")
    return spent


def compare(machine, programs):
    first, *others = [measure(machine, program) for program in programs]
    for other in others:
        for name, figures in first.items():
            old, new = sum(other[name][:2]), sum(figures[:2])
            print(f"{name}: {old / max(new, 1):.1f} times as fast, {other[name][2]} -> "
                  f"{figures[2]} reads")


# ---- what is left for others ----


class Every:
    """Does some work once a second of the machine's until it is stopped: a context manager."""

    def __init__(self, machine, work):
        self._machine = machine
        self._work = work
        self._stop = threading.Event()
        self.times = 0

    def _run(self):
        while not self._stop.is_set():
            passed = self._machine.stopwatch()
            self._work()
            self.times += 1
            while passed() < 1 and not self._stop.wait(0.05):
                pass

    def __enter__(self):
        self._thread = threading.Thread(target=self._run)
        if self._work:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        if self._work:
            self._thread.join()


def busy_round(machine, server, work):
    """(processes that were made in a second of QEMU's processor time, percent of one CPU that the
    server took, how often the work was done)"""
    def look():
        text = machine.run("head -1 /proc/stat; tail -1 /run/churn")
        cpu = [int(word) for word in text.split()[1:9]]
        return sum(cpu) / 2, int(text.splitlines()[-1].split()[0])

    with Every(machine, work) as every:
        had, passed = machine.processor_s(), machine.stopwatch()
        (ticks, made), before = look(), sum(server.usage()[:2]) if server else 0
        while passed() < ROUND_S:
            time.sleep(0.2)
        (ticks2, made2), after = look(), sum(server.usage()[:2]) if server else 0
        rate = (made2 - made) / (machine.processor_s() - had)
    return rate, 100 * (after - before) / 10 / (ticks2 - ticks), every.times


def overhead(machine):
    """Beside a load that would take all of both CPUs."""
    machine.run("taskset 3 churn >/run/churn 2>&1 & for i in 0 1; do "
                "taskset 3 sh -c 'while :; do :; done' & done >/dev/null 2>&1; sleep 3")
    alone, rows = [], {}
    for _ in range(ROUNDS):
        alone.append(busy_round(machine, None, None)[0])
        with Server(machine, live_machine.SERVER) as server:
            works = {
                "a client that asks nothing": None,
                "a list of threads every second":
                    lambda: server.client.document("threads", length=0xffff),
                "'bt --all' every second": lambda: server.client.monitor("bt --all"),
            }
            for name, work in works.items():
                rows.setdefault(name, []).append(busy_round(machine, server, work))
    best = sorted(alone)[len(alone) // 2]
    threads = machine.run("ls -d /proc/[0-9]*/task/* | wc -l").strip()
    print(f"a busy machine of {threads} threads alone: {best:.1f} processes a second of QEMU's processor time "
          f"({min(alone):.1f} to {max(alone):.1f})")
    for name, row in rows.items():
        rate = sorted(row)[len(row) // 2][0]
        percent = sorted(one[1] for one in row)[len(row) // 2]
        print(f"  with {name}: the server takes {percent:.1f} % of a CPU, the load gets "
              f"{100 * rate / best:.0f} % ({sum(one[2] for one in row)} times)")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    setup = Setup()
    if setup.missing():
        sys.exit(f"live_bench.py: {setup.missing()}")
    with tempfile.TemporaryDirectory(prefix="vmcore-bench-") as folder:
        programs = []
        if len(sys.argv) > 2:
            programs = [shutil.copy(sys.argv[2], os.path.join(folder, OTHER))]
        with LiveMachine(setup, lifetime_s=3600, programs=programs) as machine:
            mine = live_machine.SERVER
            # One of them would take a CPU for itself.
            machine.run(f"killall -9 vmhost; churn {count} >/run/sleepers 2>&1 & echo $! >/run/sleepers.pid; "
                        "for i in $(seq 300); do grep -q ready /run/sleepers && exit 0; sleep 0.2; "
                        "done; exit 1")
            compare(machine, [mine] + [OTHER] * len(programs))
            live_machine.SERVER = mine
            machine.run("kill $(cat /run/sleepers.pid)")
            overhead(machine)


if __name__ == "__main__":
    main()
