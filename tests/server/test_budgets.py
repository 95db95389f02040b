#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that ask for more than any machine has: what is kept of them is bounded, for all objects together, and
what lies over one another is read once."""

import os
import re
import subprocess
import sys
import tempfile

from gdb_run import gdb
from program import SOURCE, Server, run_program
from recipes import MAKER
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, run_checks

KERNEL = "tests/kernel/modules-310"
CODE, SYMTAB, STRTAB = 0xffffffffc0400000, 0xffffffffd0000000, 0xffffffffc0480000
PAGES = 12288       # three pages hold 512 symbols
MIB = 1 << 20
folder = tempfile.TemporaryDirectory()


def make(name, statements, *folders):
    recipe, dump = (os.path.join(folder.name, name + end) for end in (".recipe", ""))
    with open(recipe, "w", encoding="ascii") as file:
        file.write(statements)
    includes = [word for path in folders for word in ("-I", path)]
    subprocess.run([MAKER, *includes, recipe, dump], check=True, timeout=60)
    return dump


def names_dump(count, length):
    """A module of so many symbols, with names of that length which lie over each other."""
    if not os.path.exists(f"{KERNEL}/modern"):
        raise Skip(f"{KERNEL}/modern was not built: cmocka is missing")
    symbols = "\n\t".join(f"u32 {1 + i % 4} u8 0x54 u8 0 u16 1 u64 {CODE + 8 * i:#x} 8"
                          for i in range(512))
    maps = "\n".join(f"map {SYMTAB + PAGES * i:#x} 0x30000000 {PAGES}" for i in range(count // 512))
    return make(f"names-{count}", f"""include "layout-310.recipe"
{maps}
virt {SYMTAB:#x}: {symbols}
map {STRTAB:#x} 0x31000000 8192
zero {STRTAB:#x} 8192
virt {STRTAB:#x}: u8 0 fill 0x61 {length}
put module at mod: core_symtab = {SYMTAB:#x} core_num_syms = {count} core_strtab = {STRTAB:#x}
\tsymtab = {SYMTAB:#x} num_symtab = {count} strtab = {STRTAB:#x}
""", KERNEL, f"{SOURCE}/tests/kernel")


def peak(server):
    with open(f"/proc/{server.reader}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) << 10


def sanitized():
    with open("Makefile", encoding="utf-8") as file:
        return re.search("^SANITIZERS = .*-fsanitize", file.read(), re.MULTILINE) is not None


@check("a module with more, and longer, names than all modules of any machine: gdb attaches, memory is bounded")
def _():
    for count, length in [(131072, 510), (262144, 510), (1 << 20, 4)]:
        with Server(dump=names_dump(count, length), symbols=f"{KERNEL}/modern") as server:
            if count == 131072:
                expect_in("kthreadd", gdb("info os threads", vmlinux=None, attach=server.address))
            with Client(server.address) as client:
                expect_in("lay", client.monitor("modules")[0])
                client.document("libraries")
            if not sanitized():
                expect(peak(server) < 64 * MIB, f"{peak(server)} bytes for {count} symbols")


@check("virtual machines with the same set of memory slots: it is read once, and said")
def _():
    made = subprocess.run([sys.executable, f"{SOURCE}/tests/bench/many_vms.py", "64", "1"], text=True,
                          stdout=subprocess.PIPE, check=True, timeout=60).stdout
    first = re.search("memslots = (0x[0-9a-f]+)", made).group(1)
    dump = make("slots", re.sub("memslots = 0x[0-9a-f]+", f"memslots = {first}", made),
                "contrib/demo", f"{SOURCE}/contrib/demo")
    done = run_program("--symbols", "contrib/demo/vmlinux", "--exec", "vms", dump)
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    shared = re.findall(r"its memory slots are those of the VM at (0x[0-9a-f]+) as well", done.stdout)
    expect_equal(len(shared), 63, "virtual machines without slots")
    expect_equal(len(set(shared)), 1, "whose slots they are")


run_checks()
