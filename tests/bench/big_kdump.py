#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a kdump as if of a machine with much memory, of a small real one.

    big_kdump.py DUMP TIB OUT

OUT has the pages of DUMP, compressed as they were, but its header and bitmaps are those of a machine
whose page frames end at TIB tebibytes (a number, which may be a fraction). What the bitmaps grow by
is holes: 64 TiB take 4 GiB of file and no more of the disk than DUMP does. DUMP is a whole
kdump-compressed file: not one of QEMU's flattened ones, and not a piece of a split set. With --dense
the bitmaps are written out, zeros too, as a copy that knows no holes leaves them.
"""
import argparse
import struct
import sys

BLOCK = 4096
DESCRIPTOR = struct.Struct("<QIIQ")
# struct disk_dump_header and struct kdump_sub_header of makedumpfile's diskdump_mod.h
AT_VERSION, AT_BLOCK_SIZE, AT_SUB_BLOCKS, AT_BITMAP_BLOCKS, AT_MAX_MAPNR = 8, 428, 432, 436, 440
SUB_SPLIT, SUB_START_PFN_64, SUB_MAX_MAPNR_64 = 12, 80, 96
COPIED_AT_ONCE = 4 << 20


def stop(sentence):
    sys.exit(f"big_kdump.py: {sentence}")


def get32(data, at):
    return struct.unpack_from("<I", data, at)[0]


class Kdump:
    """The headers of a kdump file, and where its parts lie."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.header = bytearray(self.file.read(2 * BLOCK))
        if self.header[:8] != b"KDUMP   " or get32(self.header, AT_BLOCK_SIZE) != BLOCK:
            stop(f"{path} is no kdump-compressed file with pages of 4 KiB")
        if get32(self.header, BLOCK + SUB_SPLIT):
            stop(f"{path} is a piece of a split dump")
        self.version = get32(self.header, AT_VERSION)
        self.sub_blocks = get32(self.header, AT_SUB_BLOCKS)
        self.blocks = get32(self.header, AT_BITMAP_BLOCKS)
        self.max_mapnr = get32(self.header, AT_MAX_MAPNR)
        if self.version >= 6:
            self.max_mapnr = struct.unpack_from("<Q", self.header, BLOCK + SUB_MAX_MAPNR_64)[0]
        self.bitmaps = (1 + self.sub_blocks) * BLOCK
        self.each = self.blocks // 2 * BLOCK
        if self.max_mapnr > self.each * 8:
            stop(f"{path} has one bitmap only")
        self.descriptors = self.bitmaps + self.blocks * BLOCK

    def read(self, at, length):
        self.file.seek(at)
        return self.file.read(length)


def write_bitmap(out, at, bitmap, length, dense):
    out.seek(at)
    out.write(bitmap)
    for done in range(len(bitmap), length if dense else 0, COPIED_AT_ONCE):
        out.write(bytes(min(COPIED_AT_ONCE, length - done)))


def grow(dump, max_mapnr, out, dense):
    each = (max_mapnr + 8 * BLOCK - 1) // (8 * BLOCK) * BLOCK
    grown = 2 * each - dump.blocks * BLOCK
    if grown < 0:
        stop("the dump is of a larger machine")
    header = bytearray(dump.read(0, dump.bitmaps))
    struct.pack_into("<I", header, AT_VERSION, max(dump.version, 6))
    struct.pack_into("<I", header, AT_BITMAP_BLOCKS, 2 * each // BLOCK)
    struct.pack_into("<I", header, AT_MAX_MAPNR, max_mapnr & 0xffffffff)
    struct.pack_into("<QQQ", header, BLOCK + SUB_START_PFN_64, 0, 0, max_mapnr)
    out.write(header)
    second = dump.read(dump.bitmaps + dump.each, dump.each)
    write_bitmap(out, dump.bitmaps, dump.read(dump.bitmaps, dump.each), each, dense)
    write_bitmap(out, dump.bitmaps + each, second, each, dense)

    pages = sum(bin(byte).count("1") for byte in second)
    out.seek(dump.bitmaps + 2 * each)
    for offset, *rest in DESCRIPTOR.iter_unpack(dump.read(dump.descriptors, pages * DESCRIPTOR.size)):
        out.write(DESCRIPTOR.pack(offset + grown if offset else 0, *rest))
    at = dump.descriptors + pages * DESCRIPTOR.size
    while data := dump.read(at, COPIED_AT_ONCE):
        out.write(data)
        at += len(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("tib", type=float)
    parser.add_argument("out")
    parser.add_argument("--dense", action="store_true", help="write the zeros of the bitmaps")
    args = parser.parse_args()
    with open(args.out, "wb") as out:
        grow(Kdump(args.dump), int(args.tib * (1 << 40)) >> 12, out, args.dense)


if __name__ == "__main__":
    main()
