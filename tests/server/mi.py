# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb as a front end drives it: its machine interface (gdb manual, "GDB/MI")."""

import queue
import re
import subprocess
import threading

from program import VMLINUX
from tap import expect_in, fail, need_tool

# What a machine that is busy may take; a front end would wait for ever.
WAIT_S = 60


class Mi:
    """A gdb with the machine interface VERSION and words of its own, attached to ADDRESS: a context
    manager."""

    def __init__(self, address, version="mi3", vmlinux=VMLINUX, words=()):
        self.address = address
        self.process = subprocess.Popen(
            [need_tool("gdb"), "-nx", "-q", f"--interpreter={version}", *words,
             *([vmlinux] if vmlinux else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        self._lines = queue.Queue()
        self._token = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def __enter__(self):
        for setting in ("confirm off", "pagination off", "width 0", "remotetimeout 60"):
            self.ask(f"-gdb-set {setting}")
        self.attach()
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def attach(self):
        self.ask(f"-target-select remote {self.address}")

    def wait_for(self, pattern):
        """The first line from here on in which PATTERN is found, as a match."""
        while True:
            try:
                line = self._lines.get(timeout=WAIT_S)
            except queue.Empty:
                line = None
            if line is None:
                fail(f"gdb never says {pattern}; it said:\n" + "\n".join(self.said[-20:]))
            self.said.append(line)
            match = re.search(pattern, line)
            if match:
                return match

    def answer(self, command):
        """The result record of COMMAND: its class, and what follows."""
        self._token += 1
        self.process.stdin.write(f"{self._token}{command}\n")
        self.process.stdin.flush()
        return self.wait_for(rf"^{self._token}\^(\w+),?(.*)$").groups()

    def ask(self, command):
        """What COMMAND, which must succeed, answers."""
        kind, text = self.answer(command)
        if kind not in ("done", "running", "connected"):
            fail(f"{command}: {kind}, {text}")
        return text

    def resume(self, command):
        """A command that would run: it must be answered, and then there must be a stop."""
        since = len(self.said)
        self.ask(command)
        stop = self.wait_for(r"^\*stopped(.*)$").group(1)
        expect_in("it cannot run", "\n".join(self.said[since:]))
        return stop
