#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a dump's slabs: the oracle that shares no code with the server.

    oracle_drgn_slabs.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines, an object a slab: the cache's name and address, where its objects begin, how far
they are apart, how many there are, how large each is, and the numbers of those that are free.

drgn 0.0.22 asks the CPUs that are online what free objects they keep. Those that a panic has stopped
are not, and what they keep would be taken for allocated: here all possible CPUs are asked. Nor does it
know first_page, which tail pages had until 4.3.
"""

import contextlib
import json

from oracle_drgn import open_as_far_as_possible, parse_arguments, with_vmcoreinfo

from drgn import FaultError, cast
from drgn.helpers.linux import slab as slabs
from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.mm import compound_head, page_to_virt, pfn_to_page


def head_of(page):
    """The head of the compound page that this is part of."""
    if page.prog_.type("struct page").has_member("compound_head"):
        return compound_head(page)
    tail = page.flags.value_() >> page.prog_.constant("PG_tail") & 1
    return page.first_page.read_() if tail else page


def main():
    donor, dump, vmlinux, modules = parse_arguments(__doc__)
    slabs.for_each_online_cpu = for_each_possible_cpu
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, _ = open_as_far_as_possible(path, vmlinux, modules)
        is_slab = 1 << prog.constant("PG_slab")
        kind = slabs._get_slab_type(prog)
        helpers, caches, seen = {}, {}, set()
        for cache in slabs.for_each_slab_cache(prog):
            caches[cache.value_()] = cache
        for pfn in range(0, prog["max_pfn"].value_()):
            try:
                page = head_of(pfn_to_page(prog, pfn))
                if page.value_() in seen or not page.flags.value_() & is_slab:
                    continue
            except FaultError:
                continue
            seen.add(page.value_())
            slab = cast(kind, page)
            address = slab.slab_cache.value_()
            cache = caches[address]
            if address not in helpers:
                helpers[address] = slabs._get_slab_cache_helper(cache)
            used = {o.value_() for o in helpers[address]._page_objects(
                page, slab, prog.type("void *"))}
            first, step = page_to_virt(page).value_(), cache.size.value_()
            count = slab.objects.value_()
            free = [n for n in range(count) if first + n * step not in used]
            print(json.dumps({"cache": cache.name.string_().decode(), "kmem_cache": hex(address),
                              "first": first, "step": step, "size": cache.object_size.value_(),
                              "count": count, "free": free}))


if __name__ == "__main__":
    main()
