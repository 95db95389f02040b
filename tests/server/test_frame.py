#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor frame: a thread's other frames, shown to any client as its registers."""

import re
import struct

from gdb_run import gdb_on_demo
from program import Server, monitor, run_on_demo
from rsp import Client
from seed_case import CALLEE_SAVED, FRAMES, VCPU
from tap import check, expect, expect_equal, expect_in, run_checks

# The rows of these registers in target.xml.
ROWS = {"rbx": 1, "rbp": 6, "rsp": 7, "r12": 12, "r13": 13, "r14": 14, "r15": 15, "rip": 16}
FLUSH = "maintenance flush register-cache"


def registers(client):
    """Of the reply to g: a number, or None for one that is not known."""
    reply = client.ask("g")
    values = {}
    for name, row in ROWS.items():
        digits = reply[16 * row:16 * row + 16]
        values[name] = None if "x" in digits else struct.unpack("<Q", bytes.fromhex(digits))[0]
    return values


@check("g gives the chosen frame's registers, known and unknown as by hand")
def _():
    with Server() as server, Client(server.address) as client:
        for number in [3, 0, 1, 2, 4, 5, 2, 0]:
            said, end = client.monitor(f"frame {number}")
            expect_equal(end, "OK", f"frame {number}")
            expect_in(FRAMES[number][0], said)
            expect_equal(registers(client), dict(zip(CALLEE_SAVED, FRAMES[number][3])),
                         f"frame {number}")


@check("p, another thread and another client are not confused by it")
def _():
    with Server() as server, Client(server.address) as client, Client(server.address) as other:
        before = registers(other)
        client.monitor("frame 2")
        expect_equal(client.ask("p1"), struct.pack("<Q", VCPU).hex(), "rbx by p")
        expect_equal(registers(other), before, "another client's")
        client.ask("Hg67")
        expect_in("frame 0", client.monitor("frame")[0])
        client.ask("Hg6e")
        expect_in("frame 0", client.monitor("frame")[0])
        expect_equal(registers(client), before, "after the thread was selected anew")


@check("without a number it says which frame it is")
def _():
    with Server() as server, Client(server.address) as client:
        client.monitor("frame 4")
        said, _end = client.monitor("frame")
        expect_in("the registers are those of frame 4 of 9", said)
        expect_in("kvm_vcpu_ioctl+", said)
    expect_in('"frame":0,"frames":9,"pc":"0xffffffffc07a21a8"', monitor("frame --json"))


@check("frames that do not exist: one sentence, and what was chosen stays")
def _():
    for line, part in [("frame 9", "has 9, from 0 to 8"), ("frame x", "'x'"),
                       ("frame -1", "'-1'"), ("frame 1 2", "takes"),
                       ("frame 99999999999999999999", "no frame's number")]:
        done = run_on_demo("--exec", line)
        expect_equal((done.returncode, done.stdout), (1, ""), f"{line}: status and output")
        expect_equal(len(done.stderr.splitlines()), 1, f"{line}: sentences")
        expect_in(part, done.stderr)
    with Server() as server, Client(server.address) as client:
        client.monitor("frame 2")
        client.monitor("frame 100")
        expect_equal(registers(client)["rbx"], VCPU, "rbx")


@check("stock gdb: info registers and x/i $pc of each frame")
def _():
    names = " ".join(CALLEE_SAVED)
    commands = []
    for number in range(len(FRAMES)):
        commands += [f"monitor frame {number}", FLUSH, f"info registers {names}", "x/i $pc"]
    text = gdb_on_demo(*commands)
    parts = re.split(r"the registers are those of frame \d+ of \d+\n", text)[1:]
    expect_equal(len(parts), len(FRAMES), "frames")
    for number, part in enumerate(parts):
        shown = dict(re.findall(r"^(r\w+) +(\S+)", part, re.MULTILINE))
        for name, value in zip(CALLEE_SAVED, FRAMES[number][3]):
            if value is None:
                expect_equal(shown[name], "<unavailable>", f"frame {number}: {name}")
            else:
                expect_equal(int(shown[name], 16), value, f"frame {number}: {name}")
        expect(re.search(rf"=> {FRAMES[number][3][0]:#x}", part), f"frame {number}: x/i\n{part}")


run_checks()
