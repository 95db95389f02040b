#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""machines.py FOLDER: recipes of hosts with a virtual machine, of kernels through the years, for fuzz_machine.c.

They are in FOLDER/SHAPE/, where the recipe reader is to look for their kernel, too.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../server"))

from kvm_machine import (LOW, MARK_AT, POOL, ROOT, VCPU0, VM, VMCS, Machine, Tables, mmu_members,  # noqa: E402
                         nested)


def shadow():
    """Without two-dimensional paging."""
    machine = Machine(601, "VMX", "pae")
    machine.tables = Tables(ROOT, POOL, 3, 0x827)
    machine.tables.map(machine.mark_at, LOW + MARK_AT | 0x867)
    machine.mmu_text = mmu_members(601, machine.mmu, ROOT, 3, 3, 0)
    machine.extra = "virt tdp_enabled + s: u8 0\n"
    return machine


def with_a_vmcs12():
    """The host is a guest of KVM."""
    machine = Machine(515)
    machine.extra = (f"put vmcs12 at {VMCS:#x}: revision_id = 0x11e57ed0 guest_rip = 0x9000 guest_rsp = 0x9100\n"
                     "\tguest_rflags = 0x46 guest_cr3 = 0x1000\n")
    return machine


def with_tdp_roots():
    """A root in the list of the TDP MMU."""
    machine = Machine(612)
    page = VM + 0x8000
    machine.extra = (f"put kvm_mmu_page at {page:#x}: gfn = 0 role.word = 0x84 spt = {0xffff888000000000 + ROOT:#x}\n"
                     f"list &kvm({VM:#x}).arch.tdp_mmu_roots: &kvm_mmu_page({page:#x}).link\n"
                     f"put kvm_vcpu at {VCPU0:#x}: mode = 1\n")
    return machine


MACHINES = {
    "404-vmx": Machine(404),
    "404-nested": nested(404, "VMX"),
    "504-svm-pae": Machine(504, "SVM", "pae"),
    "515-vmx-5-levels": Machine(515, "VMX", "long5"),
    "515-vmcs12": with_a_vmcs12(),
    "601-svm": Machine(601, "SVM"),
    "601-nested": nested(601, "VMX"),
    "601-shadow": shadow(),
    "612-roots": with_tdp_roots(),
    "612-nested-svm": nested(612, "SVM"),
    "703-vmx-legacy": Machine(703, "VMX", "legacy"),
}


def main():
    folder = sys.argv[1]
    for name, machine in MACHINES.items():
        shape = name.split("-", maxsplit=1)[0]
        kernels = os.path.join(folder, shape)
        os.makedirs(kernels, exist_ok=True)
        kernel = os.path.join(kernels, "modern")
        if not os.path.islink(kernel):
            os.symlink(os.path.abspath(f"tests/kvm/shape-{shape}"), kernel)
        with open(os.path.join(kernels, name + ".recipe"), "w", encoding="ascii") as file:
            file.write(machine.text())


if __name__ == "__main__":
    main()
