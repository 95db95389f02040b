#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks the kernel's entry code, one instruction after the other, in and out again.

    walk_entries.py REAL_DIR WORK_DIR SERVER [SCENE[,SCENE...]|all [KERNEL_ARGUMENT...]]

What the processor had in its registers before it entered is known: at the entry's first instruction all
of them are still there, but for those that the processor itself has pushed or moved (Intel SDM vol. 2,
SYSCALL, and vol. 3, 6.14). Each instruction is dumped. The thread on that CPU must then have

  - first, the registers of QEMU's stub,
  - a frame with the rip and rsp of what was entered from, no register of which is another than it was
    (on the way out: than it will be),
  - an end that is not "lost"; behind it, what it had in the beginning.

C functions that the entry calls are passed over. Prints TAP, a line a scene. Exit status: 0 nothing
found, 1 something, 77 a tool is missing.
"""

import os
import struct
import sys

from gdb_stub import GENERAL, GdbStub
from oracle import json_lines
from qemu_machine import Machine, MachineError
from random_stops import HERE, Kernel, run

CPU = 0  # external NMIs reach this one only
STEPS_MAX = 260
PASSES_MAX = 400  # of a breakpoint, until what is wanted comes there
MACHINE = ["-smp", "2", "-m", "160"]
SYSENTER = "entry_SYSENTER_compat"
HELPERS = ("sync_regs", "fixup_bad_iret", "entry_ibpb", "entry_untrain_ret")  # handle nothing
ENOSYS = (1 << 64) - 38
LONG_MODE_CS = (0x10, 0x33)


def symbols_of(vmlinux):
    lines = run(["nm", vmlinux]).decode().splitlines()
    return {fields[-1]: int(fields[0], 16) for fields in map(str.split, lines) if len(fields) == 3}


class Finding(Exception):
    pass


class Entered:
    """What was running: {name: value}, without what is not known of it. The rax of a system call is
    the error that it will return in pt_regs until it is done, and what SYSRET writes is what it
    was before."""

    def __init__(self, regs, syscall=False, before=None):
        self.regs = regs
        self.syscall = syscall
        self.before = before or {}

    def is_in(self, frame):
        """Of what SYSENTER came from rip is not known, and must not be said."""
        if "rip" not in self.regs:
            return (number(frame, "cs") or 0) & 3 == 3 and number(frame, "rip") is None
        return all(number(frame, name) == self.regs[name] for name in ("rip", "rsp"))

    def __str__(self):
        return " ".join(f"{name} {self.regs.get(name, 0):#x}" for name in ("rip", "rsp"))

    def wrong(self, frame):
        return [f"{name} is {number(frame, name):#x}, was {value:#x}"
                for name, value in self.regs.items()
                if number(frame, name) not in (None, value, self.before.get(name),
                                               ENOSYS if self.wants(name) else value)]

    def wants(self, name):
        return self.syscall and name == "rax"

    def unknown(self, frame):
        return [name for name in self.regs if number(frame, name) is None]


def number(frame, name):
    text = frame["regs"].get(name)
    return None if text is None else int(text, 16)


class Walker:
    """One scene: the machine, what was found wrong, and how many instructions were looked at."""

    def __init__(self, machine, stub, server, symbols, dump, behind_probe):
        self.machine = machine
        self.stub = stub
        self.server = server
        self.symbols = symbols
        self.dump = dump
        self.low, self.high = symbols["__entry_text_start"], symbols["__entry_text_end"]
        self.behind_probe = behind_probe
        self.after = False  # the handler was called
        self.steps = 0
        self.findings = []

    # ---- the machine ----

    def registers(self):
        return self.stub.registers(CPU)

    def words(self, address, count):
        data = bytes.fromhex(self.stub.command(f"m{address:x},{8 * count:x}"))
        return struct.unpack(f"<{count}Q", data)

    def run_to(self, address, wanted=lambda regs: True):
        """Lets the machine run until the CPU comes to an address, with registers that are wanted."""
        for _ in range(PASSES_MAX):
            if self.stub.run_to(address) == CPU and wanted(self.registers()):
                return
            for cpu in (0, 1):
                if self.stub.registers(cpu)["rip"] == address:
                    self.stub.step(cpu)
        raise Finding(f"{address:#x} was never reached as it should")

    def is_nop(self, rip):
        """Behind one all is as it was behind the instruction before."""
        return self.stub.command(f"m{rip:x},1") == "90"

    def in_entry(self, rip):
        return self.low <= rip < self.high

    # ---- what the server says ----

    def look(self):
        mine = [t for t in self.all_threads() if t.get("on_cpu") and t.get("cpu") == CPU]
        if len(mine) != 1:
            raise Finding(f"{len(mine)} threads run on the CPU")
        return mine[0]

    def all_threads(self):
        self.machine.command("dump-guest-memory", paging=False, protocol=f"file:{self.dump}",
                             format="elf")
        threads = {}
        output = run([*self.server, "-q", "-x", "threads --json", "-x", "bt --all --json", self.dump])
        for line in json_lines(output, "the server"):
            if "tid" in line:
                threads.setdefault(line["tid"], {}).update(line)
        return list(threads.values())

    def find(self, where, text):
        self.findings.append(f"{where}: {text}")

    def check_first(self, where, thread, regs):
        if not thread["frames"]:
            self.find(where, f"no registers: {thread.get('why')}")
            return
        first = thread["frames"][0]
        wrong = [name for name in GENERAL if number(first, name) != regs[name]]
        if wrong:
            self.find(where, f"not QEMU's: {wrong}")

    def check(self, where, thread, entered, behind):
        """behind: the frames that were behind what was entered from; None if they are not known."""
        if not thread["frames"]:
            return None
        found = [n for n, frame in enumerate(thread["frames"]) if entered.is_in(frame)]
        places = " ".join(f"{frame.get('name', '')}@{frame['regs'].get('rip')}"
                          for frame in thread["frames"])
        if thread["end"] == "lost":
            self.find(where, f"lost: {thread.get('why')} ({places})")
        if not found:
            self.find(where, f"{entered} is not among the frames: {places}")
            return None
        frame = thread["frames"][found[-1]]
        for wrong in entered.wrong(frame):
            self.find(where, wrong)
        rest = [f["regs"].get("rip") for f in thread["frames"][found[-1] + 1:]]
        if behind is not None and rest != behind:
            self.find(where, f"behind it is {rest}, was {behind}")
        return rest

    # ---- a walk ----

    def leave_function(self, regs):
        """Passes over a C function that the entry has called; False if it was none."""
        [to] = self.words(regs["rsp"], 1)
        if not self.in_entry(to):
            return False
        self.run_to(to, lambda now: now["rsp"] == regs["rsp"] + 8)
        return True

    def walk(self, name, entered, done, limit=STEPS_MAX):
        """From here until done(regs). What is behind entered stays what it is at first."""
        behind, out, unknown, step = None, [], {}, 0
        while step < limit:
            regs = self.registers()
            if done(regs):
                break
            step += 1
            if self.is_nop(regs["rip"]):
                self.stub.step(CPU)
                continue
            where = f"{name} step {step} at {self.place(regs['rip'])} rsp {regs['rsp']:#x}"
            thread = self.look()
            self.steps += 1
            self.check_first(where, thread, regs)
            if not self.after:
                rest = self.check(where, thread, entered, behind)
                behind = rest if behind is None else behind
                for frame in thread["frames"]:
                    if entered.is_in(frame):
                        for reg in entered.unknown(frame):
                            unknown.setdefault(reg, []).append(where)
            else:
                out.append((where, thread))
            function = self.place(regs["rip"]).split("+")[0]
            if not self.in_entry(regs["rip"]) and self.leave_function(regs):
                self.after |= function not in HELPERS
            else:
                self.stub.step(CPU)
        else:
            self.find(name, "no end")
        last = self.general(self.registers())
        for where, thread in out:
            self.check(where, thread, Entered(last, before={**entered.regs, **entered.before}),
                       behind)
        for reg, places in unknown.items():
            print(f"# {name}: {reg} unknown at {len(places)}: {places[0]}", flush=True)

    @staticmethod
    def general(regs):
        """Those that the stub tells: in 32-bit code r8 to r15 are zeros to it."""
        return {name: regs[name] for name in GENERAL
                if regs["cs"] in LONG_MODE_CS or name not in GENERAL[8:16]}

    def place(self, rip):
        best = max((a, n) for n, a in self.symbols.items() if a <= rip)
        return f"{best[1]}+{rip - best[0]:#x}"

    def pushed(self, error_code=False):
        """What an interrupt or exception came from, at its first instruction."""
        regs = self.registers()
        rip, _, flags, rsp, _ = self.words(regs["rsp"] + 8 * error_code, 5)
        return Entered({**{n: regs[n] for n in GENERAL}, "rip": rip, "rsp": rsp, "eflags": flags})

    def from_user(self, offset=0):
        """Whether the iret frame is user mode's."""
        return lambda regs: bool(self.words(regs["rsp"] + offset, 2)[1] & 3)

    def from_kernel(self, offset=0):
        return lambda regs: not self.words(regs["rsp"] + offset, 2)[1] & 3

    @staticmethod
    def in_user(regs):
        return bool(regs["cs"] & 3)

    def back_at(self, entered):
        return lambda regs: regs["rip"] == entered.regs["rip"] and \
            regs["rsp"] == entered.regs["rsp"]


