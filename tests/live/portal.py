# SPDX-License-Identifier: GPL-2.0-or-later
"""The outer end of guest/portal.c: commands and connections in a machine, over one serial line."""

import os
import queue
import socket
import struct
import tempfile
import threading
import time

CHANNELS = 64
DATA_MAX = 4096


class PortalError(Exception):
    """The machine does not answer, or a command in it failed."""


def wall_clock():
    start = time.monotonic()
    return lambda: time.monotonic() - start


class Portal:
    """@path is the Unix socket of the line's chardev. Threads may share it.

    @stopwatch begins to measure the time that limits are about: it returns a function that tells
    how many seconds have passed since."""

    def __init__(self, path, process_alive=lambda: True, stopwatch=None):
        self._alive = process_alive
        self._stopwatch = stopwatch or wall_clock
        self._socket = self._connect(path)
        self._write_lock = threading.Lock()
        self._lock = threading.Lock()
        self._free = list(range(1, CHANNELS))
        self._channels = {0: queue.Queue()}
        self._dead = False
        self._last = None
        threading.Thread(target=self._read, daemon=True).start()

    def _connect(self, path):
        deadline = time.monotonic() + 20
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(path)
                return sock
            except OSError as error:
                sock.close()
                if time.monotonic() > deadline or not self._alive():
                    raise PortalError("the machine has no serial line for the portal") from error
                time.sleep(0.05)

    def close(self):
        self._socket.close()

    def await_ready(self, timeout):
        passed = self._stopwatch()
        while True:
            try:
                self._channels[0].get(timeout=1)
                return
            except queue.Empty as error:
                if passed() >= timeout:
                    raise PortalError(f"the portal did not open in {timeout} s") from error

    # ---- frames ----

    def _read(self):
        file = self._socket.makefile("rb")
        while True:
            try:
                header = file.read(4)
                if len(header) < 4:
                    break
                number, kind, length = struct.unpack("<BcH", header)
                if number >= CHANNELS or kind not in b"rde" or length > DATA_MAX:
                    print(f"# portal: a bad frame came: {header!r} {self._last!r}", flush=True)
                    break
                data = file.read(length)
                self._last = (header, data[-64:])
            except OSError:
                break
            with self._lock:
                channel = self._channels.get(number)
            if channel:
                channel.put((kind, data))
        with self._lock:
            self._dead = True
            for channel in self._channels.values():
                channel.put((b"e", b"-1"))

    def _send(self, number, kind, data=b""):
        with self._write_lock:
            try:
                self._socket.sendall(struct.pack("<BcH", number, kind, len(data)) + data)
            except OSError as error:
                raise PortalError("the machine's serial line is closed") from error

    def open(self, kind, what):
        """A channel's number and the queue of its (kind, data)."""
        channel = queue.Queue()
        with self._lock:
            if self._dead or not self._free:
                raise PortalError("the machine is gone" if self._dead else "no channel is free")
            number = self._free.pop(0)
            self._channels[number] = channel
        self._send(number, kind, what.encode())
        return number, channel

    def _release(self, number):
        """Once both ends have said 'e': nothing is on its way any more."""
        with self._lock:
            self._channels.pop(number, None)
            self._free.append(number)

    # ---- commands ----

    def try_run(self, command, timeout=120):
        """Runs a shell command in the machine; its exit status and its output."""
        number, channel = self.open(b"x", command)
        parts = []
        passed = self._stopwatch()
        while True:
            try:
                kind, data = channel.get(timeout=1)
            except queue.Empty as error:
                if passed() < timeout:
                    continue
                raise PortalError(f"'{command}' did not end in {timeout} s; it said "
                                  f"{b''.join(parts)[-500:]!r}") from error
            if kind == b"e":
                self._release(number)
                return int(data), b"".join(parts).decode("utf-8", "replace")
            parts.append(data)

    def run(self, command, timeout=120):
        """The same of one that must succeed; its output."""
        status, output = self.try_run(command, timeout)
        if status:
            raise PortalError(f"'{command}' ended with status {status}: {output}")
        return output

    # ---- connections ----

    def forward(self, where):
        """Listens on a port of this machine for connections to where in the other, a Unix socket's
        path or a port; returns the listener, which the caller closes."""
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(listener, where), daemon=True).start()
        return listener

    def _accept(self, listener, where):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number, channel = self.open(b"c", str(where))
            threading.Thread(target=self._outwards, args=(client, number, channel),
                             daemon=True).start()

    def _inwards(self, client, number):
        """Says the end once, whoever ended: then the other end says it, too, if it has not yet."""
        try:
            while data := client.recv(DATA_MAX):
                self._send(number, b"d", data)
        except (OSError, PortalError):
            pass
        try:
            self._send(number, b"e")
        except PortalError:
            pass

    def _outwards(self, client, number, channel):
        inwards = threading.Thread(target=self._inwards, args=(client, number), daemon=True)
        inwards.start()
        broken = False
        while (frame := channel.get())[0] != b"e":
            try:
                if not broken:
                    client.sendall(frame[1])
            except OSError:
                broken = True
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        inwards.join()
        client.close()
        self._release(number)


def line_options():
    """A folder to remove later, the line's socket in it, and QEMU's options for the line."""
    folder = tempfile.mkdtemp(prefix="vmcore-portal-")
    path = os.path.join(folder, "line")
    return folder, path, ["-chardev", f"socket,id=portal,path={path},server=on,wait=off",
                          "-serial", "chardev:portal"]
