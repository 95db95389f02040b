#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at a machine of QEMU's through its QMP socket: while it runs, paused, and after its end.

    check_qmp.py REAL_DIR SERVER

REAL_DIR is where make-vmcores.sh keeps kernel and initramfs. The machine's memory is half in a
shared memory backend, which is read directly, and half not, which QEMU must copy out; and it lies
below and above 4 GiB. Of the paused machine QEMU takes a dump, and drgn, with QEMU's own "info
registers", says what the server must say. Every difference is a line on stderr. Exit status: 0 the
same, 1 different or failed, 77 no Python on this machine can import drgn.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import time

import check_guests
import check_kvm
import check_memory
import compare_frames
import compare_threads
from boot_scenario import (BOOT_S, CONSOLE, dump_memory, gdb_on_stub, guest_and_idle, pause_when,
                           registers_by_cpu)
from oracle import Dump, Failure, json_lines, run
from qemu_machine import Machine, MachineError
from rsp_client import RspClient
from server_process import Server

NAME = "qmp"
# Asleep for as long as the machine runs.
SLEEPERS = {"sleep", "in poll", "in pipe read", "CPU 1/KVM", "CPU 2/KVM"}
MEMORY = ["-machine", "max-ram-below-4g=256M",
          "-object", "memory-backend-memfd,id=shared,size=320M,share=on",
          "-object", "memory-backend-ram,id=private,size=320M",
          "-numa", "node,memdev=shared", "-numa", "node,memdev=private",
          "-m", "640,slots=2,maxmem=2G"]
DIMM = 128 << 20  # what Linux takes at once
STATE_S = 20


def commands(server, *lines):
    """What the server prints of the machine by itself, one monitor command after the other."""
    command = [*server, "-q"]
    for line in lines:
        command += ["-x", line]
    return json_lines(run(command, "the server"), "the server")


class PatientDump(Dump):
    """One that asks drgn each question once."""

    def __init__(self, *arguments):
        self._answers = {}
        super().__init__(*arguments)

    def ask_drgn(self, script):
        if script not in self._answers:
            self._answers[script] = super().ask_drgn(script)
        return self._answers[script]


