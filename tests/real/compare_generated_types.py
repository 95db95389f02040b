#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Types of the image generated from a dump against those of the kernel's own debug files.

    compare_generated_types.py MANIFEST DUMP_NAME SERVER

Every structure and union with a name, of the kernel and of the module kvm: drgn must say the same of
each member of it in both: name, offset, size, bit-field, type. And gdb must print some large ones
the same with ptype /o, up to what BTF does not keep:
  - the dimensions of an array of arrays are one (int x[2][3] is int x[6]);
  - an array without elements and a flexible one are the same ([0] is []).
"""

import difflib
import json
import math
import os
import re
import shutil
import struct
import sys
import tempfile

from oracle import HERE, Failure, json_lines, run, skip

PRINTED = ("task_struct", "kvm", "kvm_vcpu", "kvm_mmu", "module", "mm_struct")
# A few kinds of BTF (include/uapi/linux/btf.h) and how many bytes follow their record: some once,
# some for each element.
STRUCT, UNION = 4, 5
ONCE = {1: 4, 3: 12, 14: 4, 17: 4}
EACH = {STRUCT: 12, UNION: 12, 6: 8, 13: 8, 15: 12, 19: 12}


def btf_section(path):
    """The .BTF of an ELF file: its bytes."""
    with open(path, "rb") as file:
        head = file.read(64)
        (table,), (entry, count, names) = (struct.unpack_from("<Q", head, 40),
                                           struct.unpack_from("<HHH", head, 58))
        file.seek(table)
        sections = [struct.unpack_from("<IIQQQQ", file.read(entry)) for _ in range(count)]
        file.seek(sections[names][4])
        strings = file.read(sections[names][5])
        for name, _, _, _, offset, size in sections:
            if strings[name:strings.index(b"\0", name)] == b".BTF":
                file.seek(offset)
                return file.read(size)
    raise Failure(f"{path} has no .BTF")


def structures(blob, base_strings=b""):
    """How often each "struct foo" or "union foo" is defined in BTF, and its strings."""
    header, types, types_len, at, length = struct.unpack_from("<IIIII", blob, 4)
    strings = base_strings + blob[header + at:header + at + length]
    found = {}
    offset, end = header + types, header + types + types_len
    while offset < end:
        name, info, _ = struct.unpack_from("<III", blob, offset)
        kind, count = info >> 24 & 0x1f, info & 0xffff
        if kind in (STRUCT, UNION) and name:
            word = strings[name:strings.index(b"\0", name)].decode("ascii")
            key = f"{'struct' if kind == STRUCT else 'union'} {word}"
            found[key] = found.get(key, 0) + 1
        offset += 12 + ONCE.get(kind, 0) + EACH.get(kind, 0) * count
    return found, strings


def names_to_compare(vmlinux, module):
    """Of several structures with one name BTF and DWARF need not have the same one first."""
    kernel, strings = structures(btf_section(vmlinux))
    own, _ = structures(btf_section(module), strings)
    return sorted(name for name in kernel.keys() | own.keys()
                  if kernel.get(name, 0) + own.get(name, 0) == 1)


def without_dimensions(text):
    """int x[2][3] as int x[6], [0] as []."""
    def product(found):
        count = math.prod(int(digits or 0) for digits in re.findall(r"\[(\d*)\]", found.group()))
        return f"[{count or ''}]"
    return re.sub(r"(\[\d*\])+", product, text)


def ask_drgn(names, files):
    python = run(["sh", os.path.join(HERE, "find_python.sh")], "find_python.sh").decode().strip()
    script = os.path.join(HERE, "oracle_drgn_types.py")
    answer = json_lines(run([python, script, names, *files], "drgn"), "drgn")
    for kind in answer:
        for member in kind["members"]:
            member[4] = without_dimensions(member[4])
    return {kind["name"]: kind for kind in answer}


def ask_gdb(files, cache):
    command = ["gdb", "-nx", "-batch", "-iex", "set index-cache enabled on",
               "-iex", f"set index-cache directory {cache}", "-ex", "set width 0", files[0]]
    for file in files[1:]:
        command += ["-ex", f"add-symbol-file {file} 0xffffffffc0000000"]
    for name in PRINTED:
        command += ["-ex", f"ptype /o struct {name}"]
    output = run(command, "gdb").decode("utf-8", "replace")
    start = output.find("/* offset")
    if start < 0:
        raise Failure(f"gdb printed no structure of {files[0]}:\n{output}")
    return without_dimensions(output[start:]).splitlines()


def compare(names, real, made):
    compared = 0
    for name in names:
        if name not in real:
            continue  # local to a function: BTF has it, DWARF under its function
        compared += 1
        if name not in made:
            yield f"{name} is missing"
        elif made[name] != real[name]:
            pairs = zip(real[name]["members"], made[name]["members"])
            first = next((pair for pair in pairs if pair[0] != pair[1]), "number of members or size")
            yield f"{name} differs: {first}"
    print(f"{compared} structures and unions compared")
    if compared < 5000:
        yield "that are suspiciously few"


def check(manifest, dump_name, server):
    base = os.path.dirname(os.path.abspath(manifest))
    with open(manifest, encoding="utf-8") as file:
        dump = next(d for d in json.load(file)["dumps"] if d["name"] == dump_name)
    files = [os.path.join(base, file) for file in dump["files"]]
    vmlinux = os.path.join(base, dump["vmlinux"])
    module = next(os.path.join(base, m) for m in dump["modules"] if m.endswith("/kvm.ko"))
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        run([server, "--write-symbols", image, *files], "vmcore-gdbserver")
        wanted = os.path.join(folder, "names")
        names = names_to_compare(vmlinux, module)
        with open(wanted, "w", encoding="ascii") as file:
            file.writelines(f"{name}\n" for name in names)
        lines = list(compare(names, ask_drgn(wanted, [vmlinux, module]),
                             ask_drgn(wanted, [image])))
        printed = difflib.unified_diff(ask_gdb([vmlinux, module], os.path.join(base, "gdb-index")),
                                       ask_gdb([image], folder), "real", "generated",
                                       lineterm="", n=1)
        return lines + [f"ptype: {line}" for line in printed]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if not shutil.which("gdb"):
        skip("gdb is not installed")
    try:
        lines = check(*sys.argv[1:])
    except (Failure, ValueError, OSError) as error:
        sys.exit(f"{sys.argv[2]}: {error}")
    for line in lines[:50]:
        print(line, file=sys.stderr)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
