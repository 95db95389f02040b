#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaves the ORC tables out of a dump and looks whether those of the files do as well.

    check_orc_files.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

A copy of the ELF dump is made whose headers say that the tables of the kernel and of its modules
were filtered out. With the vmlinux and the modules' debug files all frames must be those of the whole
dump; without them no frame may be found by ORC, or the copy shows nothing.
"""

import os
import shutil
import sys
import tempfile

from elf_core import EHDR, PHDR, PT_LOAD
from oracle import Failure, check_main, json_lines, run

PAGE = 4096


def ask(server, line, path, *options):
    return json_lines(run([*server, *options, "-x", line, path], server[0]), server[0])


def symbols(path):
    listed = run(["nm", path], "nm").decode().splitlines()
    return {words[2]: int(words[0], 16) for words in map(str.split, listed) if len(words) == 3}


def table_ranges(server, dump):
    """(virtual address, bytes) of every table."""
    [info] = ask(server, "info --json", dump.files[0])
    slide = int(info["kaslr_offset"], 16)
    linked = symbols(dump.vmlinux)
    for name in ("orc_unwind", "orc_unwind_ip"):
        start, stop = linked[f"__start_{name}"], linked[f"__stop_{name}"]
        yield start + slide, stop - start
    for module in ask(server, "modules --json", dump.files[0]):
        places = {section["name"]: int(section["address"], 16)
                  for section in module.get("sections", [])}
        if ".orc_unwind_ip" in places:
            # A few entries are enough to make the table one that cannot be read.
            yield places[".orc_unwind_ip"], 16
            yield places[".orc_unwind"], 16


def physical_ranges(server, dump):
    for address, size in table_ranges(server, dump):
        while size:
            part = min(size, PAGE - address % PAGE)
            [walk] = ask(server, f"vtop {address:#x} --json", dump.files[0])
            if "physical" not in walk:
                raise Failure(f"vtop {address:#x} tells no physical address: {walk}")
            # The kernel's own tables are in one piece; modules' are within a page.
            if address >= 0xffffffff80000000 and size > PAGE:
                part = size
            yield int(walk["physical"], 16), part
            address += part
            size -= part


def cut_segment(header, hole):
    """The segments that a PT_LOAD becomes when [start, end) of its memory is left out."""
    kind, flags, offset, vaddr, paddr, filesz, memsz, align = header
    start, end = max(hole[0], paddr), min(hole[0] + hole[1], paddr + filesz)
    if kind != PT_LOAD or start >= end:
        return [header]
    parts = [(kind, flags, offset, vaddr, paddr, start - paddr, end - paddr, align)]
    if end < paddr + memsz:
        skip = end - paddr
        parts.append((kind, flags, offset + skip, vaddr + skip, end, filesz - skip, memsz - skip,
                      align))
    return parts


def write_copy(source, holes, target):
    shutil.copyfile(source, target)
    with open(target, "r+b") as file:
        ehdr = list(EHDR.unpack(file.read(EHDR.size)))
        file.seek(ehdr[5])
        headers = [PHDR.unpack(file.read(PHDR.size)) for _ in range(ehdr[10])]
        for hole in holes:
            headers = [part for header in headers for part in cut_segment(header, hole)]
        file.seek(0, os.SEEK_END)
        ehdr[5], ehdr[10] = file.tell(), len(headers)
        file.write(b"".join(PHDR.pack(*header) for header in headers))
        file.seek(0)
        file.write(EHDR.pack(*ehdr))


def places(threads):
    return {thread["tid"]: ([frame["pc"] for frame in thread["frames"]], thread["end"])
            for thread in threads}


def compare(dump, server):
    vmlinux = ("--symbols", dump.vmlinux)
    whole = places(ask(server, "bt --all --json", dump.files[0], *vmlinux))
    with tempfile.TemporaryDirectory(dir=os.path.dirname(dump.files[0])) as folder:
        copy = os.path.join(folder, "without-orc")
        write_copy(dump.files[0], list(physical_ranges(server, dump)), copy)
        without = ask(server, "bt --all --json", copy)
        with_files = places(ask(server, "bt --all --json", copy, *vmlinux))
    by_orc = sum(frame["how"] == "orc" for thread in without for frame in thread["frames"])
    if by_orc:
        return [f"without files {by_orc} frames are found by ORC: the copy still has its tables"]
    return [f"thread {tid}: {with_files.get(tid)} with tables from files, {whole[tid]} without"
            for tid in sorted(whole) if with_files.get(tid) != whole[tid]]


if __name__ == "__main__":
    if shutil.which("nm") is None:
        print("nm is missing", file=sys.stderr)
        sys.exit(77)
    check_main(__doc__, compare)
