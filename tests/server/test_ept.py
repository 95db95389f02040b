#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Listings of what a vCPU's tables map: sound, tangled, and without end."""

import json
import tempfile

from program import Server, monitor
from recipes import make_dump
from rsp import Client, frame
from tap import check, expect, expect_equal, expect_in, run_checks

FOLDER = tempfile.TemporaryDirectory()

# A PD for the whole of the guest's first TiB, whose tables are all the same one; in that, every other page is
# mapped. Sound where KVM shadows tables of the guest that are so, and damage where it does not.
ENDLESS = make_dump(FOLDER.name, "endless-ept", """
phys 0x5308000: """ + " 0x30000007" * 512 + """
phys 0x30000000: """ + " 0x30001007" * 512 + """
phys 0x30001000: """ + " 0x30002007" * 512 + """
phys 0x30002000: """ + " 0x200000007 0" * 256 + """
put kvm_vcpu at vcpu: arch.mmu.direct_map = 0
""")
TANGLED = make_dump(FOLDER.name, "tangled-ept", """
phys 0x5308008: 0x5308007
phys 0x5308010: 0x30000007
phys 0x30000000: 0x30001007 0x2000000f7 0x2400000f7 0x2800000f3 0x2800010f3
phys 0x30001000: 0x2000000f7 0x200200037 0x200400030 0x6000 0x40000000007
zero phys 0x200200000 4k
""")


@check("ept: ranges, and their sums")
def _():
    expect_equal(monitor("ept 0").splitlines(),
                 ["000000000000-00000000ffff -> 000200000000         64 KiB  4K pages  rwx",
                  "1 ranges, 64 KiB, 4 tables"], "the demo's")
    expect_equal([json.loads(line) for line in monitor("ept 110 2000..3fff --json").splitlines()],
                 [{"gpa": "0x2000", "size": 0x2000, "hpa": "0x200002000", "page_size": 4096, "rights": "rwx"}],
                 "a part")
    expect_equal(json.loads(monitor("ept 103:0 --summary --json")),
                 {"ranges": 1, "bytes": 65536, "tables": 4, "bad_ranges": 0,
                  "mapped": [{"page_size": 4096, "rights": "rwx", "access_tracked": False, "bytes": 65536,
                              "ranges": 1}]}, "sums")
    expect_in("4K pages  rwx  64 KiB in 1 ranges", monitor("ept 0 --summary"))


@check("ept: tables that lead back, large pages, entries that make no sense")
def _():
    expect_equal(monitor("ept 0", TANGLED).splitlines(), [
        "000000000000-00000000ffff -> 000200000000         64 KiB  4K pages  rwx",
        "008000000000-00ffffffffff  corrupt: the table at 0x5308000 has another place already",
        "010000000000-0100001fffff -> 000200000000       2048 KiB  2M pages  rwx",
        "010000800000-0100009fffff  missing: the table at 0x40000000000",
        "010040000000-0100bfffffff -> 000200000000    2097152 KiB  1G pages  rwx",
        "0100c0000000-0100ffffffff -> 000280000000    1048576 KiB  1G pages  rw-",
        "010100000000-01013fffffff  corrupt: the entry at 0x30000020 has reserved bits set",
        "7 ranges, 3147840 KiB, 8 tables"], "ranges")


@check("ept: a list without end goes out as it is made, beside other clients, until Ctrl-C")
def _():
    with Server(dump=ENDLESS) as server, Client(server.address) as client, \
            Client(server.address) as other:
        client.no_acks()
        before = server.resident_bytes()
        client.send(frame("qRcmd," + b"ept 0".hex()))
        for _ in range(100):
            expect_equal(client.reply()[:1], b"O", "output")
            expect_equal(other.ask("qAttached"), "1", "another client")
        grown = server.resident_bytes() - before
        expect(grown < 8 << 20, f"the server grew by {grown >> 20} MiB")
        client.send(b"\x03")
        reply = client.reply()
        while reply[:1] == b"O":
            reply = client.reply()
        expect_equal(reply, b"E04", "the end")
        expect_equal(client.ask("qAttached"), "1", "afterwards")
        # Who does not read, and who leaves.
        other.send(frame("qRcmd," + b"ept 0".hex()))
        expect_equal(client.ask("qAttached"), "1", "beside one that does not read")
        other.close()
        expect_equal(client.ask("qAttached"), "1", "beside one that left")


run_checks()
