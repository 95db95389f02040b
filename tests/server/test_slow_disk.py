#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that takes long holds up who reads from it, and nobody else."""

import contextlib
import os
import select
import selectors
import shutil
import struct
import subprocess
import tempfile
import threading
import time

from program import DUMP, SOURCE, Server
from rsp import Client, frame
from tap import check, expect, expect_equal, need_tool, run_checks

HOT = 0xffff88043ea73280
COLD = 0xffff880200008000
# Memory that was added to the demo's: its first physical address.
MORE, MORE_BYTES = 0x4000000000, 64 << 20
EVERYBODY = 200


@contextlib.contextmanager
def disk(dump=DUMP, *arguments):
    """A server of the dump, and what makes its disk take so many milliseconds a read; 0: none."""
    with tempfile.TemporaryDirectory() as folder:
        library, order = f"{folder}/failing_reads.so", f"{folder}/order"
        compiler = need_tool(os.environ.get("CC", "gcc").split()[-1])
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library,
                        f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=30)
        env = dict(os.environ, LD_PRELOAD=library, FAILING_READS=order,
                   ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")

        def takes(milliseconds):
            with open(order + ".new", "w", encoding="ascii") as out:
                out.write(f"-{milliseconds}")
            if milliseconds:
                os.rename(order + ".new", order)
            elif os.path.exists(order):
                os.remove(order)

        with Server("--no-confinement", *arguments, dump=dump, env=env) as server:
            yield server, takes


def has_answer(client):
    return bool(select.select([client.socket], [], [], 0)[0])


@check("who reads hot pages waits for nobody's disk")
def _():
    with disk() as (server, takes), Client(server.address) as hot, Client(server.address) as cold, \
            Client(server.address) as frames, Client(server.address) as late:
        word = hot.ask(f"m{HOT:x},8")
        true_frames = hot.monitor("bt 110")
        # What was read by then is in the cache: another server has not read it.
        with disk() as (other, other_takes), Client(other.address) as client:
            page = client.ask(f"m{COLD:x},100")
        takes(3000)
        cold.send(frame(f"m{COLD:x},100"))
        frames.send(frame("qRcmd," + b"bt --all".hex()))
        time.sleep(0.2)
        for _ in range(100):
            expect_equal(hot.ask(f"m{HOT:x},8"), word, "a word whose page is in the cache")
        expect(not has_answer(cold), "the cold page was not cold")
        takes(0)
        expect_equal(cold.reply().decode(), page, "the cold page")
        while frames.reply() != b"OK":
            pass
        expect_equal(late.ask(f"m{COLD:x},100"), page, "what others do not disturb")
        expect_equal(late.monitor("bt 110"), true_frames, "frames")


@check("all answers of a slow disk are those of a quick one, whoever asks at once", seconds=120)
def _():
    asked = ["bt --all", "threads", "modules", "vms", "vcpus", "dmesg", "symbols"]
    places = range(0xffff880200000000, 0xffff880200010000, 0x1000)
    with disk() as (server, takes), Client(server.address) as client:
        truth = {line: client.monitor(line) for line in asked}
        words = {place: client.ask(f"m{place:x},1000") for place in places}
        registers = client.ask("g")
    wrong = []

    def ask(address, own):
        with Client(address) as client:
            client.socket.settimeout(60)
            for line in asked[own % len(asked):] + asked[:own % len(asked)]:
                if client.monitor(line) != truth[line]:
                    wrong.append(line)
                for place in list(places)[own::4]:
                    if client.ask(f"m{place:x},1000") != words[place]:
                        wrong.append(hex(place))
                if client.ask("g") != registers:
                    wrong.append("g")

    with disk() as (server, takes):
        takes(10)
        threads = [threading.Thread(target=ask, args=(server.address, own)) for own in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect_equal(wrong, [], "answers that differ")


def with_more_memory(path):
    """The demo's dump with a segment more, which is a hole in the file."""
    shutil.copy(DUMP, path)
    with open(path, "r+b") as file:
        header = bytearray(file.read(64))
        (at,), (count,) = struct.unpack_from("<Q", header, 32), struct.unpack_from("<H", header, 56)
        file.seek(at)
        headers = file.read(56 * count)
        size = file.seek(0, os.SEEK_END)
        data = (size + 56 * (count + 1) + 4095) // 4096 * 4096
        headers += struct.pack("<IIQQQQQQ", 1, 7, data, 0, MORE, MORE_BYTES, MORE_BYTES, 0)
        file.write(headers)
        file.truncate(data + MORE_BYTES)
        struct.pack_into("<Q", header, 32, size)
        struct.pack_into("<H", header, 56, count + 1)
        file.seek(0)
        file.write(header)


@check("many who wait for a disk get alike from it, and take little memory", seconds=120)
def _():
    with tempfile.TemporaryDirectory() as folder:
        with_more_memory(f"{folder}/vmcore")
        with disk(f"{folder}/vmcore") as (server, takes), contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(server.address)) for _ in range(EVERYBODY)]
            for client in clients:
                expect_equal(client.ask("Qqemu.PhyMemMode:1"), "OK", "physical addresses")
                client.no_acks()
            before = server.resident_bytes()
            takes(30)
            pages = iter(range(MORE, MORE + MORE_BYTES, 0x1000))
            counts = dict.fromkeys(clients, 0)
            with selectors.DefaultSelector() as selector:
                for client in clients:
                    selector.register(client.socket, selectors.EVENT_READ, client)
                    client.send(frame(f"m{next(pages):x},8"))
                while min(counts.values()) < 4:
                    for key, _ in selector.select(10):
                        expect_equal(key.data.reply(), b"0" * 16, "a hole's bytes")
                        counts[key.data] += 1
                        key.data.send(frame(f"m{next(pages):x},8"))
            each = (server.resident_bytes() - before) / EVERYBODY
            expect(max(counts.values()) <= 2 * min(counts.values()), f"answers: {counts.values()}")
            if "asan" not in os.environ.get("ASAN_OPTIONS", ""):
                expect(each < 512 << 10, f"{each:.0f} bytes a client")
            takes(0)


@check("a server that is ended while it waits for its disk ends well")
def _():
    with disk() as (server, takes), Client(server.address) as cold, \
            Client(server.address) as frames:
        takes(1500)
        cold.send(frame(f"m{COLD:x},100"))
        frames.send(frame("qRcmd," + b"bt --all".hex()))
        time.sleep(0.2)
        expect_equal(server.stop(), 0, "its status")


run_checks()
