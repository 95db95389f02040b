#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops a busy machine at random, and holds what the server says against QEMU and drgn.

    random_stops.py REAL_DIR WORK_DIR SERVER [STOPS [SEED [KERNEL_ARGUMENT...]]]

The machine has three CPUs, a virtual machine, and programs that enter and leave the kernel all the time.
After each stop one CPU goes up to 40 instructions on, so that any instruction is met. Of the dump then

  - each CPU has one thread, whose task_struct is that which the CPU says it runs, or in the middle of
    a switch that on whose stack it is,
  - that thread's first frame has the registers of QEMU's stub, all general ones,
  - its frames, and those of every other thread, have drgn's among them (rip and rsp), and an end: "lost"
    is a finding unless drgn goes no further either.

Every fourth dump is looked at with the vmlinux. What is found is on stdout, with the dump kept in
WORK_DIR (ten of them). Exit status: 0 nothing found, 1 something, 77 a tool is missing.
"""

import glob
import json
import os
import random
import shutil
import subprocess
import sys
import time

from gdb_stub import GENERAL, GdbStub
from oracle import json_lines, skip
from qemu_machine import LIFETIME_S, Machine, MachineError

HERE = os.path.dirname(os.path.abspath(__file__))
CPUS = 3
STOPS, STEPS, KEPT = 100, 40, 10
STOPS_A_BOOT, BOOT_MAX_S = 40, LIFETIME_S - 200  # another machine before this one's time is over
USER_END = 1 << 56
KERNEL_CODE = 0xffffffff80000000
GUEST_RBX = 0xb0b0b0b0b0b00000  # see guest/vmhost.c


def run(command, **arguments):
    result = subprocess.run(command, capture_output=True, check=False, timeout=300, **arguments)
    if result.returncode == 77:
        skip((result.stdout + result.stderr).decode("utf-8", "replace").strip())
    if result.returncode:
        raise MachineError(f"{command[0]}: {result.stderr.decode('utf-8', 'replace')[-600:]}")
    return result.stdout


class Kernel:
    """Where the files of the test machine's kernel are."""

    def __init__(self, folder):
        [self.image] = glob.glob(f"{folder}/kernel/boot/vmlinuz-*")
        [self.vmlinux] = glob.glob(f"{folder}/kernel/usr/lib/debug/boot/vmlinux-*")
        self.modules = [path for name in ("irqbypass", "kvm", "kvm-amd", "qemu_fw_cfg")
                        for path in glob.glob(f"{folder}/kernel/usr/lib/debug/lib/modules/**/{name}.ko",
                                              recursive=True)]


def server_says(server, kernel, dump, with_vmlinux):
    """{tid: thread} with its frames."""
    symbols = ["--symbols", kernel.vmlinux] if with_vmlinux else []
    output = run([*server, "-q", *symbols, "-x", "threads --json", "-x", "bt --all --json", dump])
    threads = {}
    for line in json_lines(output, "the server"):
        if "tid" in line:
            threads.setdefault(line["tid"], {}).update(line)
    return threads


def in_guest(regs):
    return regs["rbx"] & ~0xffff == GUEST_RBX


def places(frames):
    return [(int(frame["regs"].get("rip", "0"), 16), int(frame["regs"].get("rsp", "0"), 16))
            for frame in frames]


def credible(frames):
    """Up to where drgn takes words for return addresses that are none, or is in user mode."""
    good = []
    for rip, rsp, name in frames or []:
        if rip < KERNEL_CODE or rsp < USER_END and good:
            break
        good.append((rip, rsp, name))
    return good


def compare_frames(who, thread, theirs, findings):
    mine = places(thread["frames"])
    for number, (rip, rsp, name) in enumerate(credible(theirs)):
        if (rip, rsp) not in mine:
            findings.append(f"{who}: drgn's #{number} {name} {rip:#x} at {rsp:#x} is missing; ends "
                            f"{thread['end']} {thread.get('why', '')}")
            return
    if thread["end"] == "lost":
        findings.append(f"{who}: lost: {thread.get('why')}")


def compare_cpu(cpu, regs, threads, drgn, findings):
    mine = [t for t in threads.values() if t.get("on_cpu") and t.get("cpu") == cpu]
    if len(mine) != 1:
        findings.append(f"CPU {cpu}: {len(mine)} threads run on it")
        return
    thread = mine[0]
    who = f"CPU {cpu} ({thread['tid']} {thread['comm']})"
    if int(thread["task"], 16) != drgn["current"][cpu]:
        findings.append(f"{who}: the CPU runs {drgn['current'][cpu]:#x}")
        return
    if in_guest(regs):
        return
    if not thread["frames"]:
        findings.append(f"{who}: no registers: {thread.get('why')}")
        return
    first = {name: int(value, 16) for name, value in thread["frames"][0]["regs"].items()}
    wrong = [name for name in GENERAL if first.get(name) != regs[name]]
    if wrong:
        findings.append(f"{who}: not QEMU's: {wrong}")
    if regs["cs"] & 3:
        if len(thread["frames"]) != 1 or thread["end"] != "user":
            findings.append(f"{who}: in user mode, and has {len(thread['frames'])} frames")
    else:
        compare_frames(who, thread, drgn["running"][cpu], findings)


