#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM's structures damaged, freed and half made, as whole dumps: what can be reached is shown, with a note; nothing
takes long or much memory, and every other client is served."""

import json
import os
import subprocess
import tempfile
import time

from kvm_machine import DIRECT, LOW, MARK_AT, ROOT, SETS, SLOTS, VCPU0, VCPU1, VM, XARRAY, Machine
from program import PROGRAM, SOURCE, Server, run_program
from recipes import MAKER
from rsp import Client
from tap import check, expect, expect_equal, expect_in, run_checks

FOLDER = tempfile.TemporaryDirectory()
NOWHERE = 0xffffdead00000000
SECONDS, BYTES = 60, 1 << 30  # of each run: what takes longer, or so much, is not bounded


def run(dump, *lines):
    """Monitor commands on a damaged dump: what was printed, as JSON, and said."""
    words = [word for line in lines for word in ("-x", line + " --json")]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, "-q", "--symbols", dump.kernel, *words, dump.path], stdout=out,
                                   stderr=errors, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        out.seek(0)
        errors.seek(0)
        said = errors.read()
        expect(process.returncode in (0, 1), f"{lines}: status {process.returncode}:\n{said}")
        expect(seconds < SECONDS, f"{lines}: {seconds:.1f} s")
        expect(used.ru_maxrss << 10 < BYTES, f"{lines}: {used.ru_maxrss >> 10} MiB")
        expect(len(said.splitlines()) <= len(lines), f"more than a sentence a command:\n{said}")
        return [json.loads(line) for line in out.read().splitlines()], said


def vms_of(documents):
    return [d for d in documents if "kvm" in d and "vcpus" in d]


def notes_of(documents):
    return "\n".join(note for d in documents for note in d.get("notes", []))


COMMANDS = ["vcpus", "vcpu 0", "mmu 0", f"walk 0 gva {0xffffffff80008000:x}", f"walk 0 gpa {MARK_AT:x}",
            "ept 0 --summary", "targets"]


def expect_left(name, shape, extra, note, vcpus, slots):
    """After the damage: what `vms` shows, and that all other commands end."""
    machine = Machine(shape)
    machine.extra = extra
    dump = machine.make(FOLDER.name, f"{name}-{shape}".replace(" ", "-"))
    documents, _ = run(dump, "vms")
    vms = vms_of(documents)
    if vcpus is None:
        expect_equal(vms, [], f"{name}: VMs")
    else:
        expect_equal([(len(vm["vcpus"]), len(vm["slots"])) for vm in vms], [(vcpus, slots)],
                     f"{name} ({shape}): vCPUs and slots; notes: {notes_of(documents)}")
    if note:
        expect_in(note, notes_of(documents))
    else:
        expect_equal(notes_of(documents), "", f"{name} ({shape}): notes")
    run(dump, *COMMANDS)


LIST = f"&kvm({VM:#x}).vm_list"
DAMAGES = [
    # name, shapes, statements, note, vCPUs and slots that are left
    ("vm_list leads nowhere", (404, 601), f"virt vm_list + s: {NOWHERE:#x} {NOWHERE:#x}\n", "vm_list) is damaged", 2, 2),
    ("vm_list leads to itself", (404, 601), f"virt {LIST}: ({LIST}) ({LIST})\n", "vm_list) is damaged", 2, 2),
    ("vm_list is empty memory", (404, 601), "virt vm_list + s: 0 0\n", "vm_list) is damaged", 2, 2),
    ("four billion vCPUs", (404, 515, 601), f"put kvm at {VM:#x}: online_vcpus.counter = 0xffffffff\n",
     "has 4294967295 vCPUs", 2, 2),
    ("a hundred thousand vCPUs", (404, 515, 601), f"put kvm at {VM:#x}: online_vcpus.counter = 100000\n",
     "has 100000 vCPUs", 2, 2),
    ("xarray in a circle", (601,), f"put xa_node at {XARRAY:#x}: slots[1] = {XARRAY | 2:#x}\n", "round in a circle", 1, 2),
    ("xarray of no level", (601,), f"put xa_node at {XARRAY:#x}: shift = 200\n", "its level makes no sense", 1, 2),
    ("xarray nowhere", (601,), f"put kvm at {VM:#x}: vcpu_array.xa_head = {NOWHERE | 2:#x}\n", "vCPUs is damaged", 1, 2),
    ("a vCPU twice", (601,), f"put xa_node at {XARRAY:#x}: slots[1] = {VCPU0:#x}\n", "it is there twice", 1, 2),
    ("a vCPU twice", (404,), f"put kvm at {VM:#x}: vcpus[1] = {VCPU0:#x}\n", "it is there twice", 1, 2),
    ("a freed vCPU", (404, 601), f"put kvm_vcpu at {VCPU1:#x}: kvm = 0x6b6b6b6b6b6b6b6b\n", "freed, damaged", 1, 2),
    ("a vCPU of zeros", (404, 601), f"put kvm_vcpu at {VCPU1:#x}: kvm = 0 vcpu_id = 0\n", "freed, damaged", 1, 2),
    ("a vCPU that is not in the dump", (404,), f"put kvm at {VM:#x}: vcpus[1] = {NOWHERE:#x}\n", "freed, damaged", 1, 2),
    ("a vCPU being made", (404, 601), f"put kvm at {VM:#x}: online_vcpus.counter = 1\n", None, 1, 2),
    ("a VM torn down", (404, 601), f"put kvm at {VM:#x}: mm = 0\n", "vm_list) is damaged", None, None),
    ("slots tree in a circle", (601, 703),
     f"put kvm_memory_slot at {SLOTS + 0x100:#x}: gfn_node[1].rb_left = &kvm_memory_slot({SLOTS:#x}).gfn_node[1]\n",
     "slots are damaged", 2, 2),
    ("slots tree of a third kind", (601,), f"put kvm_memslots at {SETS:#x}: node_idx = 9\n", "slots are damaged", 2, 0),
    ("slots tree nowhere", (601,), f"put kvm_memslots at {SETS:#x}: gfn_tree.rb_node = {NOWHERE:#x}\n",
     "slots are damaged", 2, 0),
    ("slots nowhere", (404, 515, 601), f"put kvm at {VM:#x}: memslots[0] = {NOWHERE:#x}\n", "slots are damaged", 2, 0),
    ("two billion slots", (404, 515), f"put kvm_memslots at {SETS:#x}: used_slots = 0x7fffffff\n", "slots are damaged",
     2, 2),
    ("a slot without end", (601,), f"put kvm_memory_slot at {SLOTS:#x}: npages = -1\n", "slots are damaged", 2, 1),
    ("a notifier that leads to itself", (404, 601),
     f"put kvm_vcpu at {VCPU0:#x}: preempt_notifier.ops = 1\n"
     f"\tpreempt_notifier.link.next = &kvm_vcpu({VCPU0:#x}).preempt_notifier.link\n", None, 2, 2),
    ("a thread nowhere", (404, 601), f"put kvm_vcpu at {VCPU0:#x}: pid = {NOWHERE:#x}\n", None, 2, 2),
    ("an MMU nowhere", (515, 601, 703), f"put kvm_vcpu at {VCPU0:#x}: arch.mmu = {NOWHERE:#x}\n", None, 2, 2),
    ("a role nowhere", (703,), f"put kvm_vcpu at {VCPU0:#x}: arch.root_mmu.w = {NOWHERE:#x}\n", None, 2, 2),
    ("a root outside of memory", (601,), f"put kvm_vcpu at {VCPU0:#x}: arch.root_mmu.root.hpa = 0x7ffffffff000\n", None,
     2, 2),
    ("levels that no tables have", (601,), f"put kvm_vcpu at {VCPU0:#x}: arch.root_mmu.root_role.word = 9\n", None, 2, 2),
    ("MMU roots in a circle", (515, 601),
     f"put kvm at {VM:#x}: arch.tdp_mmu_roots.next = {VM + 0x8000:#x}\nvirt {VM + 0x8000:#x}: {VM + 0x8000:#x}\n", None,
     2, 2),
    ("a VMCS nowhere", (404, 601, 703),
     f"put vcpu_vmx at {VCPU0:#x}: loaded_vmcs = {NOWHERE:#x} nested.cached_vmcs12 = {NOWHERE:#x}\n", None, 2, 2),
    ("a process without tables", (601,), f"put mm_struct at sh_mm: pgd = {NOWHERE:#x}\n", None, 2, 2),
]


def check_damage(damage):
    name, shapes, *rest = damage
    for shape in shapes:
        expect_left(name, shape, *rest)


for _damage in DAMAGES:
    check(_damage[0], 120)(lambda damage=_damage: check_damage(damage))


@check("a VMCB nowhere")
def _():
    for shape in (504, 601):
        machine = Machine(shape, "SVM")
        machine.extra = f"virt &vcpu_svm({VCPU0:#x}).vmcb: {NOWHERE:#x}\n"
        dump = machine.make(FOLDER.name, f"vmcb-{shape}")
        documents, _ = run(dump, "vms")
        vcpu = vms_of(documents)[0]["vcpus"][0]
        expect_equal((vcpu["rip"]["value"], vcpu.get("exit_reason")), ("0x8010", None), "vCPU 0")
        run(dump, *COMMANDS)


@check("guest page tables that loop, lead outside, or are not there")
def _():
    for name, entry, kind in (("loop", 0x1000 | 7, None), ("outside", 0x7ffff000 | 7, "not present"),
                              ("beyond", 0xffffffffff000 | 7, "not present"), ("none", 0, "not present")):
        machine = Machine(601)
        machine.extra = f"phys {LOW + 0x1000 + 511 * 8:#x}: {entry:#x}\n"
        dump = machine.make(FOLDER.name, f"guest-tables-{name}")
        (walk,), _ = run(dump, f"walk 0 gva {machine.mark_at:x}")
        if kind:
            expect_equal(walk["guest"].get("kind"), kind, name)
        expect(len(walk["guest"]["steps"]) <= 4, f"{name}: {walk}")


@check("EPT that leads back to its root, and outside of memory")
def _():
    machine = Machine(601)
    machine.tables.map(0x8000000000, ROOT | machine.tables.link, 4)
    machine.tables.map(0x10000000000, 0x7ffffff000 | machine.tables.link, 4)
    dump = machine.make(FOLDER.name, "ept-loop")
    (summary,), _ = run(dump, "ept 0 --summary")
    expect_equal((summary["bad_ranges"], summary["tables"]), (2, 5), "the list")


@check("modules of KVM without types: that is said, and all else works")
def _():
    recipe, path = f"{FOLDER.name}/untyped.recipe", f"{FOLDER.name}/untyped"
    with open(recipe, "w", encoding="ascii") as file:
        file.write('include "modern.recipe"\n')
    folders = ["-I", "tests/kernel", "-I", os.path.join(SOURCE, "tests/kernel")]
    subprocess.run([MAKER, *folders, recipe, path], check=True, timeout=20)
    kernel = os.path.abspath("tests/kernel/modern")
    done = run_program("-q", "--symbols", kernel, "-x", "vms", "-x", "vcpus", path)
    expect_equal(done.returncode, 0, "status")
    expect_equal(done.stdout, 2 * "no virtual machines: KVM is not loaded, or its symbols are unknown: there is no vm_list\n", "vms")
    done = run_program("-q", "--symbols", kernel, "-x", "ept 0", path)
    expect_equal((done.returncode, len(done.stderr.splitlines())), (1, 1), "ept")
    with Server("--guests", dump=path, symbols=kernel) as server, Client(server.address) as client:
        expect_equal(client.ask("qAttached"), "1", "the host")


@check("every VM a lie: ten thousand vCPUs that are one, and a list of VMs that never ends", 120)
def _():
    # Each claims the same table.
    count, at = 3000, DIRECT + 0x1c000000
    text = "".join(f"put kvm at {at + i * 0x1000:#x}: mm = sh_mm online_vcpus.counter = 4096"
                   f" vcpu_array.xa_head = {XARRAY | 2:#x} memslots[0] = {SETS:#x}\n" for i in range(count))
    text += f"list vm_list + s: {LIST}" + "".join(f" &kvm({at + i * 0x1000:#x}).vm_list" for i in range(count)) + "\n"
    machine = Machine(601)
    machine.extra = text
    dump = machine.make(FOLDER.name, "lies")
    documents, _ = run(dump, "vms")
    vms = vms_of(documents)
    expect_equal((len(vms), sum(len(vm["vcpus"]) for vm in vms)), (count + 1, 2), "VMs and vCPUs")
    expect(len(notes_of(documents).splitlines()) <= 101, "notes are bounded")


run_checks()
