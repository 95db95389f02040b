# SPDX-License-Identifier: GPL-2.0-or-later
"""Many clients, slow ones, dead ones and hostile ones: the others must not notice."""

import os
import re
import resource
import socket
import struct
import tempfile
import time

from program import Server
from recipes import ENDLESS_AT, ENDLESS_BYTES, make_endless_dump
from rsp import Client, checksum, connect, frame
from tap import check, expect, expect_equal, expect_in, run_checks

# What any client may have to wait while others keep the server busy; generous, for machines that
# are busy themselves.
ANSWER_S = 2
# Sixteen KiB of memory.
STACK = 0xffff88003e5e8000
INTERRUPT = b"\x03"

folder = tempfile.TemporaryDirectory()
ENDLESS = make_endless_dump(folder.name)


def expect_answered(address, count=5):
    """A new client is served, and quickly."""
    began = time.monotonic()
    with Client(address) as client:
        for _ in range(count):
            expect_equal(client.ask("qAttached"), "1", "qAttached")
    took = time.monotonic() - began
    expect(took < ANSWER_S, f"{count} replies took {took:.2f} s")


def long_search(client):
    """Begins a search that takes minutes."""
    client.send(frame(f"qSearch:memory:{ENDLESS_AT:x};{ENDLESS_BYTES:x};nobody wrote this"))


def processor_seconds(server):
    with open(f"/proc/{server.reader}/stat", encoding="ascii") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def expect_idle(server):
    before = processor_seconds(server)
    time.sleep(0.5)
    used = processor_seconds(server) - before
    expect(used < 0.1, f"the server used {used} s of half a second")


@check("fifty clients at once, each with its own selected thread")
def _():
    tids = [1, 2, 103, 110, 10000000, 10000001]
    with Server() as server:
        clients = [Client(server.address) for _ in range(50)]
        for number, client in enumerate(clients):
            expect_equal(client.ask(f"Hg{tids[number % 6]:x}"), "OK", "Hg")
        for client in clients:
            client.send(frame("qC"))
        for number, client in enumerate(clients):
            expect_equal(client.reply().decode(), f"QC{tids[number % 6]:x}", "qC")
        for client in clients:
            client.close()
        expect_answered(server.address)


@check("more clients than descriptors: those that are in are served, the others once there is room")
def _():
    limit = 24
    with Server(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                      (limit, limit))) as server:
        clients = [Client(server.address) for _ in range(limit + 6)]
        expect_equal(clients[0].ask("qAttached"), "1", "the first")
        expect_idle(server)
        for client in clients[:-1]:
            client.close()
        expect_equal(clients[-1].ask("qAttached"), "1", "the last")
        clients[-1].close()


@check("a client that says nothing")
def _():
    with Server() as server, connect(server.address), connect(server.address):
        expect_answered(server.address)


@check("clients that ask for 100 MB and read nothing cost some megabytes at most")
def _():
    request = frame(f"m{ENDLESS_AT:x},80000")
    # What AddressSanitizer keeps of freed memory is not the server's.
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0")
    with Server(dump=ENDLESS, env=env) as server:
        expect_answered(server.address)
        before = server.resident_bytes()
        deaf = [connect(server.address) for _ in range(4)]
        for client in deaf:
            client.setblocking(False)
            try:
                for _ in range(100):
                    client.sendall(request * 100)
            except BlockingIOError:
                pass
        for _ in range(3):
            expect_answered(server.address)
        grown = server.resident_bytes() - before
        expect(grown < 4 * (4 << 20), f"the server grew by {grown >> 20} MiB")
        for client in deaf:
            client.close()
        expect_answered(server.address)


@check("a client that reads late gets all of it")
def _():
    # A part that is there, and the largest reply that it can be in.
    with Server() as server, Client(server.address) as client:
        client.no_acks()
        for _ in range(200):
            client.send(frame(f"m{STACK:x},4000"))
        expect_answered(server.address)
        replies = {client.reply() for _ in range(200)}
        expect_equal([len(reply) for reply in replies], [0x8000], "replies' lengths")


@check("clients that vanish within a packet or a reply")
def _():
    reset = struct.pack("ii", 1, 0)
    with Server() as server:
        for said in [b"$", b"$m", b"$qAttached", b"$qAttached#", b"$qAttached#0", b"+", b"}",
                     frame(f"m{STACK:x},4000") * 50, frame("jThreadsInfo"),
                     frame("qXfer:threads:read::0,fff"), frame("vKill;1"), INTERRUPT]:
            for how in ["close", "reset"]:
                with connect(server.address) as client:
                    if how == "reset":
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    client.sendall(said)
        expect_answered(server.address)


@check("a client that vanishes within a search ends the search")
def _():
    with Server(dump=ENDLESS) as server:
        with Client(server.address) as client:
            long_search(client)
            time.sleep(0.1)
        expect_answered(server.address)
        expect_idle(server)


@check("garbage")
def _():
    with Server() as server:
        for said in [bytes(range(256)) * 64, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100000,
                     b"-" * 1000, b"+" * 100000, b"$" * 1000, b"#" * 1000, b"$#" * 1000,
                     b"$#00" * 1000, b"\xff\xf4\xff\xfd\x06"]:
            with Client(server.address) as client:
                # Before its first packet it would be none of a debugger's.
                expect_equal(client.ask("qAttached"), "1", "the first packet")
                client.send(said)
                client.send(b"\n" + frame("qAttached"))
                # Whatever it made of the rest, this much it understands.
                replies = b""
                while not replies.endswith(frame("1")):
                    replies += client.socket.recv(1 << 16)
        expect_answered(server.address)


