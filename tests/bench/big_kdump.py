#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a kdump as if of a machine with much memory, of a small real one.

    big_kdump.py [--dense] [--pieces N] DUMP TIB OUT

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


def write_head(dump, max_mapnr, out, share, dense):
    """The headers and bitmaps of a piece that has the page frames of @share, or of a whole dump."""
    each = (max_mapnr + 8 * BLOCK - 1) // (8 * BLOCK) * BLOCK
    if 2 * each < dump.blocks * BLOCK:
        stop("the dump is of a larger machine")
    header = bytearray(dump.read(0, dump.bitmaps))
    struct.pack_into("<I", header, AT_VERSION, max(dump.version, 6))
    struct.pack_into("<I", header, AT_BITMAP_BLOCKS, 2 * each // BLOCK)
    struct.pack_into("<I", header, AT_MAX_MAPNR, max_mapnr & 0xffffffff)
    struct.pack_into("<I", header, BLOCK + SUB_SPLIT, share != (0, max_mapnr))
    struct.pack_into("<QQQ", header, BLOCK + SUB_START_PFN_64, *share, max_mapnr)
    out.write(header)
    for number in (0, 1):
        bitmap = dump.read(dump.bitmaps + number * dump.each, dump.each)
        write_bitmap(out, dump.bitmaps + number * each, bitmap, each, dense)
    out.seek(dump.bitmaps + 2 * each)


def write_pages(dump, first, count, out):
    """Descriptors and data of the dump's @count pages from the @first one on."""
    table = dump.read(dump.descriptors + first * DESCRIPTOR.size, count * DESCRIPTOR.size)
    at, places, pages = out.tell() + len(table), {}, []
    for offset, size, *rest in DESCRIPTOR.iter_unpack(table):
        if offset not in places:
            places[offset] = at
            pages.append((offset, size))
            at += size
        out.write(DESCRIPTOR.pack(places[offset], size, *rest))
    for page in pages:
        out.write(dump.read(*page))


def shares_of(dump, max_mapnr, pieces):
    """(page frames, number of the first page, pages) of pieces that have as many pages each."""
    bitmap = dump.read(dump.bitmaps + dump.each, dump.each)
    pfns = [8 * at + bit for at, byte in enumerate(bitmap) for bit in range(8) if byte >> bit & 1]
    firsts = [number * len(pfns) // pieces for number in range(pieces + 1)]
    ends = [0, *[pfns[first] for first in firsts[1:-1]], max_mapnr]
    for number in range(pieces):
        yield (ends[number], ends[number + 1]), firsts[number], firsts[number + 1] - firsts[number]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("tib", type=float)
    parser.add_argument("out")
    parser.add_argument("--dense", action="store_true", help="write the zeros of the bitmaps")
    parser.add_argument("--pieces", type=int, default=1, help="a split dump: OUT.1, OUT.2, ...")
    args = parser.parse_args()
    dump, max_mapnr = Kdump(args.dump), int(args.tib * (1 << 40)) >> 12
    for number, (share, first, count) in enumerate(shares_of(dump, max_mapnr, args.pieces), 1):
        name = args.out if args.pieces == 1 else f"{args.out}.{number}"
        with open(name, "wb") as out:
            write_head(dump, max_mapnr, out, share, args.dense)
            write_pages(dump, first, count, out)


if __name__ == "__main__":
    main()