# ---- scenes ----

def by_syscall(w, name):
    w.run_to(w.symbols["entry_SYSCALL_64"], lambda regs: regs["rax"] == 110)  # getppid
    regs = w.registers()
    w.walk(name, Entered({**{n: regs[n] for n in GENERAL}, "rip": regs["rcx"],
                          "eflags": regs["r11"]}, True), w.in_user)


def by_syscall32(w, name):
    w.run_to(w.symbols["entry_SYSCALL_compat"])
    regs = w.registers()
    # SYSCALL itself has lost rcx: programs have it in rbp, as the kernel knows.
    w.walk(name, Entered({**{n: regs[n] for n in GENERAL}, "rip": regs["rcx"],
                          "eflags": regs["r11"]}, True, {"rcx": regs["rbp"]}), w.in_user)


def by_sysenter(w, name):
    """SYSENTER keeps neither rip nor rsp; the kernel takes rbp for the latter later."""
    w.run_to(w.symbols[SYSENTER])
    regs = w.registers()
    known = {n: regs[n] for n in GENERAL if n not in ("rip", "rsp")}
    w.walk(name, Entered(known, True), w.in_user)


def by_exception(symbol, error_code=False, kernel=False):
    def scene(w, name):
        come = w.from_kernel(8 * error_code) if kernel else w.from_user(8 * error_code)
        w.run_to(w.symbols[symbol], come)
        entered = w.pushed(error_code)
        w.walk(name, entered, w.back_at(entered) if kernel and symbol != "asm_exc_page_fault"
               else (lambda regs: not w.in_entry(regs["rip"]) and regs["rsp"] == entered.regs["rsp"])
               if kernel else w.in_user)
    return scene


