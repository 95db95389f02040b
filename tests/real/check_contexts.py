#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What interrupts have stopped, as threads of their own.

    check_contexts.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

For every frame of a running task that an interrupt of the kernel has stopped there must be a thread
with that frame's registers, behind its task's, named by a function that drgn has above that frame.
"""

import re
import xml.etree.ElementTree as xml

from oracle import check_main, json_lines, run
from rsp_client import RspClient
from server_process import Server

FIRST = 20000000
RIP, RSP, RBX = 16, 7, 1
KERNEL = 0xffff800000000000
SEPARATOR = " ↳ interrupted by "
# Dumps of machines whose CPUs were stopped by an interrupt of another's, or panicked in one.
STOPPED = ("panic.elf", "panic.kdump-zlib", "panic-irq.elf")


def thread_list(client):
    """(tid, name) in the order of the server."""
    document = b""
    while True:
        reply = client.command(f"qXfer:threads:read::{len(document):x},1000").encode("latin-1")
        document += re.sub(rb"\}(.)", lambda m: bytes([m.group(1)[0] ^ 0x20]), reply[1:])
        if reply[:1] == b"l":
            return [(int(thread.get("id"), 16), thread.get("name"))
                    for thread in xml.fromstring(document)]


def register(client, number):
    """A 64-bit register of the selected thread; None if it is unknown."""
    digits = client.command(f"p{number:x}")
    return None if "x" in digits else int.from_bytes(bytes.fromhex(digits), "little")


def interrupted_frames(dump, command):
    """(tid, frame) of the running tasks' frames that the kernel's own interrupts stopped."""
    output = run([*command, "-x", "bt --all --json", *dump.files], "bt --all --json")
    running = {thread["tid"] for thread in dump.threads if thread["on_cpu"]}
    for thread in json_lines(output, "the server"):
        for frame in thread["frames"]:
            if thread["tid"] in running and frame["how"] == "regs" and \
                    int(frame["pc"], 16) >= KERNEL:
                yield thread["tid"], frame


def number(frame, name):
    text = frame["regs"].get(name)
    return None if text is None else int(text, 16)


def compare(client, dump, command):
    listed = thread_list(client)
    contexts = [(listed[n][0], listed[n][1], listed[n - 1][0]) for n in range(1, len(listed))
                if listed[n][0] >= FIRST and SEPARATOR in listed[n][1]]
    expected = list(interrupted_frames(dump, command))
    if len(contexts) != len(expected) or (dump.name in STOPPED and not contexts):
        yield f"the contexts are {contexts}, should be of {expected}"
        return
    by_tid = {thread["tid"]: thread for thread in dump.threads}
    for (tid, name, before), (task, frame) in zip(contexts, expected):
        comm, _, function = name.partition(SEPARATOR)
        frames = by_tid[task]["frames"]
        if before not in (task, tid - 1) or comm != by_tid[task]["comm"] or \
                (frames and function not in frames):
            yield f"context {tid} is named {name!r} behind {before}, is of {task}: {frames}"
        client.command(f"Hg{tid:x}")
        seen = [register(client, n) for n in (RIP, RSP, RBX)]
        wanted = [number(frame, name) for name in ("rip", "rsp", "rbx")]
        if seen != wanted:
            yield f"context {tid}: rip, rsp, rbx are {seen}, should be {wanted}"
        if client.command(f"T{tid:x}") != "OK":
            yield f"context {tid} is not alive"
    if client.command(f"T{FIRST + 1000:x}") == "OK":
        yield "a context that is none is alive"


def check(dump, command):
    lines = []
    with Server(command, dump.files) as server:
        client = RspClient(server.host, server.port)
        lines += compare(client, dump, command)
        client.close()
    with Server([*command, "--no-context-threads"], dump.files) as server:
        client = RspClient(server.host, server.port)
        expected = {thread["tid"] for thread in dump.threads}
        if {tid for tid, _ in thread_list(client)} != expected:
            lines.append("--no-context-threads does not list the tasks alone")
        client.close()
    return lines


if __name__ == "__main__":
    check_main(__doc__, check)
