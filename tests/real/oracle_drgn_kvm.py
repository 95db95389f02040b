#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a dump's virtual machines: the oracle that shares no code with the server.

    oracle_drgn_kvm.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines: an object a VM. Nothing where drgn finds no modules in the dump (6.12).
"""

import contextlib
import json

from oracle_drgn import open_as_far_as_possible, parse_arguments, with_vmcoreinfo

from drgn import TypeKind, cast, container_of
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each
from drgn.helpers.linux.xarray import xa_for_each

GPRS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16)),
        "rip"]


def thread_of(prog, vcpu):
    """The thread that ran it last, or None."""
    if not vcpu.pid:
        return None
    node = vcpu.pid.tasks[0].first
    if not node:
        return None
    # What counts where both are there: el8 keeps a stale pids.
    links = prog.type("struct task_struct").has_member("pid_links")
    return container_of(node, "struct task_struct",
                        "pid_links[0]" if links else "pids[0].node").pid.value_()


def memslots_of(sets):
    """A tree since 5.17; before, an array, of which 4.5 and earlier use all."""
    if sets.prog_.type("struct kvm_memslots").has_member("gfn_tree"):
        index = sets.node_idx.value_()
        for node in rbtree_inorder_for_each(sets.gfn_tree):
            yield container_of(node, "struct kvm_memory_slot", f"gfn_node[{index}]")
        return
    used = sets.prog_.type("struct kvm_memslots").has_member("used_slots")
    slots = sets.memslots
    count = sets.used_slots.value_() if used else slots.type_.length
    yield from sorted((slots[n] for n in range(count) if slots[n].npages),
                      key=lambda slot: slot.base_gfn.value_())


def slots_of(kvm):
    result = []
    # One set, and no array of them, until 4.3.
    spaces = [kvm.memslots] if kvm.memslots.type_.kind == TypeKind.POINTER else kvm.memslots
    for space, sets in enumerate(spaces):
        for slot in memslots_of(sets):
            result.append({"as": space, "id": slot.id.value_(),
                           "gpa": hex(slot.base_gfn.value_() << 12),
                           "size": slot.npages.value_() << 12,
                           "hva": hex(slot.userspace_addr.value_())})
    return result


def root_of(vcpu):
    """In the vCPU until 4.19, a pointer later; root.hpa since 5.19."""
    mmu = vcpu.arch.mmu
    kind = vcpu.prog_.type("struct kvm_mmu")
    return (mmu.root.hpa if kind.has_member("root") else mmu.root_hpa).value_()


def vcpus_of(kvm):
    """An xarray since 5.17, an array before."""
    if kvm.prog_.type("struct kvm").has_member("vcpu_array"):
        return [cast("struct kvm_vcpu *", entry)
                for _, entry in xa_for_each(kvm.vcpu_array.address_of_())]
    return [kvm.vcpus[n].read_() for n in range(kvm.online_vcpus.counter.value_())]


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
    result = {"vcpu": hex(vcpu.value_()), "id": vcpu.vcpu_id.value_(), "tid": thread_of(prog, vcpu),
              "cpu": vcpu.cpu.value_(), "requests": hex(vcpu.requests.value_()), "regs": regs}
    root = root_of(vcpu)
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
            vcpus = [vcpu_of(prog, vcpu) for vcpu in vcpus_of(kvm)]
            print(json.dumps({"kvm": hex(kvm.value_()), "pid": owner_of(prog, kvm),
                              "vcpus": vcpus, "slots": slots_of(kvm)}))


if __name__ == "__main__":
    main()