def by_int80(w, name):
    """An exception's code since 6.7, and where that was taken over."""
    w.run_to(w.symbols.get("asm_int80_emulation") or w.symbols["entry_INT80_compat"], w.from_user())
    entered = w.pushed()
    entered.syscall = True
    w.walk(name, entered, w.in_user)


def stop_in_user(w):
    for _ in range(PASSES_MAX):
        w.run_to(w.symbols["entry_SYSRETQ_unsafe_stack"])
        for _ in range(20):
            if w.in_user(w.registers()):
                return
            w.stub.step(CPU)
    raise Finding("user mode was not reached")


def nmi(w):
    w.machine.command("inject-nmi")
    w.run_to(w.symbols["asm_exc_nmi"])
    return w.pushed()


def by_nmi_from_user(w, name):
    stop_in_user(w)
    w.walk(name, nmi(w), w.in_user)


def by_nmi_from_kernel(w, name):
    w.run_to(w.symbols["__x64_sys_getppid"])
    entered = nmi(w)
    w.walk(name, entered, w.back_at(entered))


def by_nmi_in_nmi(user):
    """A breakpoint in an NMI's handler lets the next NMI in. An NMI that came from user mode has left
    the NMI's stack: the next one finds that empty."""
    def scene(w, name):
        if user:
            stop_in_user(w)
        else:
            w.run_to(w.symbols["__x64_sys_getppid"])
        outer = nmi(w)
        w.run_to(w.symbols["asm_exc_int3"], w.from_kernel())
        w.run_to(w.symbols["vprintk_store"] + w.behind_probe)
        entered = nmi(w)
        w.walk(name, entered, w.back_at(entered))
        w.after = False
        if not user:
            w.run_to(w.symbols["nmi_restore"])
            w.walk(f"{name}, and the first again", outer, w.back_at(outer))
    return scene


def looks_in_handler(w, what, stopped, *places):
    """What is at each place of an NMI's handler, of which the first is where it is: (WHERE, THREAD)."""
    for number, place in enumerate(places):
        if number:
            w.run_to(w.symbols[place])
        where = f"{what} at {w.place(stopped.regs['rip'])} in {place}"
        thread = w.look()
        w.steps += 1
        w.check_first(where, thread, w.registers())
        w.check(where, thread, stopped, None)
        yield where, thread


def by_nmi_at_edges(w, name):
    """An NMI at each of a system call's first instructions, looked at in its handler."""
    for steps in range(60):
        w.run_to(w.symbols["entry_SYSCALL_64"], lambda regs: regs["rax"] == 110)
        regs = w.registers()
        user = Entered({**{n: regs[n] for n in GENERAL}, "rip": regs["rcx"], "eflags": regs["r11"]}, True)
        for _ in range(steps):
            w.stub.step(CPU)
        if not w.in_entry(w.registers()["rip"]):
            return
        stopped = nmi(w)
        for where, thread in looks_in_handler(w, f"{name} after {steps}", stopped,
                                              "asm_exc_nmi", "exc_nmi", "default_do_nmi"):
            w.check(where, thread, user, [])


