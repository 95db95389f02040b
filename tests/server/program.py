# SPDX-License-Identifier: GPL-2.0-or-later
"""The program under test: run to its end, or serving in the background.

Tests run in the build folder, as automake does it.
"""

import os
import queue
import re
import signal
import subprocess
import threading

from tap import expect, expect_equal, fail

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath("vmcore-gdbserver")
DUMP = os.path.abspath("contrib/demo/vmcore")
VMLINUX = os.path.abspath("contrib/demo/vmlinux")

# Nothing is downloaded but where a test says so.
os.environ.pop("DEBUGINFOD_URLS", None)

RUN_S = 60
LISTENING = re.compile(r"^listening on (\S+)$")


def run_program(*arguments, **how):
    """Runs it to its end; returns a CompletedProcess with text."""
    how.setdefault("stdin", subprocess.DEVNULL)
    if "stdout" not in how:
        how["stdout"] = subprocess.PIPE
    return subprocess.run([PROGRAM, *arguments], stderr=subprocess.PIPE, text=True, check=False,
                          timeout=RUN_S, **how)


def run_on_demo(*arguments, **how):
    return run_program("--symbols", VMLINUX, *arguments, DUMP, **how)


def monitor(line, dump=DUMP):
    """What the monitor command answers, which must be a success."""
    done = run_program("--symbols", VMLINUX, "--exec", line, dump)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def reader_of(server):
    """Of the server that runs as that process: itself if nothing is confined."""
    return next((pid for pid in children_of(server) if name_of(pid) == "vmcore-reader"), server)


class Server:
    """A server of the demo dump on a port of its own: a context manager.

    At its end it must stop by SIGTERM with status 0, which with sanitizers says that it leaked
    nothing.
    """

    def __init__(self, *arguments, listen=("127.0.0.1:0",), dump=DUMP, symbols=VMLINUX, **how):
        listeners = [word for address in listen for word in ("--listen", address)]
        how.setdefault("stdin", subprocess.DEVNULL)
        self.said = []
        self._lines = queue.Queue()
        self.process = subprocess.Popen(
            # As gdb_run.py's gdb; what is given behind it counts.
            [PROGRAM, "--symbols", symbols, "--patience", "60", *listeners, *arguments, dump],
            stderr=subprocess.PIPE, text=True, **how)
        threading.Thread(target=self._read, daemon=True).start()
        self._listens_at = len([a for a in listen if a != "stdio"])
        self.addresses = []
        self._stopped = False

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def next_line(self):
        """The next line on standard error; None at its end."""
        try:
            line = self._lines.get(timeout=RUN_S)
        except queue.Empty:
            fail(f"the server says nothing for {RUN_S} s")
        if line is not None:
            self.said.append(line)
        return line

    def rest(self):
        """All that it says up to its end, which must be near."""
        while self.next_line() is not None:
            pass
        return "\n".join(self.said)

    def __enter__(self):
        try:
            while len(self.addresses) < self._listens_at:
                line = self.next_line()
                if line is None:
                    fail("the server ended before it listened:\n" + "\n".join(self.said))
                match = LISTENING.match(line)
                if match:
                    self.addresses.append(match.group(1))
        except BaseException:
            self._kill()
            raise
        return self

    @property
    def address(self):
        return self.addresses[0]

    @property
    def reader(self):
        """The process that reads the dump, and serves: the one that was started waits outside."""
        return reader_of(self.process.pid)

    def resident_bytes(self):
        with open(f"/proc/{self.reader}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGTERM):
        """Sends the signal; returns the exit status."""
        self._stopped = True
        self.process.send_signal(number)
        return self.process.wait(timeout=RUN_S)

    def __exit__(self, kind, *_):
        if kind is not None:
            self._kill()
            return
        if self._stopped:
            return
        expect(self.process.poll() is None, f"the server ended by itself:\n{self.said}")
        status = self.stop()
        expect(status == 0, f"the server ended with status {status}:\n{self.rest()}")