def compare(threads, cpus, drgn):
    findings = []
    for cpu, regs in enumerate(cpus):
        compare_cpu(cpu, regs, threads, drgn, findings)
    for tid, frames in drgn["sleeping"].items():
        thread = threads.get(int(tid))
        if thread is None:
            findings.append(f"tid {tid} is missing")
        elif not thread.get("on_cpu"):
            compare_frames(f"tid {tid} ({thread['comm']})", thread, frames, findings)
    return findings


def stop_somewhere(stub, chance):
    """Returns which CPU was stepped, and how far."""
    stub.go_on()
    time.sleep(chance.random() * 0.3)
    stub.stop()
    cpu, steps = chance.randrange(CPUS), chance.randrange(STEPS)
    for _ in range(steps):
        stub.step(cpu)
    return cpu, steps


class Tool:
    """The stops of one run."""

    def __init__(self, real, work, server, seed):
        self.kernel = Kernel(real)
        self.work = work
        self.server = server
        self.seed = seed
        self.dump = os.path.join(work, "stop.elf")
        self.initrd = os.path.join(work, "busy.cpio.gz")
        self.python = run(["sh", f"{HERE}/find_python.sh"]).decode().strip()
        run(["sh", f"{HERE}/busy/make-initramfs.sh", real, self.initrd])
        self.done = self.bad = self.kept = 0

    def look(self, machine, stub, oracle, label, with_vmlinux):
        dump = self.dump
        machine.command("dump-guest-memory", paging=False, protocol=f"file:{dump}", format="elf")
        cpus = [stub.registers(cpu) for cpu in range(CPUS)]
        threads = server_says(self.server, self.kernel, dump, with_vmlinux)
        oracle.stdin.write(json.dumps(cpus) + "\n")
        oracle.stdin.flush()
        drgn = json.loads(oracle.stdout.readline() or "null")
        if drgn is None:
            raise MachineError("drgn has ended")
        findings = compare(threads, cpus, drgn)
        at = " ".join(f"{regs['rip']:#x}" for regs in cpus)
        print(f"{label}: {len(findings)} findings ({at})", flush=True)
        for finding in findings:
            print(f"    {finding}", flush=True)
        self.done += 1
        self.bad += bool(findings)
        if findings and self.kept < KEPT:
            shutil.copy(dump, os.path.join(self.work, f"{label.replace(' ', '-')}.elf"))
            self.kept += 1

    def boot(self, number, stops, arguments):
        """One boot; its seed says which chances there are, as far as a machine repeats itself."""
        seed = f"{self.seed}.{number}"
        chance = random.Random(seed)
        append = f"console=ttyS0 panic=0 no_timer_check vmcore_busy=kvm,load {' '.join(arguments)}"
        begin = time.monotonic()
        with Machine(self.kernel.image, self.initrd, append, os.path.join(self.work, "busy"),
                     ["-smp", str(CPUS), "-m", "240"]) as machine:
            machine.await_console("phase busy\r", 300)
            stub = GdbStub(machine.gdb_socket)
            with subprocess.Popen([self.python, f"{HERE}/oracle_drgn_stop.py", self.dump,
                                   self.kernel.vmlinux, *self.kernel.modules],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as oracle:
                for stop in range(stops):
                    if time.monotonic() - begin > BOOT_MAX_S:
                        break
                    cpu, steps = stop_somewhere(stub, chance)
                    self.look(machine, stub, oracle,
                              f"seed {seed} stop {stop} cpu {cpu} steps {steps}", stop % 4 == 3)
                oracle.stdin.close()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    real, work, server = sys.argv[1:4]
    stops = int(sys.argv[4]) if len(sys.argv) > 4 else STOPS
    seed = (sys.argv[5] if len(sys.argv) > 5 else "") or str(random.randrange(1 << 32))
    os.makedirs(work, exist_ok=True)
    tool = Tool(real, work, server.split(), seed)
    print(f"{stops} stops, seed {seed}", flush=True)
    boot = 0
    # An emulator that fails is no finding.
    while tool.done < stops:
        try:
            tool.boot(boot, min(STOPS_A_BOOT, stops - tool.done), sys.argv[6:])
        except (MachineError, OSError) as error:
            print(f"boot {boot}: {error}", flush=True)
            if boot and not tool.done:
                skip("the machine did not boot, twice")
            if boot > stops:
                sys.exit(1)
        boot += 1
    print(f"{tool.done} stops, {tool.bad} with findings")
    sys.exit(1 if tool.bad else 0)


if __name__ == "__main__":
    main()
