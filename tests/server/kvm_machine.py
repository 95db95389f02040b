# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of hosts with a virtual machine, whose structures are those of a chosen kernel (tests/kvm/generations.c).

The VM is sh's (200): 640 KiB from guest physical address 0 and 1 MiB from 0x100000, vCPU 0 in use and vCPU 1, which
never ran. Tables of KVM and of the guest are written entry by entry.
"""

import json
import os
import subprocess

from program import PROGRAM, SOURCE
from recipes import MAKER
from tap import Skip, expect_equal

SHAPES = [404, 504, 515, 601, 612, 703]
DIRECT = 0xffff888000000000
VM, VCPU0, VCPU1 = DIRECT + 0x18100000, DIRECT + 0x18110000, DIRECT + 0x18120000
VMCB, SETS, SLOTS = DIRECT + 0x18130000, DIRECT + 0x18140000, DIRECT + 0x18150000
XARRAY, VMCS, MMU_PAGE = DIRECT + 0x18170000, DIRECT + 0x18180000, DIRECT + 0x18190000
STRUCT_PAGE = 0xffffea0000000000
ROOT, POOL = 0x19000000, 0x19001000
LOW, HIGH = 0x1a000000, 0x1b000000  # the guest's memory, in the host's
HVA = 0x7f0000000000
MARK = "mark of the guest"
MARK_AT = 0x8000

# EPT entries, of KVM since 5.14 (bit 11) and before.
RWX, MARKED, LARGE = 7, 0x800, 0x80
PRESENT = 1


class Tables:
    """Page tables at physical addresses from ROOT on; those below come from POOL. BASE is added to where they are
    written, for tables that are a guest's."""

    def __init__(self, root, pool, levels, link, base=0, entry_bytes=8):
        self.root, self.pool, self.levels, self.link, self.base = root, pool, levels, link, base
        self.bytes, self.bits = entry_bytes, 9 if entry_bytes == 8 else 10
        self.entries = {}

    def _slot(self, table, level, address):
        index = address >> (12 + (level - 1) * self.bits) & ((1 << self.bits) - 1)
        return table + index * self.bytes

    def map(self, address, entry, level=1):
        table = self.root
        for above in range(self.levels, level, -1):
            at = self._slot(table, above, address)
            if at not in self.entries:
                # The top of PAE's three has no rights.
                bits = 1 if self.levels == 3 and above == 3 else self.link
                self.entries[at] = self.pool | bits
                self.pool += 4096
            table = self.entries[at] & 0xffffffffff000
        self.entries[self._slot(table, level, address)] = entry

    def text(self):
        pages = {self.root & ~4095} | {at & ~4095 for at in self.entries}
        out = [f"zero phys {self.base + page:#x} 4k" for page in sorted(pages)]
        width = "u32 " if self.bytes == 4 else ""
        out += [f"phys {self.base + at:#x}: {width}{value:#x}" for at, value in sorted(self.entries.items())]
        return "\n".join(out) + "\n"


# The guest's ways to have its memory at an address: cr0, cr4, efer, tables' levels, and where the mark then is.
PG, PE = 1 << 31, 1
MODES = {
    "long": (PG | PE, 0x20, 0x500, 4, 0xffffffff80008000),
    "long5": (PG | PE, 0x1020, 0x500, 5, 0xff11000000008000),
    "pae": (PG | PE, 0x20, 0, 3, 0xc0008000),
    "legacy": (PG | PE, 0x10, 0, 2, 0xc0008000),
    "off": (PE, 0, 0, 0, 0x8000),
}


def guest_tables(mode, base=LOW):
    """The guest's own, at guest physical 0x1000: a page with the mark, and a large one at twice its own size."""
    levels = MODES[mode][3]
    if not levels:
        return "", 0
    cr3 = 0x1020 if levels == 3 else 0x1000
    tables = Tables(cr3, 0x20000, levels, 0x27, base, 4 if levels == 2 else 8)
    tables.map(MODES[mode][4], MARK_AT | 0x67)
    size = 22 if levels == 2 else 21
    tables.map(2 << size, 0xe7, 2)
    return tables.text(), cr3


def avail(shape, *names):
    """regs_avail, by the numbers of enum kvm_reg."""
    bits = {"rsp": 4, "rip": 16}
    if shape >= 507:
        bits.update(cr0=18, cr3=19, cr4=20, rflags=21, segments=22)
    else:
        bits.update(cr3=18, rflags=19, segments=20)
    return sum(1 << bits[name] for name in names if name in bits)


