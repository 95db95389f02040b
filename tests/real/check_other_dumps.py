#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same memory with the headers that dumps of others have, see rewrite_core.py.

    check_other_dumps.py DUMP SERVER

The tasks, and the frames of those that sleep, must be those of DUMP, which is QEMU's; so must the
registers of the first CPU where there is a note of them, and they are unknown where there is none.
"""

import os
import struct
import sys
import tempfile

from elf_core import ElfCore
from oracle import Failure, json_lines, run, skip
from rewrite_core import KINDS

HAVE_REGISTERS = ("vm2core", "cloud-hypervisor")
RIP_AT = 112 + 8 * 16  # in struct elf_prstatus


def ask(server, path):
    output = run([server, "-x", "threads --json", path], "the server")
    return {thread["tid"]: thread for thread in json_lines(output, "the server")}


def check(kind, original, path, rip, server):
    got = ask(server, path)
    if got.keys() != original.keys():
        raise Failure(f"{kind}: threads {sorted(got.keys() ^ original.keys())} differ")
    for tid, thread in original.items():
        mine = got[tid]
        if not thread["on_cpu"] and mine != thread:
            raise Failure(f"{kind}: {mine} instead of {thread}")
        if not thread["on_cpu"]:
            continue
        found = int(mine["regs"].get("rip", "0"), 16)
        if found != (rip if kind in HAVE_REGISTERS else 0):
            raise Failure(f"{kind}: rip of {mine['comm']} is {found:#x}, the CPU's was {rip:#x}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    dump, server = sys.argv[1:]
    if not os.path.exists(dump):
        skip(f"there is no {dump}: make-vmcores.sh makes it")
    desc = next(desc for name, kind, desc in ElfCore(dump).notes if name == "CORE" and kind == 1)
    rip, = struct.unpack_from("<Q", desc, RIP_AT)
    original = ask(server, dump)
    try:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(dump)) as folder:
            path = os.path.join(folder, "dump")
            for kind, write in KINDS.items():
                write(dump, path)
                check(kind, original, path, rip, server)
    except Failure as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
