#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: servers under measurement, rsp_bench, rows of figures."""
import re
import subprocess
import sys
import time

RANGE = 16 << 20


class Server:
    """A server under measurement: its process, its address, how long it took to listen."""

    def __init__(self, command, pattern):
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            match = re.search(pattern, line)
            if match:
                self.seconds = time.monotonic() - start
                self.port = int(match.group(1))
                return
        sys.exit(f"{command[0]} did not start to listen")

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

    def stop(self):
        self.process.kill()
        self.process.wait()


def serve(build, dump, *options):
    return Server([f"{build}/vmcore-gdbserver", "-l", "127.0.0.1:0", *options, dump],
                  r"listening on .*:(\d+)")


def measure(build, port, address, length):
    out = subprocess.run([f"{build}/tests/bench/rsp_bench", f"127.0.0.1:{port}", f"{address:x}",
                          f"{length:x}"], check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value, _ in (line.split() for line in out.splitlines())}


def show(title, ours, theirs, better):
    """One row; the ratio is how many times better we are."""
    if theirs is None:
        print(f"  {title:34} {ours:12.2f}")
        return
    ratio = ours / theirs if better == "high" else theirs / ours
    print(f"  {title:34} {ours:12.2f} {theirs:12.2f} {ratio:9.2f}")