def mmu_members(shape, mmu, root, level, guest_level, direct):
    """Members of the struct kvm_mmu called MMU (as "arch.root_mmu") that say so."""
    word, guest_word = level | direct << 7, guest_level
    if shape >= 519:
        text = f"{mmu}.root.hpa = {root:#x} {mmu}.root_role.word = {word} "
        if shape >= 703:
            return (text + f"{mmu}.w = &kvm_vcpu({VCPU0:#x}).arch.gva_walk "
                    f"arch.gva_walk.cpu_role.base.word = {guest_word}")
        return text + f"{mmu}.cpu_role.base.word = {guest_word}"
    return (f"{mmu}.root_hpa = {root:#x} {mmu}.shadow_root_level = {level} {mmu}.root_level = {guest_level}"
            f" {mmu}.direct_map = {direct}")


class Machine:
    """What a recipe is made of; change it before make()."""

    def __init__(self, shape, vendor="VMX", mode="long", level=4):
        self.shape, self.vendor, self.mode = shape, vendor, mode
        self.tables = None
        self.extra = ""
        cr0, cr4, efer, guest_level, self.mark_at = MODES[mode]
        tables, cr3 = guest_tables(mode)
        self.guest = tables
        link = RWX | (MARKED if shape >= 514 else 0) if vendor == "VMX" else 0x67 | (MARKED if shape >= 514 else 0)
        self.leaf = link | (0x30 if vendor == "VMX" else 0)
        self.tables = Tables(ROOT, POOL, level, link)
        for gfn in range(0xa0):
            self.tables.map(gfn << 12, LOW + (gfn << 12) | self.leaf)
        self.tables.map(0x100000, HIGH | self.leaf)
        self.mmu = "arch.root_mmu" if shape >= 420 else "arch.mmu"
        self.mmu_text = mmu_members(shape, self.mmu, ROOT, level, guest_level, 1)
        self.registers = {"cr0": cr0, "cr3": cr3, "cr4": cr4, "efer": efer}
        self.avail = avail(shape, "rip", "cr0", "cr3", "cr4")
        self.owned = 0

    def _vm(self):
        if self.shape >= 517:
            vcpus = f"vcpu_array.xa_head = {XARRAY | 2:#x}"
            table = f"put xa_node at {XARRAY:#x}: slots[0] = {VCPU0:#x} slots[1] = {VCPU1:#x}\n"
        else:
            vcpus, table = f"vcpus[0] = {VCPU0:#x} vcpus[1] = {VCPU1:#x}", ""
        return (f"put kvm at {VM:#x}: mm = sh_mm memslots[0] = {SETS:#x} online_vcpus.counter = 2 {vcpus}\n"
                f"list vm_list + s: &kvm({VM:#x}).vm_list\n" + table)

    def _slots(self):
        low = f"base_gfn = 0 npages = 0xa0 userspace_addr = {HVA:#x} id = 0"
        high = f"base_gfn = 0x100 npages = 0x100 userspace_addr = {HVA + 0x100000:#x} id = 1"
        if self.shape >= 517:
            return (f"put kvm_memory_slot at {SLOTS:#x}: {low}\n"
                    f"\tgfn_node[1].rb_right = &kvm_memory_slot({SLOTS + 0x100:#x}).gfn_node[1]\n"
                    f"put kvm_memory_slot at {SLOTS + 0x100:#x}: {high}\n"
                    f"put kvm_memslots at {SETS:#x}: node_idx = 1\n"
                    f"\tgfn_tree.rb_node = &kvm_memory_slot({SLOTS:#x}).gfn_node[1]\n")
        # A flexible array cannot be named further than its offset.
        first = "offsetof(kvm_memslots, memslots)"
        return (f"put kvm_memslots at {SETS:#x}: used_slots = 2\n"
                f"put kvm_memory_slot at {SETS:#x} + {first}: {high}\n"
                f"put kvm_memory_slot at {SETS:#x} + {first} + sizeof(kvm_memory_slot): {low}\n")

    def _vcpus(self):
        shape, r = self.shape, self.registers
        rip = "arch.rip" if shape >= 702 else "arch.regs[16]"
        bits = "arch.regs_avail[0]" if shape >= 702 else "arch.regs_avail"
        pointer = f"arch.mmu = &kvm_vcpu({VCPU0:#x}).{self.mmu}" if shape >= 420 else ""
        text = (f"put kvm_vcpu at {VCPU0:#x}: kvm = {VM:#x} cpu = 0 vcpu_id = 0 pid = pids + 0x200 mode = 0\n"
                f"\tpreempt_notifier.ops = kvm_preempt_ops + s {pointer} {self.mmu_text}\n"
                f"\tarch.regs[3] = 0xb0b0 arch.regs[4] = 0x7000 {rip} = 0x8010 {bits} = {self.avail:#x}\n"
                f"\tarch.cr0 = {r['cr0']:#x} arch.cr3 = {r['cr3']:#x} arch.cr4 = {r['cr4']:#x}\n"
                f"\tarch.efer = {r['efer']:#x}\n"
                f"hlist &task_struct(sh).preempt_notifiers: &kvm_vcpu({VCPU0:#x}).preempt_notifier.link\n")
        text += f"put kvm_vcpu at {VCPU1:#x}: kvm = {VM:#x} cpu = -1 vcpu_id = 1\n"
        if shape >= 420:
            text += f"put kvm_vcpu at {VCPU1:#x}: arch.mmu = &kvm_vcpu({VCPU1:#x}).arch.root_mmu\n"
        return text

    def _vendor(self):
        if self.vendor == "SVM":
            r = self.registers
            text = (f"virt &vcpu_svm({VCPU0:#x}).vmcb: {VMCB:#x}\n"
                    f"put vmcb at {VMCB:#x}: control.exit_code = 0x78 control.nested_ctl = 1 save.rflags = 0x46\n"
                    f"\tsave.cr3 = {r['cr3']:#x} save.cr0 = {r['cr0']:#x} save.cr4 = {r['cr4']:#x}\n"
                    f"\tsave.efer = {r['efer'] | 0x1000:#x}\n")
            if self.shape >= 514:
                text += (f"put vcpu_svm at {VCPU0:#x}: vmcb01.ptr = {VMCB:#x}\n"
                         f"\tcurrent_vmcb = &vcpu_svm({VCPU0:#x}).vmcb01\n")
            return text
        reason = ("vt.exit_reason.full" if self.shape >= 616
                  else "exit_reason.full" if self.shape >= 511 else "exit_reason")
        return (f"put vcpu_vmx at {VCPU0:#x}: {reason} = 12 vmcs01.vmcs = {VMCS:#x}\n"
                f"\tloaded_vmcs = &vcpu_vmx({VCPU0:#x}).vmcs01\n")

    def _mmu_page(self):
        """The descriptor of the root, by page.private."""
        word = 4 | 1 << 7
        return (f"put kvm_mmu_page at {MMU_PAGE:#x}: gfn = 0 role.word = {word} spt = {DIRECT + ROOT:#x}\n"
                f"use kernel\nmap {STRUCT_PAGE + (ROOT >> 12) * 64 & ~4095:#x} 0x18200000 4k nx\n"
                f"put page at {STRUCT_PAGE:#x} + {ROOT >> 12:#x} * sizeof(page): private = {MMU_PAGE:#x}\n")

    def text(self):
        zeros = "".join(f"zero {at:#x} 64k\n" for at in (VM, VCPU0, VCPU1, VMCB, SETS, SLOTS, XARRAY, VMCS))
        return ('include "modern.recipe"\n' + zeros + self._vm() + self._slots() + self._vcpus()
                + f"put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = {2 if self.vendor == 'SVM' else 0}\n"
                + self._vendor() + self._mmu_page()
                + f"use sh\nmap {HVA:#x} {LOW:#x} 0xa0000 4k user nx\n"
                  f"map {HVA + 0x100000:#x} {HIGH:#x} 0x100000 4k user nx\nuse kernel\n"
                  f"zero phys {LOW:#x} 0xa0000\nzero phys {HIGH:#x} 0x100000\n"
                + self.guest + f"phys {LOW + MARK_AT:#x}: \"{MARK}\" u8 0\n"
                + self.tables.text() + self.extra)

    def make(self, folder, name):
        """Writes the dump; returns a Dump."""
        recipe, dump = os.path.join(folder, name + ".recipe"), os.path.join(folder, name)
        symbols = os.path.join(folder, f"shape-{self.shape}")
        os.makedirs(symbols, exist_ok=True)
        kernel, built = os.path.join(symbols, "modern"), os.path.abspath(f"tests/kvm/shape-{self.shape}")
        if not os.path.exists(built):
            raise Skip(f"{built} was not built: cmocka is missing")
        if not os.path.exists(kernel):
            os.symlink(built, kernel)
        with open(recipe, "w", encoding="ascii") as file:
            file.write(self.text())
        subprocess.run([MAKER, "-I", symbols, "-I", os.path.join(SOURCE, "tests/kernel"), recipe, dump], check=True,
                       timeout=20)
        return Dump(dump, kernel)


