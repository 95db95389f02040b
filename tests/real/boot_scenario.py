#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots the test machine and takes one scenario's dumps, with what QEMU says of the CPUs.

    boot_scenario.py {main,kdump,nokaslr} KERNEL_DIR INITRD OUTPUT_DIR

main     one boot, dumped by QEMU: before VMCOREINFO is known, at rest, with a CPU that has just left
         its guest, with a process in user mode, and after a panic
kdump    a panic with a crash kernel that saves /proc/vmcore
nokaslr  at rest, without KASLR, and with a guest that runs at a Linux kernel's addresses

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

from qemu_machine import Machine, MachineError

BOOT_S = 180  # a boot takes 3 to 25 s
ATTEMPTS = 500  # some 10 ms each
CONSOLE = "console=ttyS0 panic=0"
CPU_HEADING = re.compile(r"^CPU#(\d+)$", re.MULTILINE)

# The registers that guest/vmhost.c gives its guests and guest/workload.c its spinning process.
GUEST_RBX = "RBX=b0b0b0b0b0b0"
GUEST_RIP = ("RIP=00000000001000", "RIP=ffffffff811000")
USER_R12 = "R12=1212121212121212"


def registers_by_cpu(text):
    """"info registers -a" as {cpu: its text}."""
    parts = CPU_HEADING.split(text)
    return dict(zip(map(int, parts[1::2]), parts[2::2]))


def pause_when(machine, settled):
    """Pauses the machine in a state whose registers satisfy settled; a timer tick may be in the
    way of the first attempts."""
    for _ in range(ATTEMPTS):
        machine.command("stop")
        text = machine.monitor("info registers -a")
        if settled(registers_by_cpu(text)):
            return text
        machine.command("cont")
    raise MachineError(f"in {ATTEMPTS} attempts the CPUs were never caught in the state that "
                       "the scenario needs")


def cpu0_in_guest(cpus):
    return GUEST_RBX in cpus[0] and any(rip in cpus[0] for rip in GUEST_RIP)


def guest_and_idle(cpus):
    return cpu0_in_guest(cpus) and "CPL=0" in cpus[1] and "HLT=1" in cpus[1]


def left_guest(cpus):
    """The host's rip and rsp, with the guest's other registers still in place: in the few
    instructions around VMRUN."""
    return GUEST_RBX in cpus[0] and not cpu0_in_guest(cpus) and "CPL=0" in cpus[1]


def guest_and_user(cpus):
    return cpu0_in_guest(cpus) and USER_R12 in cpus[1] and "CPL=3" in cpus[1]


def any_state(_):
    return True


def gdb_registers(machine):
    """Every CPU's registers as gdb sees them on QEMU's stub. It disconnects, since to detach would
    set the machine going."""
    result = subprocess.run(
        ["gdb", "-nx", "-batch", "-ex", "set architecture i386:x86-64",
         "-ex", f"target remote {machine.gdb_socket}",
         "-ex", "thread apply all info registers", "-ex", "disconnect"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if "rip" not in result.stdout:
        raise MachineError(f"gdb on QEMU's stub: {result.stderr.strip()}")
    return result.stdout


def dump_memory(machine, path, dump_format):
    machine.command("dump-guest-memory", paging=False, protocol=f"file:{path}",
                    format=dump_format)
    os.chmod(path, 0o644)


def take_dumps(machine, output, name, settled, formats):
    """Dumps the machine in each of formats, and sends it on as it was."""
    text = pause_when(machine, settled)
    with open(os.path.join(output, f"{name}.registers"), "w", encoding="utf-8") as file:
        file.write(text)
    for dump_format, suffix in formats:
        dump_memory(machine, os.path.join(output, f"{name}.{suffix}"), dump_format)
    with open(os.path.join(output, f"{name}.gdb-registers"), "w", encoding="utf-8") as file:
        file.write(gdb_registers(machine))
    machine.command("cont")


ELF = [("elf", "elf")]
# QEMU writes kdump files flattened. Debian's can compress by zlib only.
ELF_AND_KDUMP = [("elf", "elf"), ("kdump-zlib", "qemu-kdump-zlib")]


def run_main(machine, output):
    machine.await_console("phase no-vmcoreinfo", BOOT_S)
    take_dumps(machine, output, "run-novmcoreinfo", guest_and_idle, ELF)
    machine.type_line()
    machine.await_console("phase run\r", BOOT_S)
    take_dumps(machine, output, "run", guest_and_idle, ELF_AND_KDUMP)
    take_dumps(machine, output, "run-vmexit", left_guest, ELF)
    machine.type_line()
    machine.await_console("phase run-user\r", BOOT_S)
    take_dumps(machine, output, "run-user", guest_and_user, ELF)
    machine.type_line()
    machine.await_console("end Kernel panic", BOOT_S)
    take_dumps(machine, output, "panic", any_state, ELF_AND_KDUMP)


def run_nokaslr(machine, output):
    machine.await_console("phase no-vmcoreinfo", BOOT_S)
    machine.type_line()
    machine.await_console("phase run\r", BOOT_S)
    take_dumps(machine, output, "nokaslr", guest_and_idle, ELF)


def run_kdump(machine, disk, output):
    for phase in ("no-vmcoreinfo", "run", "run-user"):
        machine.await_console(f"phase {phase}\r", BOOT_S)
        machine.type_line()
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
    if len(sys.argv) != 5 or sys.argv[1] not in ("main", "kdump", "nokaslr"):
        sys.exit(__doc__)
    scenario, kernel_dir, initrd, output = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the machine is ended too
    kernel = glob.glob(os.path.join(kernel_dir, "boot", "vmlinuz-*"))[0]
    log = os.path.join(output, f"{scenario}.console")
    disk = os.path.join(output, "vmcore.disk")
    append, extra = CONSOLE, []
    if scenario == "nokaslr":
        append += " nokaslr vmcore_test=high"
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
            else:
                run_kdump(machine, disk, output)
    except MachineError as error:
        sys.exit(f"boot_scenario.py: {scenario}: {error}")


if __name__ == "__main__":
    main()
