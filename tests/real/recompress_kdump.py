#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a zstd or snappy kdump file of a zlib one.

    recompress_kdump.py {zstd,snappy} INPUT OUTPUT

Debian's makedumpfile is built without both. The file is the same but for its pages and for the
flags that say how they are compressed; INPUT must be neither flattened nor split.
"""

import ctypes
import ctypes.util
import struct
import sys
import zlib

# struct disk_dump_header on x86-64, up to bitmap_blocks.
STATUS_OFFSET = 424
HEADER = struct.Struct("<iiii")  # status, block_size, sub_hdr_size, bitmap_blocks
PAGE_DESC = struct.Struct("<qIIQ")  # offset, size, flags, page_flags
ZLIB = 0x1


def load_library(name):
    path = ctypes.util.find_library(name)
    if path is None:
        sys.exit(f"recompress_kdump.py: lib{name} is missing")
    return ctypes.CDLL(path)


class Zstd:
    FLAG = 0x20

    def __init__(self):
        self._lib = load_library("zstd")
        self._lib.ZSTD_compress.restype = ctypes.c_size_t
        self._lib.ZSTD_compressBound.restype = ctypes.c_size_t

    def compress(self, page):
        bound = self._lib.ZSTD_compressBound(ctypes.c_size_t(len(page)))
        out = ctypes.create_string_buffer(bound)
        size = self._lib.ZSTD_compress(out, ctypes.c_size_t(bound), page,
                                       ctypes.c_size_t(len(page)), 1)
        if self._lib.ZSTD_isError(ctypes.c_size_t(size)):
            raise ValueError("zstd cannot compress a page")
        return out.raw[:size]


class Snappy:
    FLAG = 0x4

    def __init__(self):
        self._lib = load_library("snappy")
        self._lib.snappy_max_compressed_length.restype = ctypes.c_size_t

    def compress(self, page):
        bound = self._lib.snappy_max_compressed_length(ctypes.c_size_t(len(page)))
        out = ctypes.create_string_buffer(bound)
        size = ctypes.c_size_t(bound)
        if self._lib.snappy_compress(page, ctypes.c_size_t(len(page)), out,
                                     ctypes.byref(size)) != 0:
            raise ValueError("snappy cannot compress a page")
        return out.raw[:size.value]


def count_pages(bitmaps):
    """The pages in the file: the bits of the second of the two bitmaps."""
    dumped = bitmaps[len(bitmaps) // 2:]
    return int.from_bytes(dumped, "little").bit_count()


def recompress(source, target, codec):
    source.seek(STATUS_OFFSET)
    status, block_size, sub_hdr_blocks, bitmap_blocks = HEADER.unpack(source.read(HEADER.size))
    source.seek(0)
    head = bytearray(source.read((1 + sub_hdr_blocks) * block_size))
    if head[:8] != b"KDUMP   ":
        sys.exit("recompress_kdump.py: the input is no kdump file")
    struct.pack_into("<i", head, STATUS_OFFSET, (status & ~ZLIB) | codec.FLAG)
    bitmaps = source.read(bitmap_blocks * block_size)
    descs = source.read(count_pages(bitmaps) * PAGE_DESC.size)

    target.write(head)
    target.write(bitmaps)
    position = target.tell() + len(descs)
    target.seek(position)
    new_descs = bytearray()
    moved = {}  # old offset: (new offset, size, flags); all zero pages share one
    for offset, size, flags, page_flags in PAGE_DESC.iter_unpack(descs):
        if offset not in moved:
            source.seek(offset)
            page = source.read(size)
            if flags & ZLIB:
                page = zlib.decompress(page)
            packed = codec.compress(page)
            new_flags = codec.FLAG
            if len(packed) >= len(page):
                packed, new_flags = page, 0
            target.write(packed)
            moved[offset] = (position, len(packed), new_flags)
            position += len(packed)
        new_descs += PAGE_DESC.pack(*moved[offset], page_flags)
    target.seek(len(head) + len(bitmaps))
    target.write(new_descs)


def main():
    codecs = {"zstd": Zstd, "snappy": Snappy}
    if len(sys.argv) != 4 or sys.argv[1] not in codecs:
        sys.exit(__doc__)
    with open(sys.argv[2], "rb") as source, open(sys.argv[3], "wb") as target:
        recompress(source, target, codecs[sys.argv[1]]())


if __name__ == "__main__":
    main()
