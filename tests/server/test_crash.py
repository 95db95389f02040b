# SPDX-License-Identifier: GPL-2.0-or-later
"""crash's protocol at gdb's port, as crash 8.0.2 speaks it; crash itself is tried in tests/real."""

import json
import re
import struct

from program import Server
from rsp import Client, connect
from tap import check, expect, expect_equal, expect_in, expect_not_in, run_checks

# Memory of the demo's kernel, and the word that gdb has for rip.
STACK = 0xffff88003e5e8000
RIP, RSP = 16, 7
HEADER = 13


class Crash:
    """A connection as crash makes it."""

    def __init__(self, address, greet=True):
        self.socket = connect(address)
        if greet:
            expect_equal(self.ask("NIL"), "NIL DUMP", "the first reply")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode() + b"\0")

    def receive(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the server closed the connection")
            data += more
        return data

    def text(self):
        data = b""
        while not data.endswith(b"\0"):
            data += self.receive(1)
        return data[:-1].decode()

    def ask(self, text):
        self.send(text)
        return self.text()

    def read(self, descriptor, address, count):
        """Bytes of memory; None if they are not there."""
        self.send(f"READ_LIVE {descriptor} {address:x} {count}")
        header = self.receive(HEADER)
        if header.startswith(b"FAIL "):
            return None
        expect_equal(header, b"DONE %07d\0" % count, "the header of memory")
        return self.receive(count)

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def register(client, number):
    return struct.unpack("<Q", bytes.fromhex(client.ask(f"p{number:x}")))[0]


@check("memory is what gdb reads, by physical and by virtual address")
def _():
    with Server() as server, Client(server.address) as gdb, Crash(server.address) as crash:
        physical = crash.ask("OPEN dump").split()
        virtual = crash.ask("OPEN /dev/vmem").split()
        expect_equal((physical[3], virtual[3]), ("O_RDONLY", "O_RDONLY"), "how they are open")
        wanted = bytes.fromhex(gdb.ask(f"m{STACK:x},100"))
        expect_equal(crash.read(virtual[2], STACK, 0x100), wanted, "virtual memory")
        where = int(crash.ask(f"VTOP 0 {STACK:x}").split()[3], 16)
        expect_equal(crash.read(physical[2], where, 0x100), wanted, "physical memory")
        expect_equal(crash.read(physical[2], 1 << 60, 8), None, "what is not there")
        expect_equal(crash.read(virtual[2], 0x1000, 8), None, "an address of a process")


@check("where a CPU stands is what gdb sees of the task that runs there")
def _():
    with Server() as server, Client(server.address) as gdb, Crash(server.address) as crash:
        kind = crash.ask("PAGESIZE NIL").split()
        expect_equal((kind[2], kind[4]), ("4096", "2"), "the size of pages, and how many CPUs")
        place = crash.ask("FETCH_LIVE_IP_SP_BP 0")
        found = re.fullmatch(r"FETCH_LIVE_IP_SP_BP 0 \w+:(\w+) \w+:(\w+) \w+", place)
        expect(found, place)
        expect_equal([int(word, 16) for word in found.groups()],
                     [register(gdb, RIP), register(gdb, RSP)], "rip and rsp")
        expect_equal(crash.ask("FETCH_LIVE_IP_SP_BP 9"), "FETCH_LIVE_IP_SP_BP 9 0:0 0:0 0",
                     "a CPU that is not there")


@check("the line to start it with has what it must be told")
def _():
    with Server() as server, Client(server.address) as gdb:
        # "monitor connect"
        text = gdb.monitor("connect")[0]
        line = re.search(r"^  crash \S+ (\S+),dump --machdep phys_base=(0x[0-9a-f]+)", text, re.M)
        expect(line, text)
        expect_equal(line.group(1), server.address, "the address")
        said = json.loads(gdb.monitor("connect --json")[0])
        expect_equal((said["target"], said["address"]), ("host", server.address), "as JSON")
        expect_in(f"{server.address},dump --machdep phys_base={line.group(2)}", said["crash"])
        # By what the kernel lies at: where an address of its image is, and where it would be
        # with a phys_base of 0.
        with Crash(server.address) as crash:
            at = int(gdb.ask("qOffsets").removeprefix("TextSeg="), 16)
            physical = int(crash.ask(f"VTOP 0 {at:x}").split()[3], 16)
            expect_equal((physical - (at - 0xffffffff80000000)) % (1 << 64),
                         int(line.group(2), 16), "phys_base")


@check("where crash cannot come, no line says that it can")
def _():
    with Server(listen=["unix:crash.sock"]) as server, Client(server.address) as gdb:
        text = gdb.monitor("connect")[0]
        expect_not_in("--machdep", text)
        expect_in("crash cannot come", text)


@check("half a protocol, junk and endless text end their own session alone")
def _():
    with Server() as server, Client(server.address) as gdb, Crash(server.address) as crash:
        crash.ask("OPEN dump")
        for words in [b"NVITE sip:a\r\n", b"NIL \0", b"NI\0", b"N" * 100]:
            with Crash(server.address, greet=False) as other:
                other.socket.sendall(words)
                expect(other.is_closed(), f"a client that says {words!r} is kept")
        for words in [b"A" * 4000, b"READ_LIVE " + b"3" * 100000, b"\xff" * 3001]:
            with Crash(server.address) as other:
                other.socket.sendall(words)
                expect(other.is_closed(), f"a client that says {words[:20]!r}... is kept")
        # One that goes in the middle of a request, and one that does not take its reply.
        with Crash(server.address) as other:
            other.socket.sendall(b"READ_LIVE 3 ")
        with Crash(server.address) as other:
            other.send("READ_LIVE 3 0 131072")
        with Crash(server.address, greet=False) as idle:
            idle.socket.sendall(b"NI")
            expect_equal(gdb.ask("qAttached"), "1", "gdb's session")
            expect_equal(crash.ask("CLOSE 3"), "CLOSE 3 OK", "crash's session")
        expect_equal(crash.ask("EXIT"), "EXIT OK", "the last reply")
        expect(crash.is_closed(), "a client that says EXIT is kept")
        expect_equal(gdb.ask("qAttached"), "1", "gdb's session after that")


run_checks()
