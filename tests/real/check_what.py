#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what `monitor what` says of slab objects with what drgn says of them: of an address in
each object there is its cache, where the object begins and whether it is in use.

    check_what.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Exit status: 0 the same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

import itertools

from oracle import Failure, check_main, json_lines, run

WORDS, COMMANDS = 15, 4000


def ask(dump, server, addresses):
    """What the server says of each of them, in their order."""
    addresses = iter(addresses)
    while True:
        line = [*server, "-q"]
        for _ in range(COMMANDS):
            words = list(itertools.islice(addresses, WORDS))
            if not words:
                break
            line += ["-x", "what --json " + " ".join(f"{word:x}" for word in words)]
        if len(line) == len(server) + 1:
            return
        yield from json_lines(run([*line, *dump.files], "the server"), "the server")


def expected(slabs):
    """An address in each object, and what is to be said of it."""
    for slab in slabs:
        free = set(slab["free"])
        for n in range(slab["count"]):
            start = slab["first"] + n * slab["step"]
            # Somewhere in it: the first byte, the last, one between.
            offset = (0, slab["size"] - 1, n * 13 % slab["size"])[n % 3]
            yield start + offset, {
                "cache": slab["cache"], "kmem_cache": slab["kmem_cache"], "start": hex(start),
                "offset": hex(offset), "size": slab["size"],
                "state": "free" if n in free else "allocated"}


def check(dump, server):
    lines = []
    counts = {"allocated": 0, "free": 0}
    # The oracle's numbers are large; nothing is kept twice.
    wanted = list(expected(dump.ask_drgn("oracle_drgn_slabs.py")))
    for (address, want), said in zip(wanted, ask(dump, server, (a for a, _ in wanted)),
                                     strict=True):
        counts[want["state"]] += 1
        found = [fact for fact in said["facts"] if fact["kind"] == "slab"]
        got = {key: found[0].get(key) for key in want} if found else None
        if int(said["address"], 16) != address or got != want:
            lines.append(f"{address:#x}: {said['facts']}, drgn says {want}")
        if len(lines) == 20:
            raise Failure("\n".join(lines))
    if min(counts.values()) < 100:
        lines.append(f"drgn knows too few objects to say much: {counts}")
    print(f"{counts['allocated']} allocated objects, {counts['free']} free ones")
    return lines


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
