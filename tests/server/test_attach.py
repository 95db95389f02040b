# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock gdb's `attach`: a guest in the host's place, and beside it, in one connection."""

import re

from gdb_run import GDB_S, gdb, gdb_on_demo
from program import Server, monitor
from rsp import Client
from tap import check, expect, expect_equal, expect_in, expect_not_in, run_checks

VM = 5000103
HOST = 5000000
EXTENDED = ["disconnect", "target extended-remote {}"]


def extended(server, *commands, **how):
    """What gdb says from `target extended-remote` on."""
    start = [command.format(server.address) for command in EXTENDED]
    text = gdb(*start, "echo begin\\n", *commands, attach=server.address, **how)
    return text[text.index("begin\n"):]


def address_of_guest(server):
    match = re.match(r"listening on (\S+) for vm-103$", server.next_line())
    expect(match is not None, f"no guest is served: {server.said}")
    return match.group(1)


def registers(text):
    """The lines of `info registers all`."""
    return [line.split(maxsplit=1) for line in text.splitlines() if re.match(r"[a-z]\w+ +[0-9<{[]", line)]


@check("the IDs are printed by vms and info os", GDB_S)
def _():
    expect_in(f", attach {VM}\n", monitor("vms"))
    expect_in(f'"id":{VM},', monitor("vms --json"))
    expect(re.search(rf"^id .*\n{VM} +103 ", gdb_on_demo("info os vms"), re.MULTILINE), "no ID")


@check("attach opens a guest in the host's place, and the host again", GDB_S)
def _():
    with Server("--guests") as server:
        own = gdb("info registers all", attach=address_of_guest(server), vmlinux=None)
        text = extended(server, f"attach {VM}", "echo guest\\n", "info registers all", "echo end\\n",
                        "info threads", "monitor info", "detach", f"attach {HOST}", "p $rip",
                        "info threads", vmlinux=None)
        expect_equal(registers(text[text.index("guest\n"):text.index("end\n")]), registers(own),
                     "registers, and those at the guest's own port")
        expect_in("a virtual machine (plain) of process 103", text)
        expect_in("0xffffffffc07a21a8", text[text.rindex("$1 = "):])
        expect_in('"systemd [sleeping]"', text)


@check("--multiprocess: each is an inferior, with registers, memory and commands of its own", GDB_S)
def _():
    with Server("--guests", "--multiprocess") as server:
        guest = address_of_guest(server)
        own = gdb("info registers all", attach=guest, vmlinux=None)
        text = extended(server, "add-inferior", "inferior 2", f"attach {VM}", "info inferiors",
                        "info threads", "thread 2.1", "echo guest\\n", "info registers all", "echo end\\n",
                        "thread 1.4", "p $rip", "x/1xg $rsp", "monitor registers", "thread 2.1",
                        "monitor info", "info os vms", "detach inferior 2", "info threads", "p $rip")
        expect_equal(registers(text[text.index("guest\n"):text.index("end\n")]), registers(own),
                     "registers, and those at the guest's own port")
        expect(re.search(rf"^\* 2 +process {VM} ", text, re.MULTILINE), text)
        expect(re.search(rf'^  1\.4 +Thread {HOST}\.110 "CPU 0/KVM ', text, re.MULTILINE), text)
        expect(re.search(rf'^\* 2\.1 +Thread {VM}\.1 "CPU 0 ', text, re.MULTILINE), text)
        expect(re.search(r"^\$1 = .*0xffffffffc07a21a8", text, re.MULTILINE), text)
        expect_in("[host]\n", text)
        expect_in("[vm-103]\na virtual machine (plain) of process 103", text)
        expect_in("[Inferior 2 (process 5000103) detached]", text)
        # gdb before it, and who takes one target at a time, see no difference.
        plain = gdb("info threads", attach=guest)
        expect_in('"CPU 0 ', plain)


@check("without guests served a guest can be attached to, and others' sessions go on", GDB_S)
def _():
    with Server() as server, Client(server.address) as other, Client(server.address) as bad:
        other.ask("Hg6e")
        before = other.ask("g")
        text = extended(server, f"attach {VM}", "info threads")
        expect_in('"CPU 0 ', text)
        # What is no ID, a process, and a client that breaks off in the middle of it.
        for number in [1, 103, 110, 4999999, VM + 1, 9200000, 10000000, 1 << 40]:
            expect(bad.ask(f"vAttach;{number:x}").startswith("E."), f"attached to {number}")
        expect(bad.ask(f"vAttach;{VM:x}").startswith("T05thread:1;"), "it is not attached to")
        expect_equal(bad.ask("Hgp1.1"), "E01", "the process that was before it")
        expect_equal(bad.ask("D;7"), "OK", "who holds one names none")
        bad.send(b"$vAttach;4c")
        bad.close()
        with Client(server.address) as lldb:
            lldb.ask("QThreadSuffixSupported")
            expect_equal(lldb.ask(f"vAttach;{VM:x}"), "", "lldb's attach")
        expect_equal(other.ask("g"), before, "another's registers")
        expect_equal(other.ask("qC"), "QC6e", "another's thread")


@check("whom gdb may attach to is said by whoever is asked", GDB_S)
def _():
    with Server() as server:
        text = extended(server, "attach 103", "info os vms")
        expect_in("Attaching to ", text)
        expect_in(" failed", text)
        expect_in(str(VM), text)
        expect_not_in("Remote connection closed", text)
    with Server("--multiprocess") as server, Client(server.address) as client:
        expect_in(";multiprocess+", client.ask("qSupported:multiprocess+"))
        for text, wanted in [("vAttach;67", "the threads of process 103 are among the kernel's"),
                             ("vAttach;1", "the threads of process 1 are among the kernel's"),
                             (f"vAttach;{VM + 1:x}", "no virtual machine with the ID 5000104"),
                             (f"vAttach;{HOST:x}", "attached to 5000000 already"),
                             ("vAttach;800000000", "nothing has the ID 34359738368")]:
            expect_in(wanted, client.ask(text))
        # As many as there are, again and again.
        for _ in range(100):
            expect(client.ask(f"vAttach;{VM:x}").startswith(f"T05thread:p{VM:x}.1;"), "attached")
            expect_equal(client.ask(f"D;{VM:x}"), "OK", "detached")


run_checks()
