# SPDX-License-Identifier: GPL-2.0-or-later
"""A minimal client of GDB's remote protocol, to read memory with."""

import socket

TIMEOUT_S = 30


class RspClient:
    """One connection, acknowledging packets."""

    def __init__(self, host, port):
        self._socket = socket.create_connection((host, port), timeout=TIMEOUT_S)
        # A packet must not wait until the acknowledgement before it is acknowledged itself.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def close(self):
        self._file.close()
        self._socket.close()

    def _byte(self):
        byte = self._file.read(1)
        if not byte:
            raise OSError("the server closed the connection")
        return byte

    def command(self, text):
        """Sends a packet; returns the reply's payload."""
        payload = text.encode("ascii")
        self._socket.sendall(b"$%s#%02x" % (payload, sum(payload) & 0xff))
        return self.packet()

    def packet(self):
        """The payload of the next packet."""
        while self._byte() != b"$":  # the server's acknowledgement comes first
            pass
        parts = []
        while (byte := self._byte()) != b"#":
            parts.append(byte)
        reply = b"".join(parts)
        checksum = int(self._byte() + self._byte(), 16)
        if checksum != sum(reply) & 0xff:
            raise OSError("the server sent a wrong checksum")
        self._socket.sendall(b"+")
        return reply.decode("latin-1")

    def monitor(self, line):
        """What a monitor command prints, whether it works or not."""
        text = ""
        reply = self.command("qRcmd," + line.encode("ascii").hex())
        while reply.startswith("O") and reply != "OK":
            text += bytes.fromhex(reply[1:]).decode("utf-8", "replace")
            reply = self.packet()
        return text

    def read_memory(self, address, size):
        """The bytes, fewer than size at a hole; None where the server answers an error."""
        reply = self.command(f"m{address:x},{size:x}")
        if reply.startswith("E"):
            return None
        return bytes.fromhex(reply)
