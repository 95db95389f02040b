# SPDX-License-Identifier: GPL-2.0-or-later
"""A small client of GDB's remote protocol, which can also be a bad one."""

import re
import socket

TIMEOUT_S = 10


def connect(address):
    """A socket to what the server calls HOST:PORT, [HOST]:PORT or unix:PATH."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT_S)
        connection.connect(address.removeprefix("unix:"))
        return connection
    host, port = re.fullmatch(r"\[?([^\]]*)\]?:(\d+)", address).groups()
    connection = socket.create_connection((host, int(port)), timeout=TIMEOUT_S)
    # As debuggers do: an acknowledgement and the packet after it are two small writes.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def checksum(payload):
    return b"%02x" % (sum(payload) & 0xff)


def frame(payload):
    """The payload, text or bytes, as a packet."""
    if isinstance(payload, str):
        payload = payload.encode()
    return b"$" + payload + b"#" + checksum(payload)


def unescape(data):
    return re.sub(rb"\}(.)", lambda match: bytes([match.group(1)[0] ^ 0x20]), data, flags=re.DOTALL)


class Client:
    """One connection: a context manager. Packets are acknowledged until no_acks()."""

    def __init__(self, address):
        self.socket = connect(address)
        self._pending = b""
        self._acks = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _byte(self):
        if not self._pending:
            self._pending = self.socket.recv(1 << 20)
            if not self._pending:
                raise EOFError("the server closed the connection")
        byte, self._pending = self._pending[:1], self._pending[1:]
        return byte

    def _until(self, mark):
        """What comes before the byte, which is dropped."""
        parts = []
        while mark not in self._pending:
            parts.append(self._pending)
            self._pending = self.socket.recv(1 << 20)
            if not self._pending:
                raise EOFError("the server closed the connection")
        last, _, self._pending = self._pending.partition(mark)
        return b"".join(parts) + last

    def reply(self):
        """The payload of the next packet, as it is."""
        skipped = self._until(b"$")
        if skipped not in (b"", b"+"):
            raise AssertionError(f"{skipped!r} stands between packets")
        payload = self._until(b"#")
        given = self._byte() + self._byte()
        if given != checksum(payload):
            raise AssertionError(f"the checksum of {payload[:80]!r} is {given!r}")
        if self._acks:
            self.send(b"+")
        return payload

    def ask(self, payload):
        """Sends a packet; returns the reply's payload as text, byte by byte."""
        self.send(frame(payload))
        return self.reply().decode("latin-1")

    def no_acks(self):
        reply = self.ask("QStartNoAckMode")
        self._acks = False
        return reply

    def monitor(self, line):
        """Sends a monitor command; returns what it prints and its last reply."""
        reply = self.ask("qRcmd," + line.encode().hex())
        printed = b""
        while re.fullmatch("O([0-9a-f]{2})+", reply):
            printed += bytes.fromhex(reply[1:])
            reply = self.reply().decode("latin-1")
        return printed.decode(), reply

    def document(self, name, annex="", length=0xffb):
        """A whole qXfer document."""
        parts, offset = [], 0
        while True:
            self.send(frame(f"qXfer:{name}:read:{annex}:{offset:x},{length:x}"))
            reply = self.reply()
            if reply[:1] not in (b"m", b"l"):
                raise AssertionError(f"qXfer:{name}:{annex}: {reply!r}")
            parts.append(unescape(reply[1:]))
            offset += len(parts[-1])
            if reply[:1] == b"l":
                return b"".join(parts)

    def closed_by_server(self):
        """Whether the server hangs up, after whatever it still sends."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True