def by_nmi_at_ends(w, name):
    """The same at its last instructions."""
    for steps in range(60):
        w.run_to(w.symbols["syscall_return_via_sysret"])
        for _ in range(steps):
            w.stub.step(CPU)
        if w.in_user(w.registers()):
            return
        stopped = nmi(w)
        looks = list(looks_in_handler(w, f"{name} after {steps}", stopped, "asm_exc_nmi", "exc_nmi"))
        w.run_to(stopped.regs["rip"], lambda regs: regs["rsp"] == stopped.regs["rsp"])
        while not w.in_user(w.registers()):
            w.stub.step(CPU)
        user = w.registers()
        for where, thread in looks:
            w.check(where, thread, Entered(w.general(user)), [])


def by_switch(w, name):
    """A switch of tasks: first the frames are the one's, then the other's, which are known: it slept."""
    w.run_to(w.symbols["__switch_to_asm"])
    to = w.registers()["rsi"]
    before = {int(t["task"], 16): t for t in w.all_threads()}
    asleep = [f["regs"]["rip"] for f in before[to]["frames"]]
    awake = [f["regs"]["rip"] for f in w.look()["frames"]][1:]
    for step in range(STEPS_MAX):
        regs = w.registers()
        if w.place(regs["rip"]).startswith("__switch_to+"):
            return
        where = f"{name} step {step} at {w.place(regs['rip'])} rsp {regs['rsp']:#x}"
        thread = w.look()
        w.steps += 1
        w.check_first(where, thread, regs)
        rest = [f["regs"].get("rip") for f in thread["frames"]][1:]
        if thread["end"] == "lost" or rest not in (asleep, awake):
            w.find(where, f"{thread['end']} {thread.get('why')}: {rest} is neither {awake} "
                   f"nor {asleep}")
        w.stub.step(CPU)
    raise Finding("it never came to __switch_to()")


SCENES = {
    "switch": by_switch,
    "syscall": by_syscall,
    "int80": by_int80,
    "syscall32": by_syscall32,
    "sysenter": by_sysenter,
    "user-fault": by_exception("asm_exc_page_fault", True),
    "kernel-fault": by_exception("asm_exc_page_fault", True, True),
    "timer": by_exception("asm_sysvec_apic_timer_interrupt"),
    "kernel-timer": by_exception("asm_sysvec_apic_timer_interrupt", False, True),
    "int3": by_exception("asm_exc_int3"),
    "user-debug": by_exception("asm_exc_debug"),
    "kernel-debug": by_exception("asm_exc_debug", False, True),
    "ud2": by_exception("asm_exc_invalid_op"),
    "user-nmi": by_nmi_from_user,
    "kernel-nmi": by_nmi_from_kernel,
    "edge-nmi": by_nmi_at_edges,
    "end-nmi": by_nmi_at_ends,
    "nested-nmi": by_nmi_in_nmi(False),
    "nmi-in-user-nmi": by_nmi_in_nmi(True),
}


def probe_place(vmlinux, symbols):
    """Where a breakpoint is in what an NMI's handler prints by: (offset, the next instruction's)."""
    start = symbols["vprintk_store"]
    text = run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={start:#x}",
                f"--stop-address={start + 64:#x}", vmlinux]).decode()
    places = [int(line.split(":")[0], 16) - start for line in text.splitlines()
              if ":\t" in line]
    return places[9], places[10]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    real, work, server = sys.argv[1:4]
    names = sys.argv[4].split(",") if len(sys.argv) > 4 and sys.argv[4] != "all" else list(SCENES)
    os.makedirs(work, exist_ok=True)
    kernel = Kernel(real)
    symbols = symbols_of(kernel.vmlinux)
    at, behind = probe_place(kernel.vmlinux, symbols)
    initrd = os.path.join(work, "busy.cpio.gz")
    run(["sh", f"{HERE}/busy/make-initramfs.sh", real, initrd])
    append = ("console=ttyS0 panic=0 no_timer_check nokaslr vmcore_busy=edges,nested "
              f"vmcore_probe=vprintk_store+{at:#x} {' '.join(sys.argv[5:])}")
    failed = False
    print(f"1..{len(names)}", flush=True)
    with Machine(kernel.image, initrd, append, os.path.join(work, "walk"), MACHINE) as machine:
        machine.await_console("phase busy\r", 300)
        stub = GdbStub(machine.gdb_socket)
        for count, name in enumerate(names, 1):
            w = Walker(machine, stub, server.split(), symbols, os.path.join(work, "walk.elf"),
                       behind)
            try:
                SCENES[name](w, name)
            except (Finding, MachineError) as error:
                w.find(name, str(error))
            failed |= bool(w.findings)
            print(f"{'not ok' if w.findings else 'ok'} {count} - {name}: {w.steps} instructions, "
                  f"{len(w.findings)} findings", flush=True)
            for finding in w.findings:
                print(f"#   {finding}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
