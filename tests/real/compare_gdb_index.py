#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the .gdb_index of the file that --write-symbols makes with what gdb makes of the same file
without that section.

    compare_gdb_index.py SERVER DUMP_FILE

The same units, the same names with the same kinds, the same code in the same units. Of the units
that have a type or a variable of one name gdb keeps the first alone, all but the newest versions;
and of the names of C's integers only the one that is its own ("unsigned long").
"""

import os
import re
import shutil
import struct
import sys
import tempfile

from oracle import run, skip

SECTION = ".gdb_index"
SHOWN = 20
SLOT = 8
UNIT = 0xffffff
VARIABLE, FUNCTION = 2, 3


class Index:
    """A section of version 8 (or 9, whose header is longer), see GDB's manual."""

    def __init__(self, data):
        self.data = data
        version, units, types, ranges, symbols = self.words(0, 5)
        end = pool = self.words(20, 1)[0]
        if version >= 9:
            end, pool = self.words(20, 2)
        elif version != 8:
            raise ValueError(f"{SECTION} has version {version}")
        self.units = [struct.unpack_from("<QQ", data, at) for at in range(units, types, 16)]
        self.ranges = [struct.unpack_from("<QQI", data, at) for at in range(ranges, symbols, 20)]
        self.names = dict(self.read_names(symbols, end, pool))

    def words(self, at, count):
        return struct.unpack_from(f"<{count}I", self.data, at)

    def read_names(self, begin, end, pool):
        for at in range(begin, end, SLOT):
            name, vector = self.words(at, 2)
            if not name and not vector:
                continue
            text = self.data[pool + name:self.data.index(b"\0", pool + name)].decode()
            count, = self.words(pool + vector, 1)
            yield text, sorted(self.words(pool + vector + 4, count))

    def merged_ranges(self):
        """Those that touch as one: where code lies and whose it is, not how it was cut. The variables
        of a unit without functions are there, too, in gdb's: as ranges of a byte."""
        merged = []
        with_code = {element & UNIT for elements in self.names.values() for element in elements
                     if element >> 28 & 7 == FUNCTION}
        for start, end, unit in sorted(self.ranges):
            if unit not in with_code:
                continue
            if merged and merged[-1][1] == start and merged[-1][2] == unit:
                merged[-1][1] = end
            else:
                merged.append([start, end, unit])
        return merged


def gdbs_index(image, folder):
    bare = os.path.join(folder, "bare")
    run(["objcopy", "--remove-section", SECTION, image, bare], "objcopy", with_stderr=True)
    run(["gdb", "-nx", "-batch", "-iex", "set index-cache enabled off", bare,
         "-ex", f"save gdb-index {folder}"], "gdb", with_stderr=True)
    with open(bare + ".gdb-index", "rb") as file:
        return Index(file.read())


def our_index(image, folder):
    section = os.path.join(folder, "section")
    run(["objcopy", "--dump-section", f"{SECTION}={section}", image, os.devnull], "objcopy",
        with_stderr=True)
    with open(section, "rb") as file:
        return Index(file.read())


SPELLED = re.compile(r"(?:short|long|long long)(?: unsigned)? int$")


def firsts(elements, definitions):
    """Without those of further units, unless they are functions; without the units of variables where
    those that define them count: gdb keeps the first, which may only declare it."""
    kept = {}
    for element in elements or []:
        attributes = element & ~UNIT
        if definitions and element >> 28 & 7 == VARIABLE:
            element = attributes
        key = element if element >> 28 & 7 == FUNCTION else attributes
        kept.setdefault(key, element)
    return sorted(kept.values())


def describe(elements):
    kinds = ["?", "type", "variable", "function"]
    return [f"{'static ' if e >> 31 else ''}{(kinds + ['?'] * 4)[e >> 28 & 7]} of unit "
            f"{e & UNIT}" for e in elements or []]


def differences(ours, gdbs, definitions=False):
    if ours.units != gdbs.units:
        yield f"units: {ours.units}, gdb: {gdbs.units}"
    for name in sorted(ours.names.keys() | gdbs.names.keys()):
        mine, its = ours.names.get(name), gdbs.names.get(name)
        if its is None and SPELLED.match(name):
            continue
        if firsts(mine, definitions) != firsts(its, definitions):
            yield f"{name}: {describe(mine)}, gdb: {describe(its)}"
    mine, its = ours.merged_ranges(), gdbs.merged_ranges()
    if mine != its:
        at = next((i for i, pair in enumerate(zip(mine, its)) if pair[0] != pair[1]),
                  min(len(mine), len(its)))
        yield f"{len(mine)} ranges, gdb: {len(its)}; the first that differs: {mine[at:at + 1]} " \
              f"and {its[at:at + 1]}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    server, dump = sys.argv[1:]
    for tool, package in (("gdb", "gdb"), ("objcopy", "binutils")):
        if shutil.which(tool) is None:
            skip(f"{tool} is missing: install the package {package}")
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        run([server, "--write-symbols", image, dump], "the server", with_stderr=True)
        ours, gdbs = our_index(image, folder), gdbs_index(image, folder)
    if not ours.names:
        sys.exit(f"{SECTION} has no names")
    lines = list(differences(ours, gdbs))
    print(f"{len(ours.names)} names of {len(ours.units)} units, {len(ours.ranges)} ranges")
    for line in lines[:SHOWN]:
        print(line)
    if lines:
        sys.exit(f"{len(lines)} differences")


if __name__ == "__main__":
    main()