L2_ROOT, L2_POOL, L2_MARK = 0x19100000, 0x19101000, "mark of the guest's guest"


def nested(shape, vendor, tdp=True):
    """vCPU 0 runs a guest of the guest: its memory is the guest's from 1 MiB on. Its tables and mark are where the
    guest's own are in the guest's memory, so who takes one for the other finds the wrong mark."""
    machine = Machine(shape, vendor)
    tables = Tables(L2_ROOT, L2_POOL, 4, machine.tables.link)
    for gfn in range(64):
        tables.map(gfn << 12, HIGH + (gfn << 12) | machine.leaf)
    machine.extra = (tables.text() + guest_tables("long", HIGH)[0]
                     + f"phys {HIGH + MARK_AT:#x}: \"{L2_MARK}\" u8 0\n")
    mmu = "arch.guest_mmu" if shape >= 420 else "arch.mmu"
    if tdp:
        pointer = f"arch.mmu = &kvm_vcpu({VCPU0:#x}).{mmu}" if shape >= 420 else ""
        machine.extra += (f"put kvm_vcpu at {VCPU0:#x}: {pointer} {mmu_members(shape, mmu, L2_ROOT, 4, 4, 0)}\n"
                          f"\tarch.walk_mmu = &kvm_vcpu({VCPU0:#x}).arch.nested_mmu\n")
    if vendor == "VMX" and shape >= 415:
        machine.extra += (f"put vcpu_vmx at {VCPU0:#x}: loaded_vmcs = &vcpu_vmx({VCPU0:#x}).nested.vmcs02\n"
                          f"\tnested.cached_vmcs12 = {VMCS:#x}\n")
    elif vendor == "VMX":
        machine.extra += (f"put kvm_vcpu at {VCPU0:#x}: arch.hflags = 0x20\n"
                          f"put vcpu_vmx at {VCPU0:#x}: nested.cached_vmcs12 = {VMCS:#x}\n")
    elif shape >= 514:
        machine.extra += (f"put vcpu_svm at {VCPU0:#x}: nested.vmcb02.ptr = {VMCB + 0x1000:#x} vmcb = {VMCB + 0x1000:#x}\n"
                          f"\tcurrent_vmcb = &vcpu_svm({VCPU0:#x}).nested.vmcb02\n"
                          f"put vmcb at {VMCB + 0x1000:#x}: control.nested_ctl = 1 save.cr3 = 0x1000\n"
                          f"\tsave.cr0 = 0x80000001 save.cr4 = 0x20 save.rip = 0x8010\n")
    else:
        machine.extra += (f"put kvm_vcpu at {VCPU0:#x}: arch.hflags = 0x20\n"
                          f"put vcpu_svm at {VCPU0:#x}: nested.hsave = {VMCB + 0x1000:#x}\n"
                          f"put vmcb at {VMCB + 0x1000:#x}: save.rip = 0x9000\n")
    if vendor == "VMX":
        machine.extra += f"put vmcs12 at {VMCS:#x}: host_rip = 0xffffffff81001234 host_cr3 = 0x3000\n"
    return machine


class Dump:
    """A dump and its kernel."""

    def __init__(self, path, kernel):
        self.path, self.kernel = path, kernel

    def run(self, *lines):
        """Monitor commands; a CompletedProcess."""
        words = [word for line in lines for word in ("-x", line)]
        return subprocess.run([PROGRAM, "-q", "--symbols", self.kernel, *words, self.path], check=False,
                              capture_output=True, text=True, timeout=15, stdin=subprocess.DEVNULL)

    def ask(self, *lines):
        """What commands, which must succeed, print as JSON: the documents of all, one a line."""
        done = self.run(*[line + " --json" for line in lines])
        expect_equal((done.returncode, done.stderr), (0, ""), f"{lines}: status and errors")
        return [json.loads(line) for line in done.stdout.splitlines()]
