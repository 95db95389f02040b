# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor refs in objects of slab caches, of which the dump lacks a part."""

import json
import os
import subprocess
import tempfile

from program import SOURCE, run_program
from recipes import MAKER, MODERN
from tap import Skip, check, expect, expect_equal, run_checks

DIRECT, VMEMMAP, SLAB_PA = 0xffff888000000000, 0xffffea0000000000, 0x1a000000
SLAB, CACHE = DIRECT + SLAB_PA, DIRECT + 0x1a100000
HEAD = VMEMMAP + (SLAB_PA >> 12) * 64
# One object of nearly four pages.
SIZE = 0x3f00
TARGET = DIRECT + 0x1a200000
# The first word and the last of what is there, and those around the hole: pages 1 and 2.
WORDS = [0, 0xff8, 0x3000, SIZE - 8]
IN_HOLE = [0x1000, 0x2ff8]

RECIPE = f"""
include "modern.recipe"
use kernel
map {VMEMMAP:#x} 0x1b000000 8m 2m
zero {VMEMMAP + 0x180000:#x} 128k
zero {HEAD:#x} 4k
zero {SLAB:#x} 16k
zero {CACHE:#x} 8k
zero {TARGET:#x} 4k
put kmem_cache at {CACHE:#x}: size = 0x4000 object_size = {SIZE:#x} offset = 0x40 name = {CACHE + 0x1000:#x}
virt {CACHE + 0x1000:#x}: "large\\0"
list slab_caches + s: &kmem_cache({CACHE:#x}).list
put slab at {HEAD:#x}: slab_cache = {CACHE:#x} counters = {1 << 16 | 1:#x} __page_type = 0xf5000000
""" + "".join(f"put page at {HEAD + 64 * n:#x}: compound_info = {(1 << 64) - 255:#x}\n" for n in (1, 2, 3)) + "".join(
    f"virt {SLAB + at:#x}: {TARGET:#x}\n" for at in WORDS + IN_HOLE)

folder = tempfile.TemporaryDirectory()


def refs(name, statements):
    """Where the object has pointers to the target, by what the server says of such a dump."""
    if not os.path.exists(MODERN):
        raise Skip(f"{MODERN} was not built: cmocka is missing")
    recipe, dump = os.path.join(folder.name, name + ".recipe"), os.path.join(folder.name, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write(RECIPE + statements)
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "tests/kernel"), "-I", "tests/kernel", recipe, dump],
                   check=True, timeout=20)
    done = run_program("-q", "-s", MODERN, "-x", f"refs --json {TARGET:x} large", dump)
    expect_equal(done.returncode, 0, done.stderr)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expect(all((row["kind"], row["cache"], row["object"]) == ("object", "large", hex(SLAB)) for row in rows), rows)
    return [int(row["address"], 16) - SLAB for row in rows]


@check("refs: all words of an object of many pages")
def _():
    expect_equal(refs("whole", ""), sorted(WORDS + IN_HOLE), "words")


@check("refs: a hole in an object hides what is in it, and nothing behind it")
def _():
    expect_equal(refs("hole", f"absent {SLAB + 0x1000:#x} 8k\n"), WORDS, "words")
    expect_equal(refs("start", f"absent {SLAB:#x} 4k\n"), [0x1000, 0x2ff8, 0x3000, SIZE - 8], "words")
    expect_equal(refs("all", f"absent {SLAB:#x} 16k\n"), [], "words")


run_checks()
