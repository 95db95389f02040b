#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of the memory of a dump's virtual machines.

    oracle_drgn_guests.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines, one object a VM: the process's pid, and slots, each with gpa, size, hva and the
SHA-1 of every page's bytes (null where the process has no page there).
"""

import contextlib
import hashlib
import json

from drgn import FaultError, container_of
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import access_remote_vm
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each

from oracle_drgn import open_as_far_as_possible, parse_arguments, with_vmcoreinfo

PAGE = 4096


def slots_of(vm):
    """The normal address space's: an array until 5.16, a tree later."""
    slots = vm.memslots[0]
    if any(member.name == "used_slots" for member in slots.type_.type.members):
        yield from (slots.memslots[i] for i in range(slots.used_slots.value_()))
        return
    index = slots.node_idx.value_()
    for node in rbtree_inorder_for_each(slots.gfn_tree.address_of_()):
        yield container_of(node, "struct kvm_memory_slot", f"gfn_node[{index}]")


def page_sums(vm, slot):
    for number in range(slot.npages.value_()):
        try:
            data = access_remote_vm(vm.mm, slot.userspace_addr.value_() + number * PAGE, PAGE)
        except FaultError:
            yield None
            continue
        yield hashlib.sha1(data).hexdigest()


def main():
    donor, dump, vmlinux, modules = parse_arguments(__doc__)
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, _ = open_as_far_as_possible(path, vmlinux, modules)
        try:
            head = prog["vm_list"].address_of_()
        except KeyError:
            return
        for vm in list_for_each_entry("struct kvm", head, "vm_list"):
            print(json.dumps({
                "pid": vm.userspace_pid.value_(),
                "slots": [{
                    "gpa": slot.base_gfn.value_() * PAGE,
                    "size": slot.npages.value_() * PAGE,
                    "hva": hex(slot.userspace_addr.value_()),
                    "pages": list(page_sums(vm, slot)),
                } for slot in slots_of(vm)],
            }))


if __name__ == "__main__":
    main()
