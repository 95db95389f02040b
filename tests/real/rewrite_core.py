# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the memory of an ELF vmcore of QEMU's anew, with the headers that others' dumps have."""

import struct

from elf_core import EHDR, NHDR, PAGE, PHDR, PT_LOAD, PT_NOTE, ElfCore, align4

CHUNK = 1 << 20
PAGE_OFFSET = 0xffff888000000000
LIME = struct.Struct("<IIQQQ")
LIME_MAGIC, LIME_VERSION = 0x4c694d45, 1


def note(name, kind, desc):
    name = name.encode() + b"\0"
    return (NHDR.pack(len(name), len(desc), kind) + name.ljust(align4(len(name)), b"\0") +
            desc.ljust(align4(len(desc)), b"\0"))


def copy_memory(core, file, segment):
    """Zeros become holes of the file."""
    start, size, _ = segment
    begin = file.tell()
    for at in range(0, size, CHUNK):
        data = core.read_physical(start + at, min(CHUNK, size - at))
        if data.count(0) != len(data):
            file.seek(begin + at)
            file.write(data)
    file.seek(begin + size)


def write_elf(core, path, notes, vaddr_base):
    """An ELF core file of one PT_NOTE and the memory; p_vaddr is vaddr_base + p_paddr, or 0."""
    count = 1 + len(core.segments)
    notes_at = EHDR.size + count * PHDR.size
    at = (notes_at + len(notes) + PAGE - 1) // PAGE * PAGE
    headers = [PHDR.pack(PT_NOTE, 0, notes_at, 0, 0, len(notes), len(notes), 0)]
    begin = at
    for start, size, _ in core.segments:
        vaddr = vaddr_base + start if vaddr_base else 0
        headers.append(PHDR.pack(PT_LOAD, 7, at, vaddr, start, size, size, 0))
        at += size
    with open(path, "wb") as file:
        file.write(EHDR.pack(b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 4, 62, 1, 0, EHDR.size, 0, 0,
                             EHDR.size, PHDR.size, count, 0, 0, 0))
        file.write(b"".join(headers) + notes)
        file.seek(begin)
        for segment in core.segments:
            copy_memory(core, file, segment)
        file.truncate()


def cpu_notes(core, *names):
    return b"".join(note(name, kind, desc) for name, kind, desc in core.notes if name in names)


def as_vm2core(source, path):
    """Of a saved state of Hyper-V: registers, and a VMCOREINFO that knows nothing of the kernel."""
    core = ElfCore(source)
    placeholder = b"OSRELEASE=unknown\nPAGESIZE=4096\nCRASHTIME=0\n"
    write_elf(core, path, cpu_notes(core, "CORE") + note("VMCOREINFO", 0, placeholder), PAGE_OFFSET)


def as_cloud_hypervisor(source, path):
    """Notes as QEMU's, in which cr[1] is cr8."""
    core = ElfCore(source)
    notes = b""
    for name, kind, desc in core.notes:
        if name == "QEMU":
            cr1 = 8 + 18 * 8 + 10 * 24 + 8  # version, size, registers, segments, cr0
            desc = desc[:cr1] + struct.pack("<Q", 0xf) + desc[cr1 + 8:]
        if name in ("CORE", "QEMU"):
            notes += note(name, kind, desc)
    write_elf(core, path, notes, 0)


def as_virtualbox(source, path):
    """No PRSTATUS, but notes of its own, which are not read."""
    write_elf(ElfCore(source), path, note("VBCORE", 0xb00, bytes(24)) + note("VBCPU", 0xb01, bytes(64)),
              0)


def as_lime(source, path):
    """A header in front of each range of memory."""
    core = ElfCore(source)
    with open(path, "wb") as file:
        for segment in core.segments:
            start, size, _ = segment
            file.write(LIME.pack(LIME_MAGIC, LIME_VERSION, start, start + size - 1, 0))
            copy_memory(core, file, segment)
        file.truncate()


KINDS = {"vm2core": as_vm2core, "cloud-hypervisor": as_cloud_hypervisor,
         "virtualbox": as_virtualbox, "lime": as_lime}
