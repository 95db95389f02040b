#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole dumps of virtual machines under KVM's structures through the years: both makers, every kind of page tables,
guests of guests, encrypted ones."""

import contextlib
import re
import subprocess
import tempfile

from kvm_machine import (DIRECT, HIGH, L2_MARK, L2_ROOT, LARGE, LOW, MARK, MARK_AT, MARKED, MMU_PAGE, MODES, POOL,
                         PRESENT, ROOT, SHAPES, SLOTS, STRUCT_PAGE, VCPU0, VM, VMCS, Machine, Tables, mmu_members,
                         nested)
from program import Server
from rsp import Client
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

FOLDER = tempfile.TemporaryDirectory()
VCPU, KVM = f"{VCPU0:#x}", f"{VM:#x}"


def make(machine, name):
    return machine.make(FOLDER.name, name)


@contextlib.contextmanager
def guest_of(dump):
    """The host's address and the guest's."""
    with Server("--guests", dump=dump.path, symbols=dump.kernel) as server:
        match = None
        while not match:
            match = re.match(r"listening on (\S+) for vm-200$", server.next_line())
        yield server.address, match.group(1)


def read_guest(address, at, length):
    """Bytes of guest virtual memory, or the error."""
    with Client(address) as client:
        client.no_acks()
        reply = client.ask(f"m{at:x},{length:x}")
        return reply if reply.startswith("E") else bytes.fromhex(reply)


def expect_mark(dump, at, mark=MARK):
    with guest_of(dump) as (_, guest):
        expect_equal(read_guest(guest, at, len(mark)), mark.encode(), f"memory at {at:#x}")


def check_shape(shape, vendor):
    machine = Machine(shape, vendor)
    dump = make(machine, f"shape-{shape}-{vendor}")
    vms, mmu, walk, low, high = dump.ask("vms", "mmu 0", f"walk 0 gva {machine.mark_at:x}", "ept 0")
    vcpu = vms["vcpus"][0]
    expect_equal((vms["kvm"], vms["pid"], vms["kind"]), (KVM, 200, "plain"), "the VM")
    expect_equal([v["id"] for v in vms["vcpus"]], [0, 1], "ids")
    expect_equal([(s["gpa"], s["size"], s["hva"]) for s in vms["slots"]],
                 [("0x0", 0xa0000, "0x7f0000000000"), ("0x100000", 0x100000, "0x7f0000100000")], "slots")
    expect_equal((vcpu["tid"], vcpu["root_hpa"], vcpu["exit_reason"], vcpu["nested"]),
                 (200, "0x19000000", "HLT", False), "vCPU 0")
    expect_equal((vcpu["rip"]["value"], vcpu["rip"]["from"]), ("0x8010", "regs"), "rip")
    expect_equal((vcpu["rsp"]["value"], vcpu["rsp"]["from"]),
                 ("0x7000", "stale" if vendor == "VMX" else "regs"), "rsp")
    expect_equal((vcpu["cr3"]["value"], vcpu["cr3"]["from"]),
                 ("0x1000", "regs" if vendor == "VMX" else "vmcb"), "cr3")
    expect_equal(vms["vcpus"][1]["state"], "never run", "vCPU 1")
    expect_equal((mmu["kind"], mmu["tdp"], mmu["level"], mmu["guest_level"], mmu["direct"], mmu["nested"]),
                 ("TDP", True, 4, 4, True, False), "mmu")
    expect_equal((mmu["root_page"]["kvm_mmu_page"], mmu["root_page"]["role"]["level"],
                  mmu["root_page"]["role"]["direct"]), (f"{MMU_PAGE:#x}", 4, 1), "the root's descriptor")
    if shape >= 519:
        expect_equal((mmu["root_role"]["level"], mmu["root_role"]["direct"], mmu["cpu_role.base"]["level"]),
                     (4, 1, 4), "roles")
    expect_equal((walk["guest"]["gpa"], walk["slot"]["hpa"], walk["nested"]["hpa"], walk["agree"]),
                 (f"{MARK_AT:#x}", f"{LOW + MARK_AT:#x}", f"{LOW + MARK_AT:#x}", True), "the walk")
    expect_equal(walk["nested"]["tables"], "EPT, 4 levels" if vendor == "VMX" else "long mode, 4 levels", "tables")
    expect_equal((low["gpa"], low["size"], low["hpa"], low["rights"]), ("0x0", 0xa0000, f"{LOW:#x}", "rwx"), "low")
    expect_equal((high["gpa"], high["size"], high["hpa"]), ("0x100000", 4096, f"{HIGH:#x}"), "high")


for _shape in SHAPES:
    for _vendor in ("VMX", "SVM"):
        check(f"{_vendor} as {_shape // 100}.{_shape % 100} has it: vms, mmu, walk, ept", 120)(
            lambda shape=_shape, vendor=_vendor: check_shape(shape, vendor))


@check("guests of every paging mode: by walk, and through their own target", 180)
def _():
    for mode, (_, _, _, levels, mark_at) in MODES.items():
        for shape, vendor in ((404, "VMX"), (601, "SVM")):
            dump = make(Machine(shape, vendor, mode), f"{mode}-{shape}")
            large = 2 << (22 if levels == 2 else 21)
            walk, big = dump.ask(f"walk 0 gva {mark_at:x}", f"walk 0 gva {large + MARK_AT if levels else MARK_AT:x}")
            expect_equal((walk["guest"]["gpa"], len(walk["guest"]["steps"])), (f"{MARK_AT:#x}", levels), mode)
            expect_equal((big["guest"]["gpa"], big["guest"]["page_size"]),
                         (f"{MARK_AT:#x}", 4096 if not levels else 4 << 20 if levels == 2 else 2 << 20), mode)
            expect_equal(walk["agree"], True, mode)
            expect_mark(dump, mark_at)


def states_of(dump):
    """What each place says that vCPU 0 does, by the place."""
    vms, vcpus, _, vcpu = dump.ask("vms", "vcpus", "vcpu 0")
    said = {"vms": vms["vcpus"][0]["state"], "vcpus": vcpus["state"], "vcpu": vcpu["state"]}
    with guest_of(dump) as (host, guest), Client(host) as on_host, Client(guest) as on_guest:
        said["vcpus, text"] = re.search(r"\d  (\w+( \w+)*) {2}", on_host.monitor("vcpus 200")[0]).group(1)
        said["vcpu, text"] = re.search(r"^state +([^,]+),", on_host.monitor("vcpu 0")[0], re.MULTILINE).group(1)
        table = on_host.ask("qXfer:osdata:read:vcpus:0,fff")
        said["info os"] = re.search(r'<column name="state">([^<]*)<', table).group(1)
        name = bytes.fromhex(on_host.ask("qThreadExtraInfo,c8")).decode()
        said["the host's thread"] = re.search(r"vm 200 vcpu 0, (.*)$", name).group(1)
        name = bytes.fromhex(on_guest.ask("qThreadExtraInfo,1")).decode()
        said["the guest's thread"] = re.fullmatch(r"CPU 0 \[(.*)\]", name).group(1)
        said["the guest's info"] = re.search(r"^CPU 0  \[(.*)\]", on_guest.monitor("info")[0], re.MULTILINE).group(1)
    return said


@check("every place says the same of what a vCPU does", 120)
def _():
    idle, vcpu = "put rq at pc0+runqueues: curr = idle0\n", f"put kvm_vcpu at {VCPU}:"
    for extra, state in (("", "in kernel"), (f"{vcpu} mode = 1\n", "in guest"),
                         (f"{idle}{vcpu} mode = 0 arch.mp_state = 3\n", "halted"),
                         (f"{idle}{vcpu} preempted = 1\n", "preempted"),
                         ("virt &task_struct(sh).preempt_notifiers: 0\n", "in user space")):
        machine = Machine(612)
        machine.extra = extra
        for place, said in states_of(make(machine, "state")).items():
            expect_equal(said, state, f"{place} (where it should be {state})")


@check("EPT of five levels")
def _():
    dump = make(Machine(601, "VMX", "long5", level=5), "ept5")
    mmu, walk, *ranges = dump.ask("mmu 0", f"walk 0 gva {MODES['long5'][4]:x}", "ept 0")
    expect_equal((mmu["level"], walk["nested"]["tables"], len(walk["nested"]["steps"]), walk["agree"]),
                 (5, "EPT, 5 levels", 5, True), "tables")
    expect_equal(len(ranges), 2, "ranges")


def entries_of(shape, more):
    """Ranges of gpa 0x200000 and on, where MORE(tables, link) has put entries; and walks there."""
    machine = Machine(shape)
    more(machine.tables, machine.tables.link)
    return make(machine, f"entries-{shape}")


@check("KVM's own kinds of entries: execute-only, access tracked, MMIO, removed")
def _():
    def more(tables, link):
        mark = link & MARKED
        tables.map(0x200000, HIGH + 0x1000 | 4 | mark)  # execute only
        tables.map(0x202000, HIGH + 0x2000 | 7 << 54 | mark)  # access tracked
        tables.map(0x204000, 0x5a0)  # removed
        tables.map(0x206000, 0x80000000000005a0)
        tables.map(0x208000, 0x80000000000001a0)
        tables.map(0x20a000, 0x200000 | 6)  # MMIO
        tables.map(0x20c000, HIGH + 0x3000 | 5 | mark)
        tables.map(0x400000, HIGH & ~0x1fffff | 0x37 | LARGE | mark, 2)

    for shape in (504, 515, 601, 703):
        dump = entries_of(shape, more)
        ranges = dump.ask("ept 0 200000..ffffff")
        tracked = [] if shape < 514 else [("0x202000", 4096, f"{HIGH + 0x2000:#x}", "rwx", True)]
        expect_equal([(r["gpa"], r["size"], r["hpa"], r["rights"], r.get("access_tracked", False)) for r in ranges],
                     [("0x200000", 4096, f"{HIGH + 0x1000:#x}", "--x", False), *tracked,
                      ("0x20c000", 4096, f"{HIGH + 0x3000:#x}", "r-x", False),
                      ("0x400000", 2 << 20, f"{HIGH:#x}", "rwx", False)], f"{shape}")
        walks = dump.ask(*(f"walk 0 gpa {gpa:x}" for gpa in (0x204000, 0x206000, 0x208000, 0x20a000)))
        expect_equal([walk["nested"].get("kind") for walk in walks], ["not present"] * 4, f"{shape}: walks")


@check("shadow MMU: tables are of guest virtual addresses, in long mode, PAE and two levels", 180)
def _():
    for mode in ("long", "pae", "legacy"):
        for shape in (404, 601):
            levels = {"long": 4, "pae": 3, "legacy": 3}[mode]
            mark = MARKED if shape >= 514 else 0
            machine = Machine(shape, "VMX", mode)
            at = machine.mark_at
            tables = Tables(ROOT, POOL, levels, 0x27 | mark)
            tables.map(at, LOW + MARK_AT | 0x67 | mark)
            # What shadow tables have for MMIO: a bit that no address may have.
            tables.map(at + 0x1000, 1 << 51 | 0x1000 | PRESENT if shape < 514 else 1 << 51 | 0x1001)
            machine.tables = tables
            machine.mmu_text = mmu_members(shape, machine.mmu, ROOT, levels, MODES[mode][3], 0)
            machine.extra = "virt tdp_enabled + s: u8 0\n"
            dump = make(machine, f"shadow-{mode}-{shape}")
            mmu, walk, *ranges = dump.ask("mmu 0", f"walk 0 gva {at:x}", "ept 0")
            expect_equal((mmu["kind"], mmu["level"], mmu["guest_level"], mmu["direct"]),
                         ("shadow", levels, MODES[mode][3], False), "mmu")
            expect_equal(walk["slot"]["hpa"], f"{LOW + MARK_AT:#x}", "by the guest's own")
            expect_in("shadow tables translate guest virtual", walk["nested"]["why"])
            expect_equal([(r["gva"], r["hpa"]) for r in ranges], [(f"{at:#x}", f"{LOW + MARK_AT:#x}")], mode)
            part, = dump.ask(f"ept 0 {at:x}..{at + 0xfff:x}")
            expect_equal(part["gva"], f"{at:#x}", f"{mode}: a part")
            expect_mark(dump, at)


# ---- guests of guests ----


@check("a guest's guest with nested paging: its own memory, and never the guest's for it", 180)
def _():
    for shape, vendor in ((404, "VMX"), (504, "VMX"), (601, "VMX"), (703, "VMX"), (504, "SVM"), (601, "SVM"),
                          (703, "SVM")):
        machine = nested(shape, vendor)
        dump = make(machine, f"nested-{shape}-{vendor}")
        what = f"{shape} {vendor}"
        vms, mmu, gva, gpa, vcpu = dump.ask("vms", "mmu 0", f"walk 0 gva {machine.mark_at:x}",
                                            f"walk 0 gpa {MARK_AT:x}", "vcpu 0")
        expect_equal(vms["vcpus"][0]["nested"], True, f"{what}: nested")
        expect_equal((mmu["nested"], mmu["root_hpa"]), (True, f"{L2_ROOT:#x}"), f"{what}: mmu")
        expect_equal((gva["of_guests_guest"], gva["guest"]["gpa"], gva["nested"]["hpa"], gva.get("slot")),
                     (True, f"{MARK_AT:#x}", f"{HIGH + MARK_AT:#x}", None), f"{what}: by virtual address")
        expect_equal(gpa["slot"]["hpa"], f"{LOW + MARK_AT:#x}", f"{what}: the guest's physical address")
        expect_in("the guest's own guest", gpa["nested"]["why"])
        expect("l1" in vcpu and vcpu["l1"], f"{what}: the guest's own state: {vcpu}")
        expect_mark(dump, machine.mark_at, L2_MARK)


@check("a guest's guest without nested paging: its tables are in the guest's memory")
def _():
    machine = nested(601, "VMX", tdp=False)
    dump = make(machine, "nested-shadow")
    walk, = dump.ask(f"walk 0 gva {machine.mark_at:x}")
    expect_equal((walk["of_guests_guest"], walk["slot"]["hpa"], walk["agree"]), (True, f"{LOW + MARK_AT:#x}", True),
                 "the walk")
    expect_mark(dump, machine.mark_at)


@check("a guest's guest whose tables are unknown: nothing of its memory is told")
def _():
    machine = nested(601, "VMX")
    machine.extra += f"put kvm_vcpu at {VCPU0:#x}: arch.guest_mmu.root.hpa = -1\n"
    dump = make(machine, "nested-unknown")
    done = dump.run(f"walk 0 gva {machine.mark_at:x}")
    expect_equal(done.returncode, 1, "status")
    expect_in("the guest runs a guest, and how that one's memory is translated is unknown", done.stderr)
    with guest_of(dump) as (_, guest):
        expect_in("E", read_guest(guest, machine.mark_at, 8))


# ---- encrypted ----

@check("encrypted guests: SEV, SEV-ES, SNP, TDX: called so, and never their bytes", 180)
def _():
    protected = f"put kvm_vcpu at {VCPU0:#x}: arch.guest_state_protected = 1\n"
    sev = f"put kvm_svm at {VM:#x}: sev_info.active = 1\n"
    for kind, shape, vendor, extra, state in (
            ("SEV", 515, "SVM", sev, False),
            ("SEV-ES", 601, "SVM", f"put kvm_svm at {VM:#x}: sev_info.active = 1 sev_info.es_active = 1\n" + protected,
             True),
            ("SEV", 612, "SVM", f"put kvm at {VM:#x}: arch.vm_type = 2\n", False),
            ("SNP", 612, "SVM", f"put kvm at {VM:#x}: arch.vm_type = 4\n" + protected, True),
            ("SNP", 601, "SVM", f"put kvm_svm at {VM:#x}: sev_info.active = 1 sev_info.es_active = 1"
             " sev_info.vmsa_features = 1\n" + protected, True),
            ("TDX", 703, "VMX", f"put kvm at {VM:#x}: arch.vm_type = 5\n", True)):
        machine = Machine(shape, vendor)
        machine.extra = extra
        dump = make(machine, f"{kind}-{shape}")
        vms, vcpu = dump.ask("vms", "vcpu 0")
        expect_equal((vms["kind"], vcpu["encrypted"]), (kind, state), kind)
        if state:
            expect_equal(vcpu.get("regs", {}), {}, f"{kind}: registers")
        walk = dump.run(f"walk 0 gva {machine.mark_at:x}")
        expect_in("encrypted", walk.stdout + walk.stderr)
        with guest_of(dump) as (_, guest):
            expect_in("E", read_guest(guest, machine.mark_at, 8))
            expect_in("E", read_guest(guest, MARK_AT, 8))


@check("a host that is KVM's own guest: registers from its VMCS, a struct vmcs12")
def _():
    for shape in (504, 601, 703):
        machine = Machine(shape)
        machine.avail = 0
        machine.extra = (f"put vmcs12 at {VMCS:#x}: revision_id = 0x11e57ed0 guest_rip = 0x9000 guest_rsp = 0x9100\n"
                         f"\tguest_rflags = 0x46 guest_cr3 = 0x1000\n")
        dump = make(machine, f"vmcs12-{shape}")
        vms, vcpu = dump.ask("vms", "vcpu 0")
        expect_equal((vms["vcpus"][0]["rip"], vms["vcpus"][0]["cr3"]),
                     ({"value": "0x9000", "from": "vmcs12"}, {"value": "0x1000", "from": "vmcs12"}), f"{shape}")
        expect_equal(vcpu["regs"]["rflags"], {"value": "0x46", "from": "vmcs12"}, f"{shape}: rflags")


# ---- private memory ----

FILE, INODE, MAPPING, NODES = (DIRECT + 0x181a0000 + i * 0x4000 for i in range(4))
PRIVATE, PRIVATE_AT, PRIVATE_MARK = 0x1c000000, 0x9000, "mark of private memory"


def folio(frame, index, mapping=MAPPING):
    """The struct page of a frame: who uses it says that it is page INDEX of the file."""
    at = STRUCT_PAGE + frame * 64
    return f"put folio at {at:#x}: mapping = {mapping:#x} index = {index}\n"


def private(vm_type=1, pages="", attribute=8 << 1 | 1):
    """Frame 9 of the guest is private: page 12 of the file, for the slot begins at page 3. What its owner has there
    is another mark."""
    machine = Machine(612)
    frame = PRIVATE >> 12
    machine.extra = (
        f"zero {FILE:#x} 64k\nzero phys {PRIVATE:#x} 64k\n"
        f"put kvm at {VM:#x}: arch.vm_type = {vm_type} mem_attr_array.xa_head = {NODES | 2:#x}\n"
        f"put xa_node at {NODES:#x}: shift = 0 slots[9] = {attribute:#x}\n"
        f"put kvm_memory_slot at {SLOTS:#x}: flags = 4 gmem.file = {FILE:#x} gmem.pgoff = 3\n"
        f"put file at {FILE:#x}: f_inode = {INODE:#x}\nput inode at {INODE:#x}: i_mapping = {MAPPING:#x}\n"
        f"put address_space at {MAPPING:#x}: i_pages.xa_head = {NODES + 0x1002:#x}\n"
        f"put xa_node at {NODES + 0x1000:#x}: shift = 6 slots[0] = {NODES + 0x2002:#x}\n"
        f"put xa_node at {NODES + 0x2000:#x}: shift = 0 slots[12] = {STRUCT_PAGE + frame * 64:#x}\n"
        f"use kernel\nmap {STRUCT_PAGE + frame * 64 & ~4095:#x} 0x18210000 4k nx\n" + folio(frame, 12)
        + f"phys {PRIVATE:#x}: \"{PRIVATE_MARK}\" u8 0\nphys {LOW + PRIVATE_AT:#x}: \"the owner's\" u8 0\n" + pages)
    # The guest has it at the page behind the mark's.
    tables = Tables(0x1000, 0x20000, 4, 0x27, LOW)
    for page in range(8, 12):
        tables.map(0xffffffff80000000 + (page << 12), page << 12 | 0x67)
    machine.guest = tables.text()
    return machine


def private_walk(name, machine):
    dump = make(machine, f"private-{name}")
    walk, = dump.ask(f"walk 0 gpa {PRIVATE_AT:x}")
    with guest_of(dump) as (_, guest):
        return walk, read_guest(guest, 0xffffffff80000000 + PRIVATE_AT, len(PRIVATE_MARK))


@check("guest_memfd: private pages are the file's, all others the owner's", 180)
def _():
    walk, data = private_walk("page", private())
    expect_equal((walk["slot"]["guest_memfd_page"], walk["slot"]["hpa"]), ("0xc", f"{PRIVATE:#x}"), "the walk")
    expect_equal(data, PRIVATE_MARK.encode(), "the page")
    expect_in("private (guest_memfd), page 0xc of the file", make(private(), "private-text").run(
        f"walk 0 gpa {PRIVATE_AT:x}").stdout)
    # Not private: other attributes, or none.
    for attribute in (0, 4 << 1 | 1):
        walk, data = private_walk(f"shared-{attribute}", private(attribute=attribute))
        expect_equal((walk["slot"]["hpa"], data[:11]), (f"{LOW + PRIVATE_AT:#x}", b"the owner's"), "shared")
    # One folio of four pages, of which the first has the entry.
    frame = PRIVATE >> 12
    large = (f"put xa_node at {NODES + 0x2000:#x}: slots[12] = {STRUCT_PAGE + (frame + 4) * 64:#x} slots[15] = {12 << 2 | 2}\n"
             f"put kvm_memory_slot at {SLOTS:#x}: gmem.pgoff = 6\n" + folio(frame + 4, 12)
             + f"phys {PRIVATE + 0x7000:#x}: \"{PRIVATE_MARK}\" u8 0\n")
    walk, data = private_walk("folio", private(pages=large))
    expect_equal((walk["slot"]["guest_memfd_page"], walk["slot"]["hpa"], data),
                 ("0xf", f"{PRIVATE + 0x7000:#x}", PRIVATE_MARK.encode()), "a folio")


@check("guest_memfd: what cannot be found is private, and never the owner's bytes", 180)
def _():
    frame = PRIVATE >> 12
    for name, pages in (
            ("absent", f"put xa_node at {NODES + 0x2000:#x}: slots[12] = 0\n"),
            ("value", f"put xa_node at {NODES + 0x2000:#x}: slots[12] = 0x1235\n"),
            ("no-file", f"put kvm_memory_slot at {SLOTS:#x}: gmem.file = 0\n"),
            ("foreign", folio(frame, 12, FILE)),
            ("other-index", folio(frame, 13)),
            ("no-page", f"put xa_node at {NODES + 0x2000:#x}: slots[12] = {STRUCT_PAGE + frame * 64 + 8:#x}\n"),
            ("loop", f"put xa_node at {NODES + 0x2000:#x}: shift = 6 slots[0] = {NODES + 0x2002:#x}\n"),
            ("attributes", f"put kvm at {VM:#x}: mem_attr_array.xa_head = 0xffffdead00000002\n"),
            ("attribute", f"put xa_node at {NODES:#x}: slots[9] = {FILE:#x}\n")):
        walk, data = private_walk(name, private(pages=pages))
        expect_in("private (guest_memfd)", walk["slot"]["why"])
        expect("hpa" not in walk["slot"] and "hva" not in walk["slot"], f"{name}: {walk}")
        expect(isinstance(data, str), f"{name}: {data}")
    walk, data = private_walk("snp", private(vm_type=4))
    expect_equal(walk["slot"]["hpa"], f"{PRIVATE:#x}", "where an SNP guest's is")
    expect(isinstance(data, str), "an encrypted guest's is not read")


# ---- stock gdb ----

def gdb(*arguments):
    done = subprocess.run([need_tool("gdb"), "-nx", "-batch", *arguments], check=False, capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


@check("gdb: the MMU's root by each kernel's path, and the guest's memory and registers", 180)
def _():
    for shape, path in ((404, "arch.mmu.root_hpa"), (515, "arch.mmu->root_hpa"), (703, "arch.mmu->root.hpa")):
        machine = Machine(shape)
        dump = make(machine, f"gdb-{shape}")
        with guest_of(dump) as (host, guest):
            text = gdb(dump.kernel, "-ex", f"target remote {host}", "-ex",
                       f"p/x ((struct kvm_vcpu *)$kvm_vcpu)->{path}", "-ex", "p/x $root_hpa", "-ex",
                       "p/x $guest_rip", "-ex", "p ((struct kvm_vcpu *)$kvm_vcpu)->vcpu_id")
            expect_equal(re.findall(r"^\$\d+ = (.*)$", text, re.MULTILINE),
                         [f"{ROOT:#x}", f"{ROOT:#x}", "0x8010", "0"], f"{shape}: {text}")
            text = gdb("-ex", f"target remote {guest}", "-ex", f"x/s {machine.mark_at:#x}", "-ex", "p/x $rip", "-ex",
                       "info threads")
            for part in (f'"{MARK}"', "= 0x8010", "CPU 1 [never run]"):
                expect_in(part, text)


run_checks()
