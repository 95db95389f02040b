#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a dump's threads: the oracle that shares no code with the server.

    oracle_drgn.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines. One object a thread: tid, pid, comm, kind, task, stack (base and size), state,
cpu, on_cpu, regs (rip, rsp, rbp, rbx, r12-r15, where known) and frames: the functions' names,
innermost first, inlined ones included. Then one object with facts: "symbols" are runtime addresses
to check a client's symbols by, "host_save_areas" where each CPU's last VMRUN has left the host.

The registers are read from where the kernel has saved them (the switch frame on the stack, the
per-CPU crash notes) by drgn's types and symbols, not from its stack traces, which are misled by
some of these dumps. How drgn 0.0.22 takes them:
  - ELF saved by a crash kernel, and kdump files of it, filtered or not (through libkdumpfile): as
    they are.
  - ELF written by QEMU with VMCOREINFO: its segments have no virtual addresses, so drgn cannot
    reach the page tables ("recursive address translation") until it is told where the kernel image
    lies, which add_image_mapping does. Its notes are QEMU's own; for a running task drgn's stack
    trace then starts from the *stale* frame of the last switch, and for a sleeping one whose pid is
    its CPU's number + 1, as in QEMU's notes, from that CPU's note. The running tasks' registers are
    left out here: QEMU's own view is the oracle for them.
  - ELF written by QEMU without VMCOREINFO: refused. --vmcoreinfo-from takes the note from another
    dump of the same boot.
  - kdump files written by QEMU: refused, flattened or not (no architecture in utsname).
  - flattened files and split sets: refused, but their contents are those of the ELF dump.
  - 6.12: it finds no modules and cannot read the ORC tables, so there are no host_save_areas and no
    functions' names.
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
    from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr
    from drgn.helpers.linux.pid import for_each_task
    from drgn.helpers.linux.sched import idle_task, task_cpu, task_state_to_char
except ImportError:
    print("oracle_drgn.py: this python3 cannot import drgn (package python3-drgn)",
          file=sys.stderr)
    sys.exit(77)

REGISTERS = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]
PR_REG = 112  # struct elf_prstatus.pr_reg: the offset, and the words' order
PR_REG_INDEX = {"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbp": 4, "rbx": 5, "rip": 16, "rsp": 19}
SYMBOLS = ["init_task", "linux_banner", "jiffies", "schedule", "page_offset_base"]
MODULE_SYMBOLS = {"kvm": "kvm_vcpu_ioctl", "kvm_amd": "svm_vcpu_run"}
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
    """The program, and whether the dump's notes are the kernel's own."""
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


def open_as_far_as_possible(path, vmlinux, modules):
    """open_dump, without the modules where drgn cannot find them in the dump."""
    try:
        return open_dump(path, [vmlinux, *modules])
    except drgn.MissingDebugInfoError as error:
        if "kernel modules" not in str(error):
            raise
        print(f"oracle_drgn.py: goes on without modules: {error}", file=sys.stderr)
        return open_dump(path, [vmlinux])


# What __switch_to_asm has pushed: members of struct inactive_task_frame.
SWITCH_FRAME = {"r15": "r15", "r14": "r14", "r13": "r13", "r12": "r12", "rbx": "bx", "rbp": "bp",
                "rip": "ret_addr"}


def switch_registers(prog, task):
    """Where a task that is not running goes on."""
    sp = task.thread.sp.value_()
    try:
        frame_type = prog.type("struct inactive_task_frame")
    except LookupError:
        # Until 4.8 switch_to() has pushed rbp and flags.
        return {"rbp": hex(prog.read_u64(sp)), "rsp": hex(sp + 16)}
    frame = drgn.Object(prog, frame_type, address=sp)
    regs = {name: hex(frame.member_(member).value_()) for name, member in SWITCH_FRAME.items()}
    regs["rsp"] = hex(sp + frame_type.size)
    return regs


def note_registers(prog, cpu):
    """What a CPU held when the kernel crashed: struct elf_prstatus in its crash_notes."""
    note_address = per_cpu_ptr(prog["crash_notes"], cpu).value_()
    note_size = NHDR.size + align4(len(b"CORE\0"))
    user_regs = struct.unpack("<27Q", prog.read(note_address + note_size + PR_REG, 27 * 8))
    return {name: hex(user_regs[PR_REG_INDEX[name]]) for name in REGISTERS}


