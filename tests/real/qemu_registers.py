# SPDX-License-Identifier: GPL-2.0-or-later
"""The CPUs of a paused machine as QEMU shows them, by its monitor and by its gdb stub."""

import re

NAMES = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]
CPU_HEADING = re.compile(r"^CPU#(\d+)$", re.MULTILINE)
CPL = re.compile(r"CPL=(\d)")

# What the programs in guest/ give their guests: the CPU was inside one, or had just left it.
GUEST_RBX_MARK = 0xb0b0b0b0b0b00000
GUEST_CODE = range(0x100000, 0x101000)
GUEST_CODE_HIGH = range(0xffffffff81100000, 0xffffffff81101000)


class Cpu:
    """One CPU's registers."""

    def __init__(self, regs, cpl):
        self.regs = regs
        self.cpl = cpl

    @property
    def in_guest(self):
        marked = self.regs["rbx"] & ~0xffff == GUEST_RBX_MARK
        return marked and (self.regs["rip"] in GUEST_CODE or self.regs["rip"] in GUEST_CODE_HIGH)


def monitor_value(text, name):
    match = re.search(rf"\b{name.upper()}\s*=([0-9a-f]{{16}})", text)
    if match is None:
        raise ValueError(f"QEMU's monitor shows no {name}")
    return int(match.group(1), 16)


# What a guest's debugger asks for, by the monitor's names; segments have a selector and a base.
GUEST_NAMES = {**{name: name.upper() for name in
                  ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "rip"]},
               **{f"r{number}": f"R{number}" for number in range(8, 16)},
               "rflags": "RFL", "cr0": "CR0", "cr2": "CR2", "cr3": "CR3", "cr4": "CR4"}
SEGMENTS = ["cs", "ss", "ds", "es", "fs", "gs"]


def read_guest(path, cpu):
    """{register: value} of a CPU inside a guest, under the names of `monitor vcpu`; cr2 and gs_base
    and the like too. EFER is not among them: there it is the processor's, with KVM's own bits."""
    with open(path, encoding="utf-8") as file:
        parts = CPU_HEADING.split(file.read())
    text = parts[2 + 2 * parts[1::2].index(str(cpu))]
    regs = {name: int(re.search(rf"\b{shown}\s*=([0-9a-f]+)", text).group(1), 16)
            for name, shown in GUEST_NAMES.items()}
    for name in SEGMENTS:
        selector, base = re.search(rf"^{name.upper()} =([0-9a-f]+) ([0-9a-f]+)", text,
                                   re.MULTILINE).groups()
        regs[name] = int(selector, 16)
        if name in ("cs", "fs", "gs"):
            regs[f"{name}_base"] = int(base, 16)
    for name in ["gdt", "idt"]:
        base, limit = re.search(rf"^{name.upper()}= +([0-9a-f]+) ([0-9a-f]+)", text,
                                re.MULTILINE).groups()
        regs[f"{name}r"], regs[f"{name}r_limit"] = int(base, 16), int(limit, 16)
    return regs


def read_monitor(path):
    """{cpu number: Cpu} from the text of "info registers -a"."""
    with open(path, encoding="utf-8") as file:
        parts = CPU_HEADING.split(file.read())
    return {int(number): Cpu({name: monitor_value(text, name) for name in NAMES},
                             int(CPL.search(text).group(1)))
            for number, text in zip(parts[1::2], parts[2::2])}


def read_system(path):
    """{cpu number: what `monitor r` prints of it, EFER aside, which is in no note}"""
    with open(path, encoding="utf-8") as file:
        parts = CPU_HEADING.split(file.read())
    said = {}
    for number, text in zip(parts[1::2], parts[2::2]):
        lines = [f"{name.lower()}={int(re.search(rf'{name}=([0-9a-f]+)', text).group(1), 16):#x}"
                 for name in ["CR0", "CR2", "CR3", "CR4"]]
        for name in ["GDT", "IDT"]:
            base, limit = re.search(rf"^{name}= +([0-9a-f]+) ([0-9a-f]+)", text, re.MULTILINE).groups()
            lines.append(f"{name.lower()}r base={int(base, 16):#x} limit={int(limit, 16):#x}")
        said[int(number)] = lines
    return said


def read_gdb(path):
    """{cpu number: {register: value}} from gdb's "thread apply all info registers"."""
    with open(path, encoding="utf-8") as file:
        parts = re.split(r"^Thread [\d.]+ .*CPU#(\d+).*$", file.read(), flags=re.MULTILINE)
    cpus = {}
    for number, text in zip(parts[1::2], parts[2::2]):
        values = dict(re.findall(r"^(\w+)\s+(0x[0-9a-f]+)", text, flags=re.MULTILINE))
        cpus[int(number)] = {name: int(values[name], 16) for name in NAMES}
    return cpus


def read(monitor_path, gdb_path):
    """{cpu number: Cpu}; raises ValueError where QEMU's two views differ: one is then no oracle."""
    cpus = read_monitor(monitor_path)
    by_gdb = read_gdb(gdb_path)
    if {number: cpu.regs for number, cpu in cpus.items()} != by_gdb:
        raise ValueError(f"{monitor_path} and {gdb_path} show different registers")
    return cpus
