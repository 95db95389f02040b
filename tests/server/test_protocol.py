# SPDX-License-Identifier: GPL-2.0-or-later
"""What the protocol says of the demo dump: exact values."""

import struct
import subprocess
import xml.etree.ElementTree as xml

from program import DUMP, Server
from rsp import Client, unescape
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

TIDS = [1, 2, 103, 110, 10000000, 10000001]
LLDB = "qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+"
FAULT = "E0e"

STACK = 0xffff88003e5e8000
STACK_END = STACK + 0x4000
USER_CODE = 0x7f0b9c4b3100
USER_STACK = 0x7f0b977fd9a8

# By thread: what the recipe gives. A register that is not named is not known.
SEGMENTS = {"ds": 0, "es": 0, "fs": 0, "gs": 0, "cs": 0x10, "ss": 0x18}
SCHEDULE = 0xffffffff816a9214
TASKS = {1: 0xffff88017c8e0000, 2: 0xffff88017c8e1000, 103: 0xffff88017a2b0000,
         110: 0xffff88017a2b2500, 10000001: 0xffff88017c940000}
# What is no processor's register: the structures, and those of the guest that are not stale.
GUEST = {"kvm": 0xffff8803e0e40000, "kvm_vcpu": 0xffff88043ea73280, "root_hpa": 0x5308000,
         "guest_rip": 0x8010, "guest_rax": 0xa0a0, "guest_rbx": 0xb0b0b0b0, "guest_rcx": 0xc0c0,
         "guest_rdx": 0xd0d0, "guest_rsi": 0x5151, "guest_rdi": 0xd1d1, "guest_rbp": 0xbeefbeef,
         **{f"guest_r{n}": 0 for n in range(8, 16)}, "guest_cr0": 0x80050033, "guest_cr2": 0,
         "guest_cr4": 0x2020, "guest_efer": 0xd01}
REGISTERS = {
    1: {"rip": SCHEDULE, "rsp": 0xffff88017c8dbdb8, "rbp": 0xffff88017c8dbe18, "eflags": 0x246},
    2: {"rip": SCHEDULE, "rsp": 0xffff88017c8dfe90, "rbp": 0xffff88017c8dfef0, "eflags": 0x246},
    103: {"rip": SCHEDULE, "rsp": 0xffff88003e5f3d68, "rbp": 0xffff88003e5f3dc8, "eflags": 0x246},
    110: {"rip": 0xffffffffc07a21a8, "rsp": 0xffff88003e5ebcd0, "rbp": 0xffff88003e5ebd00,
          "rbx": 0xffff88043ea73280, "r12": 0x5308000, "r13": 0, "r14": 0xffff8803e0e40000,
          "r15": 0xffff8800ab5e1700, "rax": 0xffffffffc07a2190, "rcx": 0xffff880005308000,
          "rdx": 0x5308000, "rsi": 0x5308000, "rdi": 0xffff88043ea73280, "r8": 8, "r9": 9,
          "r10": 10, "r11": 11, "orig_rax": 0xffffffffffffffff, "eflags": 0x282,
          "fs_base": 0x7f0b977fe700, "gs_base": 0xffff88043ec00000, **SEGMENTS},
    10000000: {"rip": SCHEDULE, "rsp": 0xffffffff8180fef0, "rbp": 0xffffffff8180ff50,
               "eflags": 0x46},
    10000001: {"rip": 0xffffffff810e7006, "rsp": 0xffff88017c94bf58, "rbp": 0xffff88017c94bf58,
               "rbx": 0xffff88017c948000, "r12": 1, "r13": 0xffff88017c948000, "r14": 0, "r15": 0,
               "rax": 0, "rcx": 0, "rdx": 0, "rsi": 0, "rdi": 0, "r8": 0, "r9": 0, "r10": 0,
               "r11": 0, "orig_rax": 0xffffffffffffffff, "eflags": 0x246, "fs_base": 0,
               "gs_base": 0xffff88043ec40000, **SEGMENTS},
}


def check_with_client(description):
    """A check that is given a client of its own."""
    def register(function):
        @check(description)
        def _():
            with Server() as server, Client(server.address) as client:
                function(client)
        return function
    return register


