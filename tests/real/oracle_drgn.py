#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a dump's threads: the oracle that shares no code with the server.

    oracle_drgn.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines. One object a thread: tid, pid, comm, kind, task, stack (base and size), state,
cpu, on_cpu, regs: rip, rsp, rbp, rbx, r12-r15 of its first frame, as far as drgn has them, and
frames: its functions' names, innermost first, inlined ones included.
Then one object with "symbols": runtime addresses to check a client's symbols by.

How drgn 0.0.22 takes these dumps:
  - ELF saved by a crash kernel, and kdump files of it, filtered or not (through libkdumpfile):
    as they are. It has all registers of the running tasks, from the notes, matched to CPUs by the
    kernel's crash_notes.
  - ELF written by QEMU with VMCOREINFO: its segments have no virtual addresses, so drgn cannot
    reach the page tables ("recursive address translation") until it is told where the kernel image
    lies, which add_image_mapping does. drgn ignores the notes (VMCOREINFO has no CRASHTIME), and
    takes the *stale* frame of the last switch for the registers of a running task. These are left
    out here: QEMU's own view is the oracle for them.
  - ELF written by QEMU without VMCOREINFO: refused. --vmcoreinfo-from takes the note from another
    dump of the same boot.
  - kdump files written by QEMU: refused, flattened or not (no architecture in utsname).
  - flattened files and split sets: refused, but their contents are those of the ELF dump.
A zombie has given its stack back: drgn then fails, or decodes what another task has made of it, so
it has no registers here.
"""

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile

from elf_core import EHDR, KERNEL_MAP, NHDR, PHDR, PT_NOTE, ElfCore, align4

try:
    import drgn
    from drgn.helpers.linux.cpumask import for_each_present_cpu
    from drgn.helpers.linux.percpu import per_cpu
    from drgn.helpers.linux.pid import for_each_task
    from drgn.helpers.linux.sched import idle_task, task_cpu, task_state_to_char
except ImportError:
    print("oracle_drgn.py: this python3 cannot import drgn (package python3-drgn)",
          file=sys.stderr)
    sys.exit(77)

REGISTERS = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]
SYMBOLS = ["init_task", "linux_banner", "jiffies", "schedule"]
IDLE_TID_BASE = 10000000
IMAGE_SIZE = 1 << 30
THREAD_SIZE = 16384  # of x86-64 without KASAN; Debian's vmlinux has no type to take it from
NOTE_NAME = b"VMCOREINFO\0"


def note(name, desc):
    """An ELF note, padded."""
    return (NHDR.pack(len(name), len(desc), 0) + name.ljust(align4(len(name)), b"\0")
            + desc.ljust(align4(len(desc)), b"\0"))


@contextlib.contextmanager
def with_vmcoreinfo(path, donor):
    """A sparse copy of an ELF dump whose one note is the donor's VMCOREINFO."""
    text = ElfCore(donor).vmcoreinfo_note
    notes = note(NOTE_NAME, text)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        copy = os.path.join(folder, "vmcore")
        subprocess.run(["cp", "--sparse=always", path, copy], check=True)
        with open(copy, "r+b") as file:
            header = EHDR.unpack(file.read(EHDR.size))
            at = file.seek(0, os.SEEK_END)
            file.write(notes)
            for i in range(header[10]):
                position = header[5] + i * header[9]
                file.seek(position)
                if struct.unpack("<I", file.read(4))[0] == PT_NOTE:
                    file.seek(position)
                    file.write(PHDR.pack(PT_NOTE, 0, at, 0, 0, len(notes), len(notes), 0))
        yield copy


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def add_image_mapping(prog, core):
    """Tells drgn where the kernel image lies, for an ELF dump without virtual addresses."""
    def read(address, count, _offset, _physical):
        return prog.read(core.image_physical(address), count, True)
    prog.add_memory_segment(KERNEL_MAP, IMAGE_SIZE, read, False)


def open_dump(path, debug_files):
    """The program, and whether the notes' registers are the kernel's own."""
    prog = drgn.Program()
    prog.set_core_dump(path)
    by_kernel = True
    if is_elf(path):
        core = ElfCore(path)
        by_kernel = "CRASHTIME" in core.vmcoreinfo
        if not by_kernel:
            add_image_mapping(prog, core)
    prog.load_debug_info(debug_files)
    return prog, by_kernel


def stack_frames(prog, task):
    """[] where the task has no stack any more."""
    if task.stack_refcount.refs.counter == 0:
        return []
    return list(prog.stack_trace(task))


def known_registers(frame):
    known = frame.registers()
    return {name: hex(known[name]) for name in REGISTERS if name in known}


def describe(prog, task, kind, cpu, notes_usable):
    on_cpu = bool(task.on_cpu)
    frames = stack_frames(prog, task) if not on_cpu or notes_usable else []
    return {
        "tid": IDLE_TID_BASE + cpu if kind == "idle" else task.pid.value_(),
        "pid": task.tgid.value_(),
        "comm": task.comm.string_().decode("utf-8", "surrogateescape"),
        "kind": kind,
        "task": hex(task.value_()),
        "stack": [hex(task.stack.value_()), THREAD_SIZE],
        "state": task_state_to_char(task),
        "cpu": cpu,
        "on_cpu": on_cpu,
        "regs": known_registers(frames[0]) if frames else {},
        "frames": [frame.name for frame in frames],
    }


def all_threads(prog, notes_usable):
    # Present, not online: a panic takes the other CPUs offline.
    for cpu in for_each_present_cpu(prog):
        yield describe(prog, idle_task(prog, cpu), "idle", cpu, notes_usable)
    for task in for_each_task(prog):
        yield describe(prog, task, "task", task_cpu(task), notes_usable)


def host_save_areas(prog):
    """{cpu: rip and rsp that VMRUN saved}: where the host continues after the guest. Valid only
    while that CPU is in its guest."""
    areas = {}
    vmemmap = prog["vmemmap_base"].value_()
    direct_map = prog["page_offset_base"].value_()
    for cpu in for_each_present_cpu(prog):
        data = per_cpu(prog["svm_data"], cpu)
        if data.type_.kind == drgn.TypeKind.POINTER:
            data = data[0]
        page = data.save_area.value_()
        physical = (page - vmemmap) // prog.type("struct page").size * 4096
        areas[cpu] = {"rip": hex(prog.read_u64(direct_map + physical + 0x578)),
                      "rsp": hex(prog.read_u64(direct_map + physical + 0x5d8))}
    return areas


def main():
    arguments = sys.argv[1:]
    donor = None
    if len(arguments) > 1 and arguments[0] == "--vmcoreinfo-from":
        donor = arguments[1]
        arguments = arguments[2:]
    if len(arguments) < 2:
        sys.exit(__doc__)
    dump, debug_files = arguments[0], arguments[1:]
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, notes_usable = open_dump(path, debug_files)
        for thread in all_threads(prog, notes_usable):
            print(json.dumps(thread))
        print(json.dumps({
            "symbols": {name: hex(prog.symbol(name).address) for name in SYMBOLS},
            "banner": prog["linux_banner"].string_().decode(),
            "host_save_areas": host_save_areas(prog),
        }))


if __name__ == "__main__":
    main()
