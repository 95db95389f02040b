# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of the demo dump: its recipe and some statements more."""

import os
import subprocess

from program import SOURCE
from tap import Skip, need_tool

MAKER = os.path.abspath("tests/recipe/mkvmcore")


def make_dump(folder, name, statements):
    """Makes NAME in the folder; returns its path."""
    return _make(folder, name, f'include "seed.recipe"\n{statements}')


def make_changed_dump(folder, name, old, new, statements):
    """The same, of a recipe in which one text, which must be there, is another: notes are written
    once."""
    with open(os.path.join(SOURCE, "contrib/demo/seed.recipe"), encoding="ascii") as file:
        text = file.read()
    if text.count(old) != 1:
        raise ValueError(f"seed.recipe has no {old!r}")
    return _make(folder, name, text.replace(old, new) + statements)


def _make(folder, name, text):
    recipe, dump = os.path.join(folder, name + ".recipe"), os.path.join(folder, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write(text)
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "contrib/demo"), "-I", "contrib/demo",
                    recipe, dump], check=True, timeout=20)
    return dump


# A newer kernel than the demo's, which the unit tests bring.
MODERN = "tests/kernel/modern"


def make_module_dump(folder, name, build_id):
    """A dump of the newer kernel with the module 'one' loaded, whose struct module has the
    build-id: 40 digits."""
    if not os.path.exists(MODERN):
        raise Skip(f"{MODERN} was not built: cmocka is missing")
    octets = " ".join(f"0x{build_id[i:i + 2]}" for i in range(0, len(build_id), 2))
    recipe, dump = os.path.join(folder, name + ".recipe"), os.path.join(folder, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write('include "modern.recipe"\ninclude "modules.recipe"\n'
                   "put module at one_module: mem[0].base = one mem[0].size = 0x1000\n"
                   f"virt &module(one_module).build_id: u8 {octets}\n")
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "tests/kernel"), "-I", "tests/kernel", recipe,
                    dump], check=True, timeout=20)
    return dump


def make_module(folder, build_id):
    """A file of that module, with debug information; returns its path, FOLDER/one.ko."""
    compiler, linker = need_tool("cc"), need_tool("ld")
    source, module = os.path.join(folder, "one.c"), os.path.join(folder, "one.ko")
    with open(source, "w", encoding="ascii") as file:
        file.write("int one_open(void) { return 1; }\n")
    subprocess.run([compiler, "-g", "-c", "-fno-pic", "-o", source + ".o", source], check=True)
    subprocess.run([linker, "-r", f"--build-id=0x{build_id}", "-o", module, source + ".o"],
                   check=True)
    return module


# Half a terabyte that can be read: tables of one page each, which all lead to the same page.
ENDLESS_AT = 0xffffc90000000000
ENDLESS_BYTES = 512 << 30
_ENDLESS_TABLES = 0x30000000


def make_endless_dump(folder):
    """The demo with memory at ENDLESS_AT that takes minutes to read through."""
    page = _ENDLESS_TABLES + 0x3000
    statements = [f"zero phys {page:#x} 4k"]
    for table in (_ENDLESS_TABLES + 0x2000, _ENDLESS_TABLES + 0x1000, _ENDLESS_TABLES):
        # Present, writable, and whatever it leads to accessed and dirty.
        statements.append(f"phys {table:#x}:" + f" {page | 0x63:#x}" * 512)
        page = table
    statements.append(f"entry {ENDLESS_AT:#x} 4 {page | 0x63:#x}")
    return make_dump(folder, "endless", "\n".join(statements) + "\n")