class Check:
    """The machine, and what was found wrong."""

    def __init__(self, machine, directory, real_dir, server):
        self.machine = machine
        self.directory = directory
        self.real_dir = real_dir
        self.server = server
        self.lines = []

    def expect(self, holds, text):
        if not holds:
            self.lines.append(text)

    # ---- while it runs ----

    def look_while_it_runs(self):
        """Returns the frames of those that sleep."""
        [info] = commands(self.server, "info --json")
        self.expect("its memory-backend-memfd 'shared', and by pmemsave" in info["format"],
                    f"format is {info['format']!r}")
        self.expect(info["memory_bytes"] == 640 << 20, f"{info['memory_bytes']} bytes of memory")
        self.expect(info["cpus_online"] == 2, f"{info['cpus_online']} CPUs")
        threads = commands(self.server, "threads --json")
        for thread in threads:
            if thread["on_cpu"]:
                self.expect(thread["regs_from"] == "unknown" and not thread["regs"],
                            f"registers of a task that runs: {thread}")
        self.expect(any(thread["on_cpu"] for thread in threads), "nobody runs")
        frames = commands(self.server, "bt --all --json")
        names = {thread["tid"]: thread["comm"] for thread in threads}
        return {thread["tid"]: thread for thread in frames if names.get(thread["tid"]) in SLEEPERS}

    # ---- paused ----

    def pause(self):
        """A dump of the paused machine, and all that QEMU says of its CPUs, as a manifest's."""
        pause_when(self.machine, guest_and_idle)
        path = os.path.join(self.directory, NAME)
        self.registers = self.machine.monitor("info registers -a")
        with open(f"{path}.registers", "w", encoding="utf-8") as file:
            file.write(self.registers)
        dump_memory(self.machine, f"{path}.elf", "elf")
        with open(f"{path}.gdb-registers", "w", encoding="utf-8") as file:
            file.write(gdb_on_stub(self.machine, "-ex", "thread apply all info registers"))
        with open(os.path.join(self.real_dir, "manifest.json"), encoding="utf-8") as file:
            entry = json.load(file)["dumps"][0]
        for key in ("vmlinux", "modules"):
            kept = entry[key]
            entry[key] = ([os.path.join(self.real_dir, one) for one in kept]
                          if isinstance(kept, list) else os.path.join(self.real_dir, kept))
        entry.update({"name": NAME, "files": [], "scenario": NAME, "oracle": {
            "elf": f"{path}.elf", "registers": f"{path}.registers",
            "gdb_registers": f"{path}.gdb-registers", "vmcoreinfo_from": None}})
        manifest = os.path.join(self.directory, "manifest.json")
        with open(manifest, "w", encoding="utf-8") as file:
            json.dump({"dumps": [entry]}, file)
        self.dump = PatientDump(manifest, NAME)

    def compare_sleepers(self, frames):
        """What was seen of them while the machine ran is what drgn sees now."""
        comparison = compare_frames.Comparison(has_vmlinux=False)
        for theirs in self.dump.ask_drgn("oracle_drgn_frames.py"):
            if theirs["tid"] in frames:
                comparison.thread(frames[theirs["tid"]], theirs)
        self.expect(comparison.threads >= 5, f"{comparison.threads} sleeping threads compared")
        self.lines += [f"while it ran: {line}" for line in comparison.lines]

    def compare_paused(self):
        """The checks that dumps are put to."""
        for compare in (compare_threads.compare, compare_frames.compare, check_kvm.check,
                        check_memory.check):
            self.lines += [f"{compare.__module__}: {line}"
                           for line in compare(self.dump, self.server)]

    def compare_guests(self):
        """With --guests every page of the virtual machines in it, as drgn reads them."""
        vms = check_guests.vms_of(self.dump, self.server)
        letters = []
        with Server([*self.server, "--guests"], []) as server:
            served = [match.groups() for match in
                      map(check_guests.GREETING.match, server.rest_of_greeting()) if match]
            self.expect(vms and [int(pid) for _, _, pid in served] == [vm["pid"] for vm in vms],
                        f"served are {served}, drgn knows {[vm['pid'] for vm in vms]}")
            for (address, port, _), vm in zip(served, vms):
                client = RspClient(address, int(port))
                self.expect(client.command("Qqemu.PhyMemMode:1") == "OK", "no physical addresses")
                self.lines += check_guests.pages_differ(client, vm)
                letters.append(check_guests.letter_of(client))
                client.close()
        self.expect(len(set(letters)) == len(vms) and None not in letters,
                    f"the guests' marks are {letters}")

    def check_gdb(self):
        """Stock gdb, which fetches its image from the server."""
        with Server(self.server, []) as server:
            report = run(["gdb", "-nx", "-batch", *server.gdb_attach(),
                          "-ex", "info threads", "-ex", "thread apply 1 backtrace",
                          "-ex", "monitor vms"], "gdb", with_stderr=True).decode("utf-8", "replace")
        for part in ("kthreadd [sleeping]", "do_syscall_64", "SVM, plain, 4 vCPUs"):
            self.expect(part in report, f"gdb does not show {part!r}:\n{report[-3000:]}")

    def check_second_client(self):
        """QEMU's socket takes one: who comes second is told so."""
        done = subprocess.run([*self.server, "-q", "-x", "info"], capture_output=True, text=True,
                              check=False, timeout=60)
        self.expect(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and
                    "one client already" in done.stderr,
                    f"a second client is told {done.stderr!r}")

    def await_memory(self, memory, expected):
        """Plugging in and out is done when the machine's kernel says so."""
        deadline = time.monotonic() + STATE_S
        while memory() != expected:
            if time.monotonic() > deadline:
                self.lines.append(f"the machine has {memory()} bytes of memory, not {expected}")
                return False
            time.sleep(0.1)
        return True

    def plug_memory(self, client):
        """A file's memory, which comes while the machine runs, and goes again: what is written to
        the file is what the kernel's direct map has there, and QEMU says so, too."""
        def memory():
            return json_lines(client.monitor("info --json").encode(), "info")[0]["memory_bytes"]

        path = os.path.join(self.directory, "dimm")
        before = memory()
        self.machine.command("object-add", **{"qom-type": "memory-backend-file", "id": "later",
                                              "size": DIMM, "share": True, "mem-path": path})
        self.machine.command("device_add", driver="pc-dimm", id="dimm", memdev="later")
        if not self.await_memory(memory, before + DIMM):
            return
        [dimm] = self.machine.command("query-memory-devices")
        address, offset = dimm["data"]["addr"], DIMM - (1 << 20)
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(b"written to the file of the DIMM")
        symbols = self.dump.facts["symbols"]
        where = int.from_bytes(client.read_memory(int(symbols["page_offset_base"], 16), 8), "little")
        got = client.read_memory(where + address + offset, 31)
        self.expect(got == b"written to the file of the DIMM", f"the DIMM's memory is {got!r}")
        said = self.machine.monitor(f"xp /8cb {address + offset:#x}")
        self.expect("'w' 'r' 'i' 't' 't' 'e' 'n'" in said, f"QEMU says of the DIMM: {said}")
        self.machine.command("device_del", id="dimm")
        if self.await_memory(memory, before):
            got = client.read_memory(where + address + offset, 31)
            self.expect(got is None, f"the memory of a DIMM that has gone is {got!r}")

    # ---- as a client sees it come and go ----

    def cpu_registers(self, client, cpu):
        """Of the thread on that CPU, by `bt`: None if they are unknown."""
        [thread] = json_lines(client.monitor(f"bt --cpu {cpu} --regs --json").encode(), "bt")
        return thread["frames"][0]["regs"] if thread["frames"] else None

    def await_state(self, client, known):
        deadline = time.monotonic() + STATE_S
        while (self.cpu_registers(client, 0) is not None) != known:
            if time.monotonic() > deadline:
                self.lines.append(f"registers of CPU 0 should be {'' if known else 'un'}known")
                return
            time.sleep(0.1)

    def follow(self):
        """One session, over pauses and the machine's end."""
        with Server(self.server, []) as server:
            client = RspClient(server.host, server.port)
            self.await_state(client, known=True)
            self.machine.command("cont")
            self.await_state(client, known=False)
            pause_when(self.machine, guest_and_idle)
            self.await_state(client, known=True)
            theirs = registers_by_cpu(self.machine.monitor("info registers -a"))[0]
            mine = self.cpu_registers(client, 0)
            for name in ("rip", "rsp", "rbp"):
                text = f"{name.upper()}={int(mine[name], 16):016x}"
                self.expect(text in theirs, f"paused again: {text} is not QEMU's:\n{theirs[:600]}")
            self.machine.command("cont")
            self.check_second_client()
            self.plug_memory(client)
            self.machine.command("system_reset")
            deadline = time.monotonic() + STATE_S
            while "QEMU" not in (said := client.monitor("read 0xffffffff81000000 8")):
                if time.monotonic() > deadline:
                    self.lines.append(f"after its end: {said!r}")
                    return
                time.sleep(0.1)
            self.expect("tasks" in client.monitor("help tasks") or client.command("qC"),
                        "the session does not go on")
            client.close()


def check(real_dir, server):
    kernel = glob.glob(os.path.join(real_dir, "kernel", "boot", "vmlinuz-*"))[0]
    with tempfile.TemporaryDirectory(prefix="vmcore-qmp-") as directory:
        socket = os.path.join(directory, "socket")
        extra = [*MEMORY, "-qmp", f"unix:{socket},server=on,wait=off"]
        with Machine(kernel, os.path.join(real_dir, "initramfs.cpio.gz"),
                     f"{CONSOLE} memhp_default_state=online_movable",
                     os.path.join(directory, "log"), extra) as machine:
            checks = Check(machine, directory, real_dir, [*server, f"--live=qmp:{socket}"])
            machine.await_console("phase no-vmcoreinfo", BOOT_S)
            machine.type_line()
            machine.await_console("phase run\r", BOOT_S)
            sleepers = checks.look_while_it_runs()
            checks.pause()
            checks.compare_sleepers(sleepers)
            checks.compare_paused()
            checks.compare_guests()
            checks.check_gdb()
            checks.follow()
    return checks.lines


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        lines = check(os.path.abspath(sys.argv[1]), sys.argv[2:])
    except (Failure, MachineError, OSError, ValueError) as error:
        sys.exit(f"check_qmp.py: {error}")
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
