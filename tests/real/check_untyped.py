#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump without any types, with the magic numbers of its BTF overwritten; and one without those of
vCPUs, with their names overwritten there. Threads with their registers and frames, modules, and the
vCPUs that are seen all the same, are held against those of the whole dump, and drgn's.

    check_untyped.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Exit status: 0 the same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

import contextlib
import mmap
import os
import subprocess
import tempfile

from oracle import check_main, json_lines, run

BTF = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"  # struct btf_header: magic, version, flags, hdr_len
HEADER, STRINGS = 24, 16  # its length, and in it str_off and str_len
NAME, OTHER = b"\0kvm_vcpu\0", b"\0kvm_v---\0"


def hide_types(memory, at):
    memory[at] = 0


def hide_vcpus(memory, at):
    """The structure's name in the strings, which are in one piece unless it is a file's copy."""
    offset, length = (int.from_bytes(memory[at + n:at + n + 4], "little")
                      for n in (STRINGS, STRINGS + 4))
    start = at + HEADER + offset
    found = memory.find(NAME, start, start + length)
    if found >= 0:
        memory[found:found + len(NAME)] = OTHER


@contextlib.contextmanager
def copy_without(path, hide):
    """A copy with all BTF hidden so: the kernel's, its modules', those of files in memory."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR") or os.getcwd()) as folder:
        copy = os.path.join(folder, "vmcore")
        subprocess.run(["cp", "--sparse=always", path, copy], check=True)
        with open(copy, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            at = memory.find(BTF)
            while at >= 0:
                hide(memory, at)
                at = memory.find(BTF, at + 1)
        yield copy


def ask(server, path, *commands):
    line = [*server, "-q"]
    for command in commands:
        line += ["-x", command + " --json"]
    return json_lines(run([*line, path], "the server"), "the server")


def check_vcpus(seen, threads, wanted, loaded, lines):
    """@wanted: all vCPUs that can be seen; @loaded: the task_struct of each that a thread is in."""
    seen = [row for row in seen if "vcpu" in row]
    if {row["vcpu"] for row in seen} != wanted:
        lines.append(f"vCPUs are {[row['vcpu'] for row in seen]}, not {sorted(wanted)}")
    for row in seen:
        if not row.get("vcpu_by") or row["state"] != "unknown":
            lines.append(f"a vCPU is {row}")
    got = {row["vcpu"]: row["task"] for row in threads if "vcpu" in row}
    if got != loaded:
        lines.append(f"threads in vCPUs are {got}, not {loaded}")


def differences(whole, part, what):
    """Of two objects of JSON: what @part has otherwise. It may leave out what is not known."""
    return [f"{what}: {key} is {part[key]}, not {value}" for key, value in whole.items()
            if key != "regs" and key in part and part[key] != value] + \
           [f"{what}: {reg} is {part['regs'].get(reg)}, not {value}"
            for reg, value in whole.get("regs", {}).items()
            if part.get("regs", {}).get(reg, value) != value]


def check_proven(whole, part, frames, part_frames, lines):
    """@whole and @part: threads by tid, of the dump and of the one without types; then their frames.
    Each thread is there, with all that the table says, and as many frames, where its first
    registers are known."""
    if set(whole) != set(part):
        lines.append(f"threads are {sorted(part)}, not {sorted(whole)}")
        return
    registers = known = 0
    for tid, row in whole.items():
        missing = [key for key in ("pid", "comm", "kind", "state", "task", "on_cpu")
                   if row.get(key) != part[tid].get(key)]
        # Several members of 5.10's task_struct hold a CPU: where it last was may stay unknown.
        missing += [key for key in ("cpu",) if row.get(key) != part[tid].get(key, row.get(key))]
        if missing:
            lines.append(f"{missing} of {part[tid]} are not as in {row}")
        # What only KVM's types tell, of a CPU that ran a guest, is not known.
        if part[tid].get("regs_from") == "unknown":
            if row.get("regs_from") not in ("unknown", "found"):
                lines.append(f"nothing is known of {part[tid]}")
            continue
        if len(frames[tid]) != len(part_frames[tid]):
            lines.append(f"{tid} has {len(part_frames[tid])} frames, not {len(frames[tid])}")
        for n, (frame, other) in enumerate(zip(frames[tid], part_frames[tid])):
            lines += differences({key: frame.get(key) for key in ("pc", "name", "offset", "regs")},
                                 other, f"{tid} #{n}")
            registers += len(frame["regs"])
            known += len(set(frame["regs"]) & set(other["regs"]))
    if known < 0.97 * registers:
        lines.append(f"{known} of {registers} registers are known")


def check(dump, server):
    lines = []
    [path] = dump.files
    theirs = [vcpu for vm in dump.ask_drgn("oracle_drgn_kvm.py") for vcpu in vm["vcpus"]]
    rows = {row["tid"]: row for row in ask(server, path, "threads")}
    # What kvm_vcpu_ioctl() is among the frames of is inside an ioctl.
    whole_frames = {thread["tid"]: thread["frames"] for thread in ask(server, path, "bt --all")}
    frames = {tid: [frame.get("name") for frame in list_] for tid, list_ in whole_frames.items()}
    inside = {vcpu["vcpu"]: rows[vcpu["tid"]] for vcpu in theirs
              if vcpu["tid"] and "kvm_vcpu_ioctl" in frames[vcpu["tid"]]}
    if len(inside) < 2:
        lines.append(f"too few vCPUs are inside an ioctl: {inside}")
    alone = server[:1]
    with copy_without(path, hide_vcpus) as copy:
        check_vcpus(ask(alone, copy, "vcpus"), ask(alone, copy, "threads"), set(inside),
                    {vcpu: row["task"] for vcpu, row in inside.items()}, lines)
    with copy_without(path, hide_types) as copy:
        threads = {row["tid"]: row for row in ask(alone, copy, "threads")}
        part_frames = {row["tid"]: row["frames"] for row in ask(alone, copy, "bt --all")}
        check_proven(rows, threads, whole_frames, part_frames, lines)
        # A note by QEMU may hold the guest's registers: then nothing says which vCPU that is.
        loaded = {vcpu: row["task"] for vcpu, row in inside.items()
                  if threads.get(row["tid"], {}).get("regs_from") != "unknown"}
        check_vcpus(ask(alone, copy, "vcpus"), threads.values(),
                    {vcpu["vcpu"] for vcpu in theirs}, loaded, lines)
        keys = ["name", "module", "ranges"]
        modules = [[{key: row.get(key) for key in keys} for row in ask(alone, which, "modules")]
                   for which in (path, copy)]
        if modules[0] != modules[1]:
            lines.append(f"modules are {modules[1]}, not {modules[0]}")
        named = [frame.get("name") for thread in ask(alone, copy, "bt --all")
                 if "vcpu" in thread for frame in thread["frames"]]
        if loaded and "kvm_vcpu_ioctl" not in named:
            lines.append(f"frames in KVM have no names: {named}")
    return lines


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
