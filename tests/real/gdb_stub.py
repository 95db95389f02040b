# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's own gdb stub: an oracle of a CPU's registers, and a way to one instruction of its code."""

import socket
import struct
import time

GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
           "r13", "r14", "r15", "rip"]
TIMEOUT_S = 120


class GdbStub:
    """The machine is stopped once this is there."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")
        # QEMU says on its own that the machine has stopped, before or behind the first answer.
        self.command("?")
        time.sleep(1)
        self._send("qAttached")
        while self._receive() not in ("0", "1"):
            pass

    def _send(self, text):
        payload = text.encode("ascii")
        self._socket.sendall(b"$%s#%02x" % (payload, sum(payload) & 0xff))

    def _receive(self):
        while self._file.read(1) != b"$":
            pass
        payload = b""
        while (byte := self._file.read(1)) != b"#":
            if not byte:
                raise OSError("QEMU has closed its stub")
            payload += byte
        self._file.read(2)
        self._socket.sendall(b"+")
        return payload.decode("latin-1")

    def command(self, text):
        self._send(text)
        return self._receive()

    def go_on(self):
        """Lets the machine run."""
        self._send("c")

    def stop(self):
        self._socket.sendall(b"\x03")
        return self._receive()

    def run_to(self, address):
        """Lets it run until a CPU comes to an address; returns that CPU's number."""
        self.command(f"Z1,{address:x},1")
        self._send("c")
        reply = self._receive()
        self.command(f"z1,{address:x},1")
        return int(reply.split("thread:")[1].split(";")[0].split(".")[-1], 16) - 1

    def step(self, cpu):
        """One instruction of one CPU, without interrupts."""
        return self.command(f"vCont;s:{cpu + 1:x}")

    def registers(self, cpu):
        """{name: value}, with cs and eflags."""
        self.command(f"Hg{cpu + 1:x}")
        data = bytes.fromhex(self.command("g")[:2 * (8 * 17 + 8)])
        values = dict(zip(GENERAL, struct.unpack_from("<17Q", data)))
        values["eflags"], values["cs"] = struct.unpack_from("<II", data, 8 * 17)
        return values
