#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server costs the machine that it looks at, by /proc/kcore in the machine of tests/live.

    VMCORE_GDBSERVER=... VMCORE_REAL_DIR=... live_bench.py [THREADS]

Figures are processor time of the server (user and system), in a machine that QEMU emulates: they are
several times those of a real one, and say what grows with what. Run by hand, on a quiet host."""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "live"), os.path.join(HERE, "..", "server")]

from machine import SOCKET, LiveMachine, Setup  # noqa: E402
from rsp import Client  # noqa: E402

REPLY_S = 300
IDLE_S = 10
# What a calibration loop takes: how much slower than its host the machine is.
LOOP = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"


class Bench:
    def __init__(self, machine, client):
        self._machine = machine
        self._client = client

    def _ticks(self):
        """Processor time of the server so far, in milliseconds (in steps of 10)."""
        text = self._machine.run("cat /proc/$(cat /run/server.pid)/stat")
        fields = text.rsplit(")", 1)[1].split()
        return 10 * (int(fields[11]) + int(fields[12]))

    def measure(self, what, work, times=3):
        """Prints and returns the least of some runs' milliseconds, and what the last one returned."""
        least, result = None, None
        for _ in range(times):
            before = self._ticks()
            result = work()
            spent = self._ticks() - before
            least = spent if least is None else min(least, spent)
        print(f"{what}: {least} ms of the processor")
        return least, result

    def run(self):
        client = self._client
        list_ms, document = self.measure("list of threads",
                                         lambda: client.document("threads", length=0xffff))
        print(f"  {document.count(b'<thread ')} threads")
        bt_ms, printed = self.measure("bt --all --json", lambda: client.monitor("bt --all --json")[0])
        frames = sum(len(json.loads(line)["frames"]) for line in printed.splitlines())
        print(f"  {frames} frames, {1000 * bt_ms / frames:.1f} us a frame")
        self.measure("stacks", lambda: client.monitor("stacks")[0])
        self.measure(f"{IDLE_S} s with a client that asks nothing", lambda: time.sleep(IDLE_S), 1)
        text = self._machine.run("grep VmRSS /proc/$(cat /run/server.pid)/status")
        print(f"resident: {text.split()[1]} KiB")


def loop_ms(machine):
    before = time.monotonic()
    machine.run(LOOP)
    return 1000 * (time.monotonic() - before)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    setup = Setup()
    if setup.missing():
        sys.exit(f"live_bench.py: {setup.missing()}")
    with LiveMachine(setup) as machine:
        machine.run(f"churn {count} >/run/sleepers 2>&1 & for i in $(seq 300); do "
                    "grep -q ready /run/sleepers && exit 0; sleep 0.2; done; exit 1")
        started = time.monotonic()
        machine.start_server(f"--live={setup.source}", "--no-serve-files")
        print(f"listening after {time.monotonic() - started:.1f} s")
        with machine.forwarded(SOCKET) as address, Client(address) as client:
            client.socket.settimeout(REPLY_S)
            client.no_acks()
            Bench(machine, client).run()
        print(f"a loop of 200,000 in the machine's shell: {loop_ms(machine):.0f} ms")
        machine.stop_server()


if __name__ == "__main__":
    main()
