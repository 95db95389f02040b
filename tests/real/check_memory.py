#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads kernel memory through the server, and compares it with the raw ELF dump's.

    check_memory.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Kernel image, direct map, vmalloc (stacks), module text, reads over page borders; and addresses
that must give an error: not mapped, not canonical, excluded by makedumpfile. Names of modules'
functions, given to `vtop`, lead to where drgn says they are. The same memory by physical addresses; and
the control registers of CPUs, which tools walk page tables by, are QEMU's.
"""

import qemu_registers

from elf_core import PAGE, PT_LOAD, ElfCore
from oracle import check_main, json_lines, run
from rsp_client import RspClient
from server_process import Server

KERNEL_MAP = 0xffffffff80000000


def readable(dump):
    """(what, address, size) of memory that every dump here holds, filtered ones too."""
    symbols = {name: int(value, 16) for name, value in dump.facts["symbols"].items()}
    yield "the kernel's banner", symbols["linux_banner"], 64
    yield "init_task", symbols["init_task"], 2048
    yield "kernel text over a page border", (symbols["schedule"] & -PAGE) - 8, 16
    sleeper = dump.thread_named("sleep")
    task, stack = int(sleeper["task"], 16), int(sleeper["stack"][0], 16)
    yield "a task in the direct map", task, 256
    yield "eight bytes at an odd address", task + 3, 8
    stack_size, rsp = sleeper["stack"][1], int(sleeper["regs"]["rsp"], 16)
    yield "the used part of a stack in vmalloc space", rsp, stack + stack_size - rsp
    if not dump.entry["filtered"]:  # which excludes pages of zeros
        yield "a whole stack in vmalloc space", stack, stack_size
    for save_area in dump.facts["host_save_areas"].values():
        if int(save_area["rip"], 16) == 0:
            continue  # no guest has run there
        yield "module text", int(save_area["rip"], 16), 64


def expected_bytes(core, address, size):
    data = b""
    while size > 0:
        part = min(size, PAGE - address % PAGE)
        data += core.read_virtual(address, part)
        address, size = address + part, size - part
    return data


def unreadable(dump):
    """(what, address) of what must be an error, and never zeros."""
    yield "the null page", 0
    yield "a non-canonical address", 0x8000000000000000
    yield "the last bytes of all", 0xfffffffffffffff8
    yield "the guard page below a stack", int(dump.thread_named("sleep")["stack"][0], 16) - 8
    if dump.entry["filtered"]:
        yield "a page that makedumpfile excluded", excluded_page(dump)


def excluded_page(dump):
    """The direct-map address of a page with content that the full dump has, the filtered not."""
    filtered = ElfCore(dump.path("dumps/kdump.elf-d31"))
    for kind, _, _, vaddr, paddr, filesz, _, _ in dump.core.program_headers:
        if kind != PT_LOAD or vaddr >= KERNEL_MAP:
            continue
        for page in range(0, filesz, PAGE):
            data = dump.core.read_physical(paddr + page, PAGE)
            if any(data) and not holds(filtered, paddr + page):
                return vaddr + page
    raise ValueError("makedumpfile excluded no page with content")


def holds(core, physical):
    try:
        core.read_physical(physical, PAGE)
    except KeyError:
        return False
    return True


def symbols_differ(dump, command):
    """Names of modules' functions, with the module's and alone."""
    expected = {text: address for name, address in dump.facts["module_symbols"].items()
                for text in (name, name.partition(":")[2])}
    lines = [word for name in expected for word in ("-x", f"vtop {name} --json")]
    answers = json_lines(run([*command, "-q", *lines, *dump.files], command[0]), command[0])
    for (name, address), said in zip(expected.items(), answers, strict=True):
        if said["address"] != address:
            yield f"{name} is at {said['address']}, should be at {address}"


def physical_differs(dump, client):
    """The banner by its physical address, asked for in both ways that tools do it."""
    address = int(dump.facts["symbols"]["linux_banner"], 16)
    expected = expected_bytes(dump.core, address, 64)
    physical = int(client.monitor(f"vtop {address:x}").rpartition("-> physical ")[2].split(",")[0], 16)
    if dump.core.read_physical(physical, 64) != expected:
        yield f"vtop: the banner is not at physical {physical:#x}"
    for switch_on, switch_off in [(lambda: client.command("Qqemu.PhyMemMode:1"),
                                   lambda: client.command("Qqemu.PhyMemMode:0")),
                                  (lambda: client.monitor("phys"), lambda: client.monitor("virt"))]:
        switch_on()
        if (mode := client.command("qqemu.PhyMemMode")) != "1":
            yield f"qqemu.PhyMemMode is {mode} while addresses are physical"
        if client.read_memory(physical, 64) != expected:
            yield f"physical {physical:#x} is not the banner"
        if (got := client.read_memory(1 << 45, 8)) is not None:
            yield f"physical memory that no machine has is no error, but {got.hex()}"
        switch_off()
        if client.read_memory(address, 64) != expected:
            yield "the banner is not there by virtual addresses afterwards"


def system_registers_differ(dump, client):
    """Of the CPUs whose own registers are known; by the kernel's own notes none are."""
    expected = {}
    if dump.cpus is not None:
        expected = qemu_registers.read_system(dump.path(dump.entry["oracle"]["registers"]))
    threads = json_lines(client.monitor("threads --json").encode(), "threads")
    seen = 0
    for thread in threads:
        client.command(f"Hg{thread['tid']:x}")
        said = client.monitor("r").splitlines()
        known = [line for line in said if "is not known: " not in line]
        if expected and thread["on_cpu"] and thread["regs_from"] in ("note", "user"):
            seen += 1
            wanted = expected[thread["cpu"]]
        else:
            wanted = []
        if len(said) != 7 or known != wanted:
            yield f"thread {thread['tid']}: system registers are {said}, should be {wanted}"
    if expected and not seen and not all(cpu.in_guest for cpu in dump.cpus.values()):
        yield "no thread has system registers"


def check(dump, command):
    lines = list(symbols_differ(dump, command)) if dump.facts["module_symbols"] else []
    with Server(command, dump.files) as server:
        client = RspClient(server.host, server.port)
        for what, address, size in readable(dump):
            got = client.read_memory(address, size)
            if got != expected_bytes(dump.core, address, size):
                lines.append(f"{what} at {address:#x}, {size} bytes, is not what the raw dump "
                             f"holds: {got.hex() if got else 'an error'}")
        for what, address in unreadable(dump):
            got = client.read_memory(address, 8)
            if got is not None:
                lines.append(f"{what} at {address:#x} is no error, but {got.hex()}")
        lines += [*physical_differs(dump, client), *system_registers_differ(dump, client)]
        client.close()
    return lines


if __name__ == "__main__":
    check_main(__doc__, check)
