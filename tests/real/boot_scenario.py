#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots the test machine and takes one scenario's dumps, with what QEMU says of the CPUs.

    boot_scenario.py {main,kdump,nokaslr,linux,early} KERNEL_DIR INITRD OUTPUT_DIR

main     one boot, dumped by QEMU: before VMCOREINFO is known, at rest, with a CPU that has just left
         its guest, with a process in user mode, and after a panic
kdump    a panic with a crash kernel that saves /proc/vmcore, and that is dumped by QEMU before
nokaslr  at rest, without KASLR, with page tables of 4 levels (TCG's CPU makes the others have 5),
         and with a guest that runs at a Linux kernel's addresses; and after a panic in an NMI that
         came while a CPU was inside that guest
linux    at rest, with a guest that is a Linux kernel of two CPUs, one of them idle and one, inside
         the guest, in user mode, LOG.guest having what the guest said of itself; and after a panic
         in an interrupt handler, the serial port's, that came while a CPU was inside that guest
early    without VMCOREINFO, with a CPU that is never started: at rest_init(), where there is one task
         alone; when init begins; and after init's first write() has run over its kernel stack, as the
         kernel's function was made to call itself for ever

Beside each dump NAME taken by QEMU it leaves NAME.registers ("info registers" of every CPU) and
NAME.gdb-registers (gdb's, from QEMU's own stub) of the same paused machine.
"""

import glob
import os
import re
import signal
import struct
import subprocess
import sys
import time

from qemu_machine import Machine, MachineError

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT_S = 180  # a boot takes 3 to 25 s
LINUX_GUEST_S = 400  # and that of a guest within it as much again
ATTEMPTS = 500  # some 20 ms each
CONSOLE = "console=ttyS0 panic=0"
CPU_HEADING = re.compile(r"^CPU#(\d+)$", re.MULTILINE)

# The registers that guest/vmhost.c gives its guests and guest/workload.c its spinning process.
GUEST_RBX = "RBX=b0b0b0b0b0b0"
GUEST_RIP = ("RIP=00000000001000", "RIP=ffffffff811000")
GUEST_SAID = re.compile(r"^guest: (.*?)\r?$", re.MULTILINE)
USER_R12 = "R12=1212121212121212"


def registers_by_cpu(text):
    """"info registers -a" as {cpu: its text}."""
    parts = CPU_HEADING.split(text)
    return dict(zip(map(int, parts[1::2]), parts[2::2]))


def in_guest(cpu):
    return GUEST_RBX in cpu and any(rip in cpu for rip in GUEST_RIP)


def is_idle(cpu):
    return "CPL=0" in cpu and "HLT=1" in cpu


def guest_and_idle(cpus):
    return in_guest(cpus[1]) and is_idle(cpus[0])


def guest_on_first_and_idle(cpus):
    return in_guest(cpus[0]) and is_idle(cpus[1])


def guest_and_user(cpus):
    return in_guest(cpus[1]) and USER_R12 in cpus[0] and "CPL=3" in cpus[0]


def guest_in_user(cpus):
    """The guest's workload, not one of the host."""
    return USER_R12 in cpus[1] and "CPL=3" in cpus[1] and is_idle(cpus[0])


def just_left_guest(cpus):
    return GUEST_RBX in cpus[1] and not in_guest(cpus[1])


def pause_when(machine, settled):
    """Pauses the machine in a state whose registers satisfy settled. It runs a while between two
    attempts, each time another: with none it makes no progress from one to the next. Where this
    computer is busy, a short while is all spent on timer interrupts: it gets longer."""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt % 10 * 0.003 * (1 + attempt // 50))
        machine.command("stop")
        text = machine.monitor("info registers -a")
        if settled(registers_by_cpu(text)):
            return
        machine.command("cont")
    raise MachineError(f"in {ATTEMPTS} attempts the CPUs were not once {settled.__name__}:\n{text}")


def pause_leaving_guest(machine):
    """Pauses the machine with the host's rip and rsp in CPU 1, and the guest's other registers:
    too short a moment to be met by chance."""
    pause_when(machine, guest_and_idle)
    gdb_on_stub(machine, "-x", os.path.join(HERE, "leave-guest.gdb"))
    text = machine.monitor("info registers -a")
    if not just_left_guest(registers_by_cpu(text)):
        raise MachineError(f"gdb did not step CPU 1 out of its guest:\n{text}")


def gdb_on_stub(machine, *commands):
    """Runs gdb on QEMU's stub; returns what it printed. It disconnects, since to detach would set
    the machine going."""
    result = subprocess.run(
        ["gdb", "-nx", "-batch", "-ex", "set architecture i386:x86-64",
         "-ex", f"target remote {machine.gdb_socket}", *commands, "-ex", "disconnect"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise MachineError(f"gdb on QEMU's stub: {result.stderr.strip()}")
    return result.stdout


def dump_memory(machine, path, dump_format):
    machine.command("dump-guest-memory", paging=False, protocol=f"file:{path}",
                    format=dump_format)
    os.chmod(path, 0o644)


def take_dumps(machine, output, name, formats):
    """Dumps the paused machine in each of formats, and sends it on."""
    path = os.path.join(output, name)
    with open(f"{path}.registers", "w", encoding="utf-8") as file:
        file.write(machine.monitor("info registers -a"))
    for dump_format, suffix in formats:
        dump_memory(machine, f"{path}.{suffix}", dump_format)
    with open(f"{path}.gdb-registers", "w", encoding="utf-8") as file:
        file.write(gdb_on_stub(machine, "-ex", "thread apply all info registers"))
    machine.command("cont")


ELF = [("elf", "elf")]
# QEMU writes kdump files flattened. Debian's can compress by zlib only.
ELF_AND_KDUMP = [("elf", "elf"), ("kdump-zlib", "qemu-kdump-zlib")]


def run_main(machine, output):
    machine.await_console("phase no-vmcoreinfo", BOOT_S)
    pause_when(machine, guest_and_idle)
    take_dumps(machine, output, "run-novmcoreinfo", ELF)
    machine.type_line()
    machine.await_console("phase run\r", BOOT_S)
    pause_when(machine, guest_and_idle)
    take_dumps(machine, output, "run", ELF_AND_KDUMP)
    pause_leaving_guest(machine)
    take_dumps(machine, output, "run-vmexit", ELF)
    machine.type_line()
    machine.await_console("phase run-user\r", BOOT_S)
    pause_when(machine, guest_and_user)
    take_dumps(machine, output, "run-user", ELF)
    machine.type_line()
    machine.await_console("end Kernel panic", BOOT_S)
    machine.command("stop")
    take_dumps(machine, output, "panic", ELF_AND_KDUMP)


def take_panic(machine, output, name):
    """Dumps the paused machine once what waits for it to go on has made it panic."""
    machine.command("cont")
    machine.await_console("end Kernel panic", BOOT_S)
    machine.command("stop")
    take_dumps(machine, output, name, ELF)


def run_nokaslr(machine, output):
    machine.await_console("phase no-vmcoreinfo", BOOT_S)
    machine.type_line()
    machine.await_console("phase run\r", BOOT_S)
    pause_when(machine, guest_on_first_and_idle)
    take_dumps(machine, output, "nokaslr", ELF)
    pause_when(machine, guest_on_first_and_idle)
    machine.command("inject-nmi")
    take_panic(machine, output, "panic-nmi")


def run_linux(machine, output):
    console = machine.await_console("phase no-vmcoreinfo", LINUX_GUEST_S)
    with open(os.path.join(output, "linux.guest"), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in GUEST_SAID.findall(console))
    machine.type_line()
    machine.await_console("phase run\r", BOOT_S)
    pause_when(machine, guest_in_user)
    take_dumps(machine, output, "linux", ELF)
    pause_when(machine, guest_in_user)
    machine.press_sysrq("c")
    take_panic(machine, output, "panic-irq")


def kernel_symbols(kernel_dir):
    """{name: address} of the vmlinux, which are true without KASLR."""
    vmlinux = glob.glob(os.path.join(kernel_dir, "usr/lib/debug/boot/vmlinux-*"))[0]
    lines = subprocess.run(["nm", vmlinux], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {fields[-1]: int(fields[0], 16)
            for fields in map(str.split, lines.splitlines()) if len(fields) == 3}


def make_recursive(machine, function):
    """Lets the function call itself behind the instruction that puts the stack's canary into the
    frame that it has made: call rel32."""
    code = gdb_on_stub(machine, "-ex", f"x/32i {function:#x}")
    at = int(re.search(r"mov +%rax,0x[0-9a-f]+\(%rsp\)\n.*?(0x[0-9a-f]+)", code)[1], 16)
    call = struct.pack("<Bi", 0xe8, function - (at + 5))
    gdb_on_stub(machine, *(word for i, byte in enumerate(call) for word in
                           ("-ex", f"set *(unsigned char *) {at + i:#x} = {byte}")))


def run_early(machine, symbols, output):
    gdb_on_stub(machine, "-ex", f"hbreak *{symbols['rest_init']:#x}", "-ex", "continue",
                "-ex", "delete")
    dump_memory(machine, os.path.join(output, "rest-init.elf"), "elf")
    machine.command("cont")
    machine.await_console("Run /init as init", BOOT_S)
    machine.command("stop")
    dump_memory(machine, os.path.join(output, "one-cpu.elf"), "elf")
    make_recursive(machine, symbols["vfs_write"])
    take_panic(machine, output, "overflow")


def run_kdump(machine, disk, output):
    for phase in ("no-vmcoreinfo", "run", "run-user"):
        machine.await_console(f"phase {phase}\r", BOOT_S)
        machine.type_line()
    machine.await_console("vmcore size", BOOT_S)
    machine.command("stop")
    dump_memory(machine, os.path.join(output, "capture.elf"), "elf")
    machine.command("cont")
    console = machine.await_console("vmcore saved", BOOT_S)
    machine.await_end(30)
    size = int(re.search(r"vmcore size (\d+)", console).group(1))
    keep_vmcore(disk, os.path.join(output, "kdump.elf"), size)


def keep_vmcore(disk, path, size):
    """Makes the disk, which holds the vmcore from its first byte on, a file of the dump's size."""
    with open(disk, "r+b") as file:
        magic = struct.unpack("4s", file.read(4))[0]
        if magic != b"\x7fELF":
            raise MachineError("the crash kernel left no ELF file on the disk")
        file.truncate(size)
    os.rename(disk, path)


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("main", "kdump", "nokaslr", "linux", "early"):
        sys.exit(__doc__)
    scenario, kernel_dir, initrd, output = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the machine is ended too
    kernel = glob.glob(os.path.join(kernel_dir, "boot", "vmlinuz-*"))[0]
    log = os.path.join(output, scenario)
    disk = os.path.join(output, "vmcore.disk")
    append, extra = CONSOLE, []
    if scenario == "nokaslr":
        append += " nokaslr no5lvl unknown_nmi_panic vmcore_test=high"
    elif scenario == "linux":
        append += " sysrq_always_enabled vmcore_test=linux"
    elif scenario == "early":
        append += " nokaslr maxcpus=1"
        extra = ["-S", "-m", "256"]
    elif scenario == "kdump":
        append += " crashkernel=224M vmcore_test=kdump"
        with open(disk, "wb") as file:
            file.truncate(1 << 30)
        extra = ["-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"]
    try:
        with Machine(kernel, initrd, append, log, extra) as machine:
            if scenario == "main":
                run_main(machine, output)
            elif scenario == "nokaslr":
                run_nokaslr(machine, output)
            elif scenario == "linux":
                run_linux(machine, output)
            elif scenario == "early":
                run_early(machine, kernel_symbols(kernel_dir), output)
            else:
                run_kdump(machine, disk, output)
    except MachineError as error:
        sys.exit(f"boot_scenario.py: {scenario}: {error}")


if __name__ == "__main__":
    main()
