# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that reads the files that a server offers."""

import re
import subprocess

from rsp import Client, frame, unescape
from tap import expect, expect_equal, need_tool


class FileClient(Client):
    """vFile packets, as gdb sends them."""

    def __init__(self, address):
        super().__init__(address)
        self.no_acks()

    def open(self, name, flags=0):
        return self.ask(f"vFile:open:{name.encode().hex()},{flags:x},0")

    def packet(self, text):
        """The reply to a packet that brings data: its number, its data."""
        self.send(frame(text))
        head, _, data = self.reply().partition(b";")
        return int(head[1:], 16), unescape(data)

    def read(self, name):
        """A whole file."""
        reply = self.open(name)
        expect(re.fullmatch("F[0-9a-f]+", reply), f"open {name}: {reply}")
        parts, offset = [], 0
        while True:
            count, data = self.packet(f"vFile:pread:{reply[1:]},100000,{offset:x}")
            expect_equal(len(data), count, "the bytes that a reply brings")
            if not data:
                expect_equal(self.ask(f"vFile:close:{reply[1:]}"), "F0", "close")
                return b"".join(parts)
            parts.append(data)
            offset += count


def build_id(path):
    text = subprocess.run([need_tool("readelf"), "-n", path], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return re.search("Build ID: ([0-9a-f]+)", text).group(1)