@check("a packet with a wrong checksum is asked for again")
def _():
    with Server() as server, Client(server.address) as client:
        for wrong in [b"$qAttached#00", b"$qAttached#zz", b"$#01"]:
            client.send(wrong)
            expect_equal(client.socket.recv(10), b"-", f"the reply to {wrong}")
        expect_equal(client.ask("qAttached"), "1", "the next packet")
        client.send(b"-")
        expect_equal(client.socket.recv(10), frame("1"), "what was asked for again")


@check("packets in pieces, and many in one")
def _():
    with Server() as server, Client(server.address) as client:
        for byte in frame("qAttached"):
            client.send(bytes([byte]))
            time.sleep(0.001)
        expect_equal(client.reply(), b"1", "byte by byte")
        client.send((frame("qAttached") + b"+") * 500)
        for _ in range(500):
            expect_equal(client.reply(), b"1", "one of many")


@check("an oversized packet is refused and the session goes on")
def _():
    with Server() as server, Client(server.address) as client:
        for size in [(1 << 20) + 1, 3 << 20, 20 << 20]:
            payload = b"m" * size
            client.send(b"$" + payload + b"#" + checksum(payload))
            expect(client.reply().startswith(b"E"), f"{size} bytes are no error")
            expect_equal(client.ask("qAttached"), "1", "the next packet")
        before = server.resident_bytes()
        # One that never ends is not kept.
        client.send(b"$" + b"m" * (40 << 20))
        grown = server.resident_bytes() - before
        expect(grown < 8 << 20, f"the server grew by {grown >> 20} MiB")
        expect_answered(server.address)


@check("packets of every first letter, with nothing and with nonsense behind it")
def _():
    letters = [bytes([n]) for n in range(32, 127) if chr(n) not in "$#}*"]
    with Server() as server, Client(server.address) as client:
        client.no_acks()
        for letter in letters:
            if letter == b"k":
                continue
            for rest in [b"", b",", b";;", b":::", b"-1", b"zzzz", b"ffffffffffffffffffff",
                         b"0,0", b"\x80\xff", b"," * 100, b"p1.1", b"-1,-1", b"A" * 5000]:
                client.send(frame(letter + rest))
                # What would resume is answered with a text first.
                while re.fullmatch(b"O([0-9a-f]{2})+", client.reply()):
                    pass
        expect_equal(client.ask("qAttached"), "1", "the next packet")


@check("one client's search does not hold up another")
def _():
    with Server(dump=ENDLESS) as server, Client(server.address) as searching:
        long_search(searching)
        for _ in range(3):
            expect_answered(server.address, 20)


@check("Ctrl-C ends a search, and the session goes on")
def _():
    with Server(dump=ENDLESS) as server, Client(server.address) as client:
        long_search(client)
        time.sleep(0.05)
        client.send(INTERRUPT)
        expect(client.reply().startswith(b"E"), "no error")
        expect_equal(client.ask("qAttached"), "1", "the next packet")


@check("Ctrl-C with nothing under way changes nothing")
def _():
    with Server() as server, Client(server.address) as client:
        client.send(INTERRUPT * 3)
        expect_equal(client.ask("qAttached"), "1", "the next packet")


@check("what is sent behind a search waits its turn, and not without bound")
def _():
    with Server(dump=ENDLESS) as server, Client(server.address) as client:
        client.no_acks()
        long_search(client)
        client.send(frame("qAttached") * 3)
        before = server.resident_bytes()
        client.socket.settimeout(0.5)
        try:
            while True:
                client.send(b"+" * 65536)
        except TimeoutError:
            pass
        expect(server.resident_bytes() - before < 4 << 20, "the server keeps all that is sent")
        expect_answered(server.address)


@check("detaching and killing leave the server to others")
def _():
    with Server() as server:
        with Client(server.address) as client:
            expect_equal(client.ask("D"), "OK", "D")
            expect_equal(client.ask("D;1"), "OK", "D;1")
        with Client(server.address) as client:
            client.send(frame("k"))
            expect(client.closed_by_server(), "k leaves the connection open")
        with Client(server.address) as client:
            expect_equal(client.ask("vKill;1"), "OK", "vKill")
            expect_equal(client.ask("qAttached"), "1", "after vKill")
        expect_answered(server.address)


@check("what a client said before it closed its side is answered")
def _():
    with Server() as server, Client(server.address) as client:
        client.send(frame("qAttached") + b"+" + frame("qC"))
        client.socket.shutdown(socket.SHUT_WR)
        client._acks = False
        expect_equal((client.reply(), client.reply()), (b"1", b"QC6e"), "the replies")


@check("SIGTERM ends it while clients search, listen and do not read")
def _():
    with Server(dump=ENDLESS) as server:
        with Client(server.address) as searching, connect(server.address) as deaf, \
                Client(server.address) as client:
            long_search(searching)
            deaf.sendall(frame(f"m{STACK:x},4000") * 1000)
            client.ask("qC")
            began = time.monotonic()
            expect_equal(server.stop(), 0, "the status")
            expect(time.monotonic() - began < ANSWER_S, "it takes its time")


run_checks()