def function_names(prog, task):
    """The backtrace, innermost first; [] where drgn cannot unwind (6.12's ORC)."""
    try:
        return [frame.name for frame in prog.stack_trace(task)]
    except Exception as error:  # drgn raises nothing more special
        if "ORC" not in str(error):
            raise
        return []


def is_misled(task, cpu, notes_usable):
    """QEMU's notes carry CPU + 1 for a pid: drgn takes one for the note of a task with that pid."""
    return not notes_usable and (bool(task.on_cpu) or task.pid == cpu + 1)


def keeps_stack(prog, task):
    """Until 4.8 a task does for as long as it is there."""
    if not prog.type("struct task_struct").has_member("stack_refcount"):
        return True
    count = task.stack_refcount  # a refcount_t since 5.2, an atomic_t before
    return (count.refs if count.type_.type_name() == "refcount_t" else count).counter != 0


def describe(prog, task, kind, cpu, notes_usable):
    on_cpu = bool(task.on_cpu)
    has_stack = keeps_stack(prog, task)
    misled = is_misled(task, cpu, notes_usable)
    regs = {}
    if on_cpu and notes_usable:
        regs = note_registers(prog, cpu)
    elif not on_cpu and has_stack:
        regs = switch_registers(prog, task)
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
        "regs": regs,
        "frames": function_names(prog, task) if has_stack and not misled else [],
    }


def all_tasks(prog):
    """(task, kind, cpu) of every thread."""
    # Present, not online: a panic takes the other CPUs offline.
    for cpu in for_each_present_cpu(prog):
        yield idle_task(prog, cpu), "idle", cpu
    for task in for_each_task(prog):
        yield task, "task", task_cpu(task)


def host_save_areas(prog):
    """{cpu: rip and rsp that VMRUN saved}: where the host continues after the guest. Valid only
    while that CPU is in its guest. Empty where drgn has no modules."""
    areas = {}
    if "svm_data" not in prog:
        return areas
    # Constants where the kernel does not move them.
    vmemmap = prog["vmemmap_base"].value_() if "vmemmap_base" in prog else 0xffffea0000000000
    direct_map = prog["page_offset_base"].value_() if "page_offset_base" in prog \
        else 0xffff880000000000
    for cpu in for_each_present_cpu(prog):
        data = per_cpu(prog["svm_data"], cpu)
        if data.type_.kind == drgn.TypeKind.POINTER:
            data = data[0]
        page = data.save_area.value_()
        physical = (page - vmemmap) // prog.type("struct page").size * 4096
        areas[cpu] = {"rip": hex(prog.read_u64(direct_map + physical + 0x578)),
                      "rsp": hex(prog.read_u64(direct_map + physical + 0x5d8))}
    return areas


def parse_arguments(doc):
    """(dump to take VMCOREINFO from or None, dump, vmlinux, modules)"""
    arguments = sys.argv[1:]
    donor = None
    if len(arguments) > 1 and arguments[0] == "--vmcoreinfo-from":
        donor = arguments[1]
        arguments = arguments[2:]
    if len(arguments) < 2:
        sys.exit(doc)
    return donor, arguments[0], arguments[1], arguments[2:]


def module_symbols(prog):
    """None of a kernel whose modules this drgn does not find."""
    for module, name in MODULE_SYMBOLS.items():
        with contextlib.suppress(LookupError):
            yield f"{module}:{name}", hex(prog.symbol(name).address)


def main():
    donor, dump, vmlinux, modules = parse_arguments(__doc__)
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, notes_usable = open_as_far_as_possible(path, vmlinux, modules)
        for task, kind, cpu in all_tasks(prog):
            print(json.dumps(describe(prog, task, kind, cpu, notes_usable)))
        print(json.dumps({
            "symbols": {name: hex(prog.symbol(name).address) for name in SYMBOLS},
            "module_symbols": dict(module_symbols(prog)),
            "banner": prog["linux_banner"].string_().decode(),
            "host_save_areas": host_save_areas(prog),
        }))


if __name__ == "__main__":
    main()