def described_registers(client):
    """(name, bytes) of every register, as target.xml has them: in the order of `g`."""
    tree = xml.fromstring(client.document("features", "target.xml"))
    return [(reg.get("name"), int(reg.get("bitsize")) // 8) for reg in tree.iter("reg")]


def vmcoreinfo_of(path):
    """The text of VMCOREINFO, by the ELF file's own headers."""
    with open(path, "rb") as file:
        data = file.read()
    at, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for header in range(at, at + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, header)
        end = offset + length
        while kind == 4 and offset < end:
            name_size, desc_size, _ = struct.unpack_from("<III", data, offset)
            name = data[offset + 12:offset + 12 + name_size]
            offset += 12 + (name_size + 3 & ~3)
            if name == b"VMCOREINFO\0":
                return data[offset:offset + desc_size]
            offset += desc_size + 3 & ~3
    raise AssertionError("the dump has no VMCOREINFO")


@check_with_client("the attach of gdb 13, packet by packet")
def _(client):
    supported = client.ask("qSupported:multiprocess+;swbreak+;xmlRegisters=i386").split(";")
    expect_equal(supported[0], "PacketSize=100000", "the packet size")
    for token in ["QStartNoAckMode+", "qXfer:features:read+", "qXfer:threads:read+",
                  "binary-upload+", "qXfer:vmcoreinfo:read+"]:
        expect_in(token, supported)
    expect_equal(client.ask("vMustReplyEmpty"), "", "vMustReplyEmpty")
    expect_equal(client.no_acks(), "OK", "QStartNoAckMode")
    for packet, reply in [("!", "OK"), ("Hg0", "OK"), ("qTStatus", ""), ("qAttached", "1"),
                          ("Hc-1", "OK"), ("qOffsets", "TextSeg=ffffffff81000000"),
                          ("qSymbol::", "OK"), ("vCont?", ""), ("qC", "QC6e")]:
        expect_equal(client.ask(packet), reply, packet)
    stop = client.ask("?")
    expect(stop.startswith("T05thread:6e;core:0;"), stop)
    expect_in("10:a8217ac0ffffffff;", stop)


@check_with_client("registers of every thread: g, and p one by one")
def _(client):
    described = described_registers(client)
    for tid in TIDS:
        expect_equal(client.ask(f"Hg{tid:x}"), "OK", "Hg")
        rest, known = client.ask("g"), {}
        for number, (name, size) in enumerate(described):
            value, rest = rest[:2 * size], rest[2 * size:]
            expect_equal(client.ask(f"p{number:x}"), value, f"thread {tid}: p of {name}")
            if value != "xx" * size:
                known[name] = int.from_bytes(bytes.fromhex(value), "little")
        expect_equal(rest, "", "what is left of g")
        wanted = {**REGISTERS[tid], "task": TASKS.get(tid, known.get("task"))}
        if tid == 110:
            wanted.update(GUEST)
        expect_equal(known, wanted, f"thread {tid}: what is known")
    for packet in ["p", "p100", "pffffffffffffffff", "p1,2"]:
        expect(client.ask(packet).startswith("E"), f"{packet} is no error")


@check_with_client("threads: selected, alive, listed, named")
def _(client):
    listed = client.ask("qfThreadInfo")
    expect_equal(listed, "m" + ",".join(f"{tid:x}" for tid in TIDS), "qfThreadInfo")
    expect_equal(client.ask("qsThreadInfo"), "l", "qsThreadInfo")
    for tid in TIDS:
        expect_equal(client.ask(f"T{tid:x}"), "OK", f"T{tid:x}")
    for tid in ["3", "7fffffff", "", "-1", "0", "zz", "10000000000000067"]:
        expect(client.ask(f"T{tid}").startswith("E"), f"T{tid} is alive")
    for tid in ["3", "ffffffffffffffff", "", "x", "67x", "10000000000000067"]:
        expect(client.ask(f"Hg{tid}").startswith("E"), f"Hg{tid} is taken")
    expect_equal(client.ask("qC"), "QC6e", "the selected thread")
    expect_equal(bytes.fromhex(client.ask("qThreadExtraInfo,6e")),
                 b"CPU 0/KVM [running on 0] vm 103 vcpu 0, in kernel",
                 "qThreadExtraInfo")
    tree = xml.fromstring(client.document("threads"))
    got = [(int(t.get("id"), 16), t.get("core"), t.get("name")) for t in tree]
    expect_equal(got, [(1, "1", "systemd [sleeping]"), (2, "0", "kthreadd [sleeping]"),
                       (103, "1", "qemu-kvm [sleeping]"),
                       (110, "0", "CPU 0/KVM [running on 0] vm 103 vcpu 0, in kernel"),
                       (10000000, "0", "swapper/0 [runnable]"),
                       (10000001, "1", "swapper/1 [running on 1]")], "qXfer:threads")


@check_with_client("documents are the same in parts of any size")
def _(client):
    for name, annex in [("features", "target.xml"), ("threads", ""), ("vmcoreinfo", "")]:
        whole = client.document(name, annex, 0x80000)
        expect_equal(client.document(name, annex, 7), whole, f"{name}: in small parts")
        size = len(whole)
        expect_equal(client.ask(f"qXfer:{name}:read:{annex}:{size:x},10"), "l", "at the end")
        for offset in [f"{size + 1:x}", "ffffffffffffffff"]:
            expect(client.ask(f"qXfer:{name}:read:{annex}:{offset},10").startswith("E"),
                   f"{name}: beyond the end")
        expect(client.ask(f"qXfer:{name}:read:nonsense:0,10").startswith("E"), "another annex")
    expect_equal(client.ask("qXfer:nonsense:read::0,10"), "", "no such object")
    expect_equal(client.ask("qXfer:threads:write::0:00"), "", "writing")


@check_with_client("target.xml and the thread list are XML to xmllint")
def _(client):
    xmllint = need_tool("xmllint")
    for name, annex in [("features", "target.xml"), ("threads", "")]:
        done = subprocess.run([xmllint, "--nonet", "--noout", "-"], capture_output=True,
                              input=client.document(name, annex), check=False, timeout=10)
        expect_equal((done.returncode, done.stderr), (0, b""), f"{name}: xmllint's opinion")


@check_with_client("target.xml is a kernel's: no operating system, x87 as gdb wants it")
def _(client):
    tree = xml.fromstring(client.document("features", "target.xml"))
    expect_equal((tree.findtext("architecture"), tree.findtext("osabi")), ("i386:x86-64", "none"),
                 "architecture and osabi")
    expect_equal([f.get("name") for f in tree.iter("feature")],
                 ["org.gnu.gdb.i386.core", "org.gnu.gdb.i386.segments", "org.gnu.gdb.i386.linux",
                  "org.vmcore-gdbserver.kvm", "org.vmcore-gdbserver.system"],
                 "features")
    names = [reg.get("name") for reg in tree.iter("reg")]
    expect_equal(names[24:32], [f"st{n}" for n in range(8)], "x87")
    ours = [reg for feature in tree.findall("feature")[3:] for reg in feature.iter("reg")]
    expect_equal({reg.get("save-restore") for reg in ours}, {"no"},
                 "save-restore of what no function keeps")


@check_with_client("VMCOREINFO, in both ways")
def _(client):
    wanted = vmcoreinfo_of(DUMP)
    expect_in(b"OSRELEASE=3.10.0-693.el7.x86_64\n", wanted)
    expect_equal(client.document("vmcoreinfo"), wanted, "qXfer:vmcoreinfo")
    reply = client.ask("qlinux.vmcoreinfo").encode("latin-1")
    expect_equal((reply[:1], unescape(reply[1:])), (b"Q", wanted), "qlinux.vmcoreinfo")


@check_with_client("memory: what is there, and nothing invented where it is not")
def _(client):
    for packet, reply in [
            (f"m{STACK + 0x3cd0:x},10", "8032a73e0488ffff48bd5e3e0088ffff"),
            ("mffffffff81800000,5", b"Linux".hex()),
            (f"m{STACK_END - 8:x},10", "2b00000000000000"),
            (f"m{STACK_END:x},8", FAULT),
            ("m0,8", FAULT), ("m0,ffffffffffffffff", FAULT),
            ("mffffffffffffffff,1", FAULT), ("mffffffffffffffff,2", FAULT),
            ("mffffffffffffffff,ffffffffffffffff", FAULT), ("mfffffffffffffff0,20", FAULT),
            ("m800000000000,8", FAULT), ("mffff7fffffffffff,8", FAULT),
            ("m7fffffffffff,2", FAULT)]:
        expect_equal(client.ask(packet), reply, packet)
    for packet in ["m", "m0", "m0,", "m,8", "m0,0", "m0,8,8", "mx,8", "m10000000000000000,8",
                   f"m{STACK:x},10000000000000000", "m-1,8", "m0,-8"]:
        expect(client.ask(packet).startswith("E"), f"{packet} is no error")
    whole = client.ask(f"m{STACK:x},4000")
    expect_equal(len(whole), 0x8000, "a stack's digits")
    for length in ["80000", "fffff", "ffffffffffffffff"]:
        expect_equal(client.ask(f"m{STACK:x},{length}"), whole, f"{length} bytes from a stack on")


@check_with_client("memory in binary is the same")
def _(client):
    for address in [STACK, STACK + 0x3cd0, STACK_END - 8]:
        text = bytes.fromhex(client.ask(f"m{address:x},1000"))
        reply = client.ask(f"x{address:x},1000").encode("latin-1")
        expect_equal((reply[:1], unescape(reply[1:])), (b"b", text), f"x at {address:#x}")
    expect_equal(client.ask(f"x{STACK_END:x},8"), FAULT, "a hole")
    expect_equal(client.ask(f"x{STACK:x},0"), "b", "nothing")


@check_with_client("the lower half of memory is the selected thread's")
def _(client):
    for tid, known in [(103, True), (110, True), (1, False), (2, False), (10000000, False),
                       (10000001, False)]:
        expect_equal(client.ask(f"Hg{tid:x}"), "OK", "Hg")
        expect_equal(client.ask(f"m{USER_CODE:x},7"), "b8100000000f05" if known else FAULT,
                     f"code as thread {tid} sees it")
        expect_equal(client.ask(f"m{USER_STACK:x},8"), "10abc147d2550000" if known else FAULT,
                     f"a stack as thread {tid} sees it")
        expect_equal(client.ask("mffffffff81800000,5"), b"Linux".hex(), "the kernel's")


@check_with_client("lldb: whose lower half it reads it does not say, so that it gets none")
def _(client):
    client.ask(LLDB)
    expect_equal(client.ask("Hg67"), "OK", "Hg")
    expect_equal(client.ask(f"m{USER_CODE:x},7"), FAULT, "a read")
    expect_equal(client.ask("mffffffff81800000,5"), b"Linux".hex(), "the kernel's")


@check_with_client("lldb: the attach")
def _(client):
    client.no_acks()
    expect_in("PacketSize=100000", client.ask(LLDB))
    for packet in ["QThreadSuffixSupported", "QListThreadsInStopReply", "QEnableErrorStrings"]:
        expect_equal(client.ask(packet), "OK", packet)
    expect_in("triple:" + b"x86_64-unknown-linux-gnu".hex(), client.ask("qHostInfo"))
    expect_in("pid:1;", client.ask("qProcessInfo"))
    expect_equal(client.ask("qOffsets"), "Text=0;Data=0;Bss=0", "qOffsets")
    stop = client.ask("?")
    expect_in("description:" + b"Kernel panic - not syncing: Hard LOCKUP".hex(), stop)
    expect_in("threads:1,2,67,6e,989680,989681;", stop)
    client.ask("p0;thread:67;")
    expect_equal(client.ask("p0;thread:67;"), "E45", "a register that is not known")
    expect_equal(client.ask("p10;thread:67;"), "14926a81ffffffff", "one that is")
    threads = client.ask("jThreadsInfo")
    expect_in('"tid":110', threads)
    expect_in("T00thread:67;", client.ask("qThreadStopInfo67"))


@check_with_client("searches: found, not found, over holes, over page borders")
def _(client):
    for packet, reply in [
            ("qSearch:memory:ffffffff81800000;100;3.10.0-693", "1,ffffffff8180000e"),
            ("qSearch:memory:ffffffff81800000;100;no such thing", "0"),
            ("qSearch:memory:ffff880000000000;500000000;hello from the guest",
             "1,ffff880200008000"),
            (f"qSearch:memory:{STACK_END:x};8;x", FAULT),
            ("qSearch:memory:0;1000;x", FAULT)]:
        expect_equal(client.ask(packet), reply, packet)
    for packet in ["qSearch:memory:", "qSearch:memory:0;0;x", "qSearch:memory:0;8;",
                   "qSearch:memory:x;8;x"]:
        expect(client.ask(packet).startswith("E"), f"{packet} is no error")
    client.ask("Hg67")
    expect_equal(client.ask("qSearch:memory:0;ffffffffffffffff;the vCPU thread's user stack"),
                 f"1,{USER_STACK + 8:x}", "the whole space of a process")


@check_with_client("what would change or run something is refused, and all goes on")
def _(client):
    for packet in ["G00", "P0=00", "Mffffffff81800000,1:00", "Xffffffff81800000,1:a",
                   "P10=00"]:
        expect(client.ask(packet).startswith("E"), f"{packet} is no error")
    for packet in ["Z0,ffffffff81800000,1", "Z1,ffffffff81800000,1", "z0,ffffffff81800000,1"]:
        expect_equal(client.ask(packet), "OK", packet)
    for packet in ["c", "s", "C05", "S05", "vCont;c", "vCont;s:6e"]:
        text = client.ask(packet)
        expect_in("it cannot run", bytes.fromhex(text[1:]).decode())
        expect_equal(client.reply(), b"T00thread:6e;", f"{packet}: the stop reply")
    expect_equal(client.ask("mffffffff81800000,5"), b"Linux".hex(), "memory")


run_checks()
