#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the server's virtual machines with what drgn says of them, and with what guest/vmhost.c
has set up: its registers tell their VM and vCPU.

    check_kvm.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Exit status: 0 the same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

import qemu_registers
from oracle import check_main, json_lines, run

# vmhost.c: vCPU 0 of one VM spins in the guest, all others in these.
STATES = {0: {"in guest", "in kernel", "preempted", "halted"}, 1: {"halted"}, 2: {"in user space"},
          3: {"never run"}}
TELL_RBX, TELL_RBP = 0xb0b0b0b0b0b00000, 0xbeefbeefbeef0000
GUEST_MEM = 4 << 20
KEYS = ["vcpu", "id", "tid", "cpu", "requests", "root_hpa", "exit_code"]


def ask(dump, server, *commands):
    line = [*server, "-q"]
    for command in commands:
        line += ["-x", command]
    return json_lines(run([*line, *dump.files], "the server"), "the server")


def check_tell_tales(dump, vm, mine, lines):
    """Registers and states as the guest's program has set them up."""
    letters = set()
    for vcpu in vm["vcpus"]:
        regs = {name: int(value["value"], 16) for name, value in mine[vcpu["vcpu"]]["regs"].items()}
        tell = regs["rbx"] - TELL_RBX
        letters.add(tell >> 8)
        for name, value in {"rbp": TELL_RBP + tell, "cr3": 0x1000, "cr0": 0x80050033,
                            "efer": 0x500, "cr4": 0x20}.items():
            if regs[name] != value:
                lines.append(f"vCPU {vcpu['vcpu']}: {name} is {regs[name]:#x}, not {value:#x}")
        if tell & 0xff != vcpu["id"]:
            lines.append(f"vCPU {vcpu['vcpu']}: id {vcpu['id']}, its rbx is of {tell & 0xff}")
        # makedumpfile drops what it should keep of 6.12, task structures among it.
        lost = "tid" not in vcpu and vcpu["state"] == "unknown" and dump.entry["filtered"]
        if not lost and vcpu["state"] not in STATES[vcpu["id"]]:
            lines.append(f"vCPU {vcpu['vcpu']}: {vcpu['id']} is {vcpu['state']!r}")
        if "tid" in vcpu and vcpu["id"] == 3:
            lines.append(f"vCPU {vcpu['vcpu']} never ran, and has a thread")
    if len(letters) != 1 or len(vm["vcpus"]) != 4:
        lines.append(f"VM {vm['kvm']}: vCPUs of VMs {letters}")
    if [(slot["gpa"], slot["size"]) for slot in vm["slots"]] != [("0x0", GUEST_MEM)]:
        lines.append(f"VM {vm['kvm']}: slots are {vm['slots']}")


def check_vcpu(dump, theirs, mine, lines):
    for key in KEYS:
        if mine.get(key) != theirs.get(key):
            lines.append(f"vCPU {theirs['vcpu']}: {key} is {mine.get(key)}, drgn says "
                         f"{theirs.get(key)}")
    in_guest = dump.cpus and dump.cpus[mine["cpu"]].in_guest if "cpu" in mine else False
    if mine["in_guest"] and not in_guest:
        lines.append(f"vCPU {theirs['vcpu']} is in its guest, QEMU says it is not")
    if mine["in_guest"]:
        check_inside(dump, mine, lines)
        return
    for name, value in theirs["regs"].items():
        got = mine["regs"].get(name, {})
        if got.get("value") != value:
            lines.append(f"vCPU {theirs['vcpu']}: {name} is {got}, drgn says {value}")
        if (got.get("from") == "stale") != mine["stale"]:
            lines.append(f"vCPU {theirs['vcpu']}: {name} is from {got.get('from')}")


def check_inside(dump, mine, lines):
    """The CPU was inside the guest: its registers are those that QEMU had at that moment."""
    registers = dump.path(dump.entry["oracle"]["registers"])
    for name, value in qemu_registers.read_guest(registers, mine["cpu"]).items():
        got = mine["regs"].get(name, {})
        if got != {"value": hex(value), "from": "note"}:
            lines.append(f"vCPU {mine['vcpu']}: {name} is {got}, QEMU says {value:#x}")
    if mine["regs"]["efer"]["from"] not in ("vmcb", "regs"):
        lines.append(f"vCPU {mine['vcpu']}: efer is {mine['regs']['efer']}")


def check_threads(dump, server, vms, lines):
    """Threads say which vCPU they run, and only they."""
    wanted = {vcpu["tid"]: vcpu["vcpu"] for vm in vms for vcpu in vm["vcpus"] if "tid" in vcpu}
    got = {row["tid"]: row["vcpu"] for row in ask(dump, server, "threads --json") if "vcpu" in row}
    if got != wanted:
        lines.append(f"threads of vCPUs are {got}, not {wanted}")


def check(dump, server):
    lines = []
    spinning = dump.cpus and any(cpu.in_guest for cpu in dump.cpus.values())
    theirs = {vm["kvm"]: vm for vm in dump.ask_drgn("oracle_drgn_kvm.py")}
    vms = ask(dump, server, "vms --json")
    if theirs and {vm["kvm"] for vm in vms} != set(theirs):
        lines.append(f"VMs are {[vm['kvm'] for vm in vms]}, drgn says {list(theirs)}")
    if not vms:
        lines.append("no VMs were found")
    for vm in vms:
        mine = {row["vcpu"]: row for row in
                ask(dump, server, *(f"vcpu {vcpu['vcpu']} --json" for vcpu in vm["vcpus"]))}
        check_tell_tales(dump, vm, mine, lines)
        told = theirs.get(vm["kvm"])
        if not told:
            continue
        if vm["pid"] != told["pid"]:
            lines.append(f"VM {vm['kvm']}: pid is {vm['pid']}, drgn says {told['pid']}")
        slots = [{key: slot[key] for key in ["as", "id", "gpa", "size", "hva"]}
                 for slot in vm["slots"]]
        if slots != told["slots"]:
            lines.append(f"VM {vm['kvm']}: slots are {slots}, drgn says {told['slots']}")
        for vcpu in told["vcpus"]:
            check_vcpu(dump, vcpu, mine.get(vcpu["vcpu"], {"regs": {}, "in_guest": False,
                                                            "stale": False}), lines)
    if spinning and not any(vcpu["rip"]["from"] == "note" for vm in vms for vcpu in vm["vcpus"]):
        lines.append("a CPU was in its guest, and no vCPU has its registers")
    check_threads(dump, server, vms, lines)
    return lines


if __name__ == "__main__":
    check_main(__doc__, check)
