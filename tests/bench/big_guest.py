#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a recipe for the demo with a guest of GIB GiB, all mapped by pages of 4 KiB, and the tables that do so.

    big_guest.py FOLDER GIB whole|scattered

FOLDER/big.recipe includes FOLDER/tables.elf. `whole`: page follows page, so the listing is one range.
`scattered`: every two neighbours have changed places, so no two pages make a range. The first 64 MiB hold real
memory, which the guest maps one to one with pages of 2 MiB, as its owner does with pages of 4 KiB.
"""
import array
import os
import struct
import sys

PAGE = 4096
TABLES = 64 << 30  # host physical: of the tables
MEMORY = 128 << 30  # and of the guest's memory, but for the part that is in the dump
REAL = 64 << 20
REAL_AT = 0x280000000
RWX = 7


def pages(count, scattered):
    """The lowest entries: 4-level EPT, write-back memory (type 6)."""
    base = MEMORY | RWX | 6 << 3
    if not scattered:
        return array.array("Q", range(base, base + count * PAGE, PAGE))
    out = array.array("Q", bytes(8 * count))
    out[0::2] = array.array("Q", range(base + PAGE, base + count * PAGE, 2 * PAGE))
    out[1::2] = array.array("Q", range(base, base + count * PAGE, 2 * PAGE))
    return out


def directory(first, count):
    """Entries for COUNT tables from physical address FIRST on, filled up to whole tables."""
    entries = array.array("Q", range(first | RWX, (first | RWX) + count * PAGE, PAGE))
    entries.extend([0] * (-count % 512))
    return entries


def write_elf(path, blob):
    """One PT_LOAD at TABLES."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 6, PAGE, 0, TABLES, len(blob), len(blob), PAGE)
    with open(path, "wb") as file:
        file.write((header + segment).ljust(PAGE, b"\0"))
        file.write(blob)


def main():
    folder, gib, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    count = gib << 18
    low = pages(count, kind == "scattered")
    low[:REAL // PAGE] = array.array("Q", range(REAL_AT | RWX | 6 << 3, (REAL_AT + REAL) | RWX | 6 << 3, PAGE))
    middle_at = TABLES + count * 8
    middle = directory(TABLES, count // 512)
    high_at = middle_at + len(middle) * 8
    high = directory(middle_at, len(middle) // 512)
    write_elf(os.path.join(folder, "tables.elf"), low.tobytes() + middle.tobytes() + high.tobytes())
    with open(os.path.join(folder, "big.recipe"), "w", encoding="ascii") as out:
        out.write(f'include "seed.recipe"\nload "tables.elf"\n'
                  f"phys 0x5308000: {high_at | RWX:#x}\n"
                  f"put kvm_memslots at memslots: memslots[0].npages = {count:#x}\n"
                  f"put kvm_vcpu at vcpu: arch.regs_avail = 0x7ffef\n"
                  "use qemu\n"
                  f"map guest_hva {REAL_AT:#x} {REAL:#x} 4k user nx\n"
                  "use kernel\n"
                  f"zero phys {REAL_AT:#x} {REAL:#x}\n"
                  f"phys {REAL_AT + 0x1000:#x}: 0x2007\nphys {REAL_AT + 0x2000:#x}: 0x3007\n"
                  f"phys {REAL_AT + 0x3000:#x}:"
                  + "".join(f" {n << 21 | 0x87:#x}" for n in range(REAL >> 21)) + "\n")


if __name__ == "__main__":
    main()
