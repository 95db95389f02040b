# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that listens on a port of its own, for as long as a check needs it."""

import queue
import re
import signal
import subprocess
import threading
import time

from oracle import Failure

LISTENING = re.compile(r"listening on (\S+):(\d+)")
START_S = 60


class Server:
    """A context manager; start_up holds what the server has said up to "listening on"."""

    def __init__(self, command, files):
        self._process = subprocess.Popen([*command, "--patience", "60", "--listen", "127.0.0.1:0",
                                          *files],
                                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._lines = queue.Queue()
        self.start_up = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stderr:
            self._lines.put(line.decode("utf-8", "replace").rstrip())
        self._lines.put(None)

    def __enter__(self):
        try:
            self._await_listening()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def _await_listening(self):
        started = time.monotonic()
        while True:
            try:
                line = self._lines.get(timeout=START_S)
            except queue.Empty as error:
                raise Failure(f"the server says nothing for {START_S} s") from error
            if line is None:
                raise Failure("the server ended before it listened:\n" + "\n".join(self.start_up))
            self.start_up.append(line)
            match = LISTENING.search(line)
            if match:
                self.host, self.port = match.group(1), int(match.group(2))
                self.seconds = time.monotonic() - started
                return

    def gdb_attach(self):
        """The options that make gdb attach to it: patient, as the server is, which may be one with
        sanitizers on a machine that has other things to do."""
        return ["-ex", "set remotetimeout 60",
                "-ex", f"target remote {self.host}:{self.port}"]

    def rest_of_greeting(self):
        """What the server says right after "listening on": nothing may come, so do not wait long."""
        lines = []
        try:
            while (line := self._lines.get(timeout=1)) is not None:
                lines.append(line)
        except queue.Empty:
            pass
        return lines

    def __exit__(self, kind, *_):
        status = self._process.poll()
        if status is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                status = self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                status = "killed: SIGTERM did not end it"
        if kind is None and status != 0:
            raise Failure(f"the server ended with status {status}")
