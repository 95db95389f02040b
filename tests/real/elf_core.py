# SPDX-License-Identifier: GPL-2.0-or-later
"""Just enough of an ELF vmcore to check others by: its notes, VMCOREINFO and physical memory."""

import mmap
import struct

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
NHDR = struct.Struct("<III")
PT_LOAD, PT_NOTE = 1, 4
PAGE = 4096
KERNEL_MAP = 0xffffffff80000000  # where the kernel image's mapping begins
PRESENT, LARGE = 0x1, 0x80
FRAME_BITS = 0x000ffffffffff000


def align4(value):
    return (value + 3) & ~3


class ElfCore:
    """An ELF vmcore that lies in one file, not flattened."""

    def __init__(self, path):
        self._file = open(path, "rb")
        self._data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        header = EHDR.unpack_from(self._data)
        if header[0][:4] != b"\x7fELF":
            raise ValueError(f"{path} is no ELF file")
        self.program_headers = [PHDR.unpack_from(self._data, header[5] + i * header[9])
                                for i in range(header[10])]
        # (physical address, size, file offset)
        self.segments = [(paddr, filesz, offset)
                         for kind, _, offset, _, paddr, filesz, _, _ in self.program_headers
                         if kind == PT_LOAD]
        self.notes = list(self._read_notes())
        self.vmcoreinfo = self._read_vmcoreinfo()

    def _read_notes(self):
        for kind, _, offset, _, _, filesz, _, _ in self.program_headers:
            end = offset + filesz
            while kind == PT_NOTE and offset + NHDR.size <= end:
                namesz, descsz, note_type = NHDR.unpack_from(self._data, offset)
                name_at = offset + NHDR.size
                desc_at = name_at + align4(namesz)
                name = self._data[name_at:name_at + namesz].rstrip(b"\0").decode("latin-1")
                yield name, note_type, self._data[desc_at:desc_at + descsz]
                offset = desc_at + align4(descsz)

    def _read_vmcoreinfo(self):
        """{key: value}, empty where the dump has none."""
        for name, _, desc in self.notes:
            if name == "VMCOREINFO":
                lines = desc.rstrip(b"\0").decode().splitlines()
                return dict(line.split("=", 1) for line in lines if "=" in line)
        return {}

    @property
    def vmcoreinfo_note(self):
        """The text of VMCOREINFO as it stands in the dump, None where there is none."""
        for name, _, desc in self.notes:
            if name == "VMCOREINFO":
                return desc
        return None

    @property
    def kernel_offset(self):
        return int(self.vmcoreinfo["KERNELOFFSET"], 16)

    def image_physical(self, address):
        """The physical address of one within the kernel image's mapping."""
        return address - KERNEL_MAP + int(self.vmcoreinfo["NUMBER(phys_base)"])

    def read_physical(self, address, size):
        """Raises KeyError where the dump does not hold all of it."""
        for start, length, offset in self.segments:
            if start <= address and address + size <= start + length:
                at = offset + address - start
                return self._data[at:at + size]
        raise KeyError(f"no physical memory at {address:#x}")

    def read_u64(self, physical):
        return struct.unpack("<Q", self.read_physical(physical, 8))[0]

    def translate(self, address):
        """A kernel address to a physical one, by the kernel's own page tables."""
        table = self.image_physical(int(self.vmcoreinfo["SYMBOL(swapper_pg_dir)"], 16))
        levels = 5 if self.vmcoreinfo.get("NUMBER(pgtable_l5_enabled)") == "1" else 4
        for level in range(levels, 0, -1):
            shift = 12 + 9 * (level - 1)
            entry = self.read_u64(table + ((address >> shift) & 0x1ff) * 8)
            if not entry & PRESENT:
                raise KeyError(f"{address:#x} is not mapped")
            if level == 1 or (level in (2, 3) and entry & LARGE):
                offset_mask = (1 << shift) - 1
                return (entry & FRAME_BITS & ~offset_mask) | (address & offset_mask)
            table = entry & FRAME_BITS

    def read_virtual(self, address, size):
        """Within one page."""
        return self.read_physical(self.translate(address), size)
