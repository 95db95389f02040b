# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pages of physical memory a dump's file holds, by its own tables."""

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile

from elf_core import PAGE, ElfCore

# struct disk_dump_header on x86-64, up to bitmap_blocks (makedumpfile's diskdump_mod.h).
STATUS_OFFSET = 424
HEADER = struct.Struct("<iiii")  # status, block_size, sub_hdr_size, bitmap_blocks


class KdumpPages:
    """Those of a kdump-compressed file in one piece."""

    def __init__(self, path):
        with open(path, "rb") as file:
            header = file.read(STATUS_OFFSET + HEADER.size)
            _, block, sub_blocks, bitmap_blocks = HEADER.unpack_from(header, STATUS_OFFSET)
            # Two bitmaps follow each other: of the memory there was, and of that which was kept.
            size = bitmap_blocks * block // 2
            file.seek((1 + sub_blocks) * block + size)
            self._kept = file.read(size)

    def __contains__(self, physical):
        frame = physical // PAGE
        return frame // 8 < len(self._kept) and bool(self._kept[frame // 8] >> frame % 8 & 1)


class ElfPages:
    """Those of an ELF file. makedumpfile leaves out no less than 256 pages in a row there."""

    def __init__(self, path):
        self._core = ElfCore(path)

    def __contains__(self, physical):
        with contextlib.suppress(KeyError):
            self._core.read_physical(physical, PAGE)
            return True
        return False


def held_pages(path):
    """Something that page-aligned physical addresses are `in`; None when makedumpfile is needed, and
    is missing."""
    with open(path, "rb") as file:
        magic = file.read(16)
    if magic.startswith(b"makedumpfile"):
        return unflattened(path)
    return ElfPages(path) if magic.startswith(b"\x7fELF") else KdumpPages(path)


def unflattened(path):
    if not shutil.which("makedumpfile"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "dump")
        with open(path, "rb") as file:
            subprocess.run(["makedumpfile", "-R", plain], stdin=file, capture_output=True,
                           check=True, timeout=300)
        return held_pages(plain)
