#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a dump's virtual machines: the oracle that shares no code with the server.

    oracle_drgn_kvm.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines: an object a VM. Nothing where drgn finds no modules in the dump (6.12).
"""

import contextlib
import json

from oracle_drgn import open_as_far_as_possible, parse_arguments, with_vmcoreinfo

from drgn import cast, container_of
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each
from drgn.helpers.linux.xarray import xa_for_each

GPRS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16)),
        "rip"]


def thread_of(vcpu):
    """The thread that ran it last, or None."""
    if not vcpu.pid:
        return None
    node = vcpu.pid.tasks[0].first
    if not node:
        return None
    return container_of(node, "struct task_struct", "pid_links[0]").pid.value_()


def slots_of(kvm):
    slots = []
    for space in range(2):
        sets = kvm.memslots[space]
        index = sets.node_idx.value_()
        for node in rbtree_inorder_for_each(sets.gfn_tree):
            slot = container_of(node, "struct kvm_memory_slot", f"gfn_node[{index}]")
            slots.append({"as": space, "id": slot.id.value_(),
                          "gpa": hex(slot.base_gfn.value_() << 12),
                          "size": slot.npages.value_() << 12,
                          "hva": hex(slot.userspace_addr.value_())})
    return slots


def vcpu_of(prog, vcpu):
    svm = container_of(vcpu, "struct vcpu_svm", "vcpu")
    save, control = svm.vmcb.save, svm.vmcb.control
    regs = {name: hex(vcpu.arch.regs[n].value_()) for n, name in enumerate(GPRS)}
    for name in ["cr0", "cr2", "cr4", "efer"]:
        regs[name] = hex(vcpu.arch.member_(name).value_())
    regs["rflags"] = hex(save.rflags.value_())
    regs["cr3"] = hex((save if vcpu.pid else vcpu.arch).cr3.value_())
    for name in ["cs", "ss", "ds", "es", "fs", "gs"]:
        regs[name] = hex(save.member_(name).selector.value_())
    result = {"vcpu": hex(vcpu.value_()), "id": vcpu.vcpu_id.value_(), "tid": thread_of(vcpu),
              "cpu": vcpu.cpu.value_(), "requests": hex(vcpu.requests.value_()), "regs": regs}
    root = vcpu.arch.mmu.root.hpa.value_()
    if root != (1 << 64) - 1:
        result["root_hpa"] = hex(root)
    if vcpu.pid:
        result["exit_code"] = hex(control.exit_code.value_())
    return result


def owner_of(prog, kvm):
    """The process whose memory it has; mm_struct says so only in kernels that count memory by
    groups (CONFIG_MEMCG)."""
    if prog.type("struct mm_struct").has_member("owner"):
        return kvm.mm.owner.tgid.value_()
    [tgid] = {task.tgid.value_() for task in for_each_task(prog) if task.mm == kvm.mm}
    return tgid


def main():
    donor, dump, vmlinux, modules = parse_arguments(__doc__)
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, _ = open_as_far_as_possible(path, vmlinux, modules)
        if "vm_list" not in prog:
            return
        for kvm in list_for_each_entry("struct kvm", prog["vm_list"].address_of_(), "vm_list"):
            vcpus = [vcpu_of(prog, cast("struct kvm_vcpu *", entry))
                     for _, entry in xa_for_each(kvm.vcpu_array.address_of_())]
            print(json.dumps({"kvm": hex(kvm.value_()), "pid": owner_of(prog, kvm),
                              "vcpus": vcpus, "slots": slots_of(kvm)}))


if __name__ == "__main__":
    main()
