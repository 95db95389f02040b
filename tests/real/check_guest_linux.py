#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux kernel in a guest: its name and place, and stock gdb and lldb with its vmlinux.

    check_guest_linux.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

What the server says is compared with what the guest said of itself on its console while it ran:
/proc/version, the address of _stext in /proc/kallsyms, and ps. CPU 1 was inside the guest, in user mode,
with tell-tale registers: they are QEMU's. The host's kernel is of the same build, elsewhere.
"""

import json
import os
import re
import shutil

import qemu_registers
from check_lldb import without_debug_frame
from oracle import TIMEOUT_S, Failure, check_main, run
from server_process import Server

GREETING = re.compile(r"listening on (\S+:\d+) for vm-\d+$")
# guest/workload.c: r12 to r15, and "1: jmp 1b".
TELL_R12, SPIN = 0x1212121212121212, "0xeb\t0xfe"
FIRST_IDLE = 10000000  # thread ids of tasks that have no pid of their own
PACKET_TIMEOUT = f"settings set plugin.process.gdb-remote.packet-timeout {TIMEOUT_S}"
IDLE = ["default_idle_call", "do_idle", "cpu_startup_entry", "start_kernel"]


def said_by_guest(dump):
    with open(dump.path("dumps/linux.guest"), encoding="utf-8") as file:
        said = file.read()
    stext = re.search(r"^([0-9a-f]{16}) T _stext$", said, re.MULTILINE)
    banner = re.search(r"^Linux version \S+ .*$", said, re.MULTILINE)
    if not stext or not banner:
        raise Failure(f"the guest did not say where and what it is, but:\n{said}")
    return int(stext.group(1), 16), banner.group()


def ask(dump, command, *lines):
    options = [word for line in lines for word in ("-x", line)]
    out = run([*command, "-q", *options, *dump.files], "the server").decode("utf-8")
    return [json.loads(line) for line in out.splitlines()]


def name_differs(dump, vm, host, stext, banner):
    guest = vm.get("linux", {})
    linked = int(re.search(r"^(\w+) T _text$", run(["nm", dump.vmlinux], "nm").decode(),
                           re.MULTILINE).group(1), 16)
    expected = {"release": dump.entry["release"], "banner": banner, "text": hex(stext),
                "kaslr_offset": hex(stext - linked), "build_id": host["build_id"]}
    for key, value in expected.items():
        if guest.get(key) != value:
            yield f"the guest's {key} is {guest.get(key)}, should be {value}"
    if stext == int(host["text"], 16):
        yield "host and guest lie at the same address, so nothing is proven"


def inside_differs(dump, vm, command):
    """The vCPU inside the guest, on the host's CPU 1: the guest's second, which its workload has."""
    name = next(vcpu["vcpu"] for vcpu in vm["vcpus"] if vcpu["id"] == 1)
    vcpu, = ask(dump, command, f"vcpu {name} --json")
    registers = dump.path(dump.entry["oracle"]["registers"])
    for reg, value in qemu_registers.read_guest(registers, 1).items():
        if vcpu["regs"].get(reg) != {"value": hex(value), "from": "note"}:
            yield f"vCPU {name}: {reg} is {vcpu['regs'].get(reg)}, QEMU says {value:#x}"


def tasks_differ(dump, command, vm):
    """The guest's kernel opened as a dump's is: its tasks are those that its ps has listed, and its
    CPUs have the vCPUs' registers. Workers come and go, and so do those that ran while ps did."""
    rows = ask(dump, [*command, "--guest", str(vm["pid"])], "threads --json")
    ours = {row["tid"]: row["comm"] for row in rows if row["tid"] < FIRST_IDLE}
    theirs = dict(said_tasks(dump))
    for tid in sorted(ours.keys() | theirs.keys()):
        names = {listed[tid] for listed in (ours, theirs) if tid in listed}
        if any(name.startswith("kworker/") for name in names):
            continue
        if len(names) != 1:
            yield f"the guest's task {tid} is {ours.get(tid)!r}, its ps says {theirs.get(tid)!r}"
        elif tid not in ours and not (tid > 2 and names <= {"ps", "guest-init"}):
            yield f"the guest's task {tid}, {names}, is not listed"
        elif tid not in theirs and names != {"sleep"}:
            yield f"the guest's task {tid}, {names}, is not in what its ps says"
    spinning = [row for row in rows if row["comm"] == "spins in user"]
    if [(row.get("cpu"), row.get("regs_from")) for row in spinning] != [(1, "user")]:
        yield f"what spins in user mode is {spinning}"


def said_tasks(dump):
    with open(dump.path("dumps/linux.guest"), encoding="utf-8") as file:
        for pid, comm in re.findall(r"^task (\d+) (.*)$", file.read(), re.MULTILINE):
            yield int(pid), comm


def frames_differ(dump, command, vm):
    """The idle CPU's frames to where it was started."""
    rows = ask(dump, [*command, "--guest", str(vm["pid"])], "bt --cpu 0 --json")
    names = [frame.get("name") for row in rows for frame in row["frames"]]
    for name in IDLE:
        if name not in names:
            yield f"the guest's CPU 0 is not idle but in {names}"


def missing(text, wanted, who):
    for part in wanted:
        if part not in text:
            yield f"{who}: there is no {part!r} in:\n{text}"
            return


REPORT = ["p init_task.comm", "p &init_task", "printf \"%s\", linux_banner"]


def gdb_says(dump, *commands):
    options = [word for command in commands for word in ("-ex", command)]
    # The host is asked while gdb reads a second vmlinux, on a computer that may be busy.
    cache = ["-iex", f"set remotetimeout {TIMEOUT_S}", "-iex", "set index-cache enabled on",
             "-iex", f"set index-cache directory {dump.path('gdb-index')}", "-iex", "set confirm off"]
    return run(["gdb", "-nx", "-batch", *cache, *options, dump.vmlinux], "gdb",
               with_stderr=True).decode("utf-8", "replace")


def beside_differs(who, both, banner):
    """What gdb said that has the host and the guest as inferiors 1 and 2."""
    yield from missing(both, [banner, *IDLE], who)
    places = set(re.findall(r"\(struct task_struct \*\) (0x[0-9a-f]+)", both))
    if len(places) != 2 or both.count('"swapper/0') != 3:
        yield f"{who}: they are not side by side:\n{both}"


def gdb_differs(dump, host, guest, number, banner):
    show = [*REPORT, "info threads", "bt", "thread 2", "p/x $r12", "x/2xb $rip"]
    wanted = ['"swapper/0', banner, "CPU 0 [halted]", "CPU 1 [in guest]", *IDLE, f"= {TELL_R12:#x}", SPIN]
    yield from missing(gdb_says(dump, f"target remote {guest}", *show), wanted, "gdb")
    attached = gdb_says(dump, f"target extended-remote {host}", f"attach {number}", *show)
    yield from missing(attached, wanted, "gdb's attach")
    both = gdb_says(dump, f"target remote {host}", *REPORT, "add-inferior -no-connection", "inferior 2",
                    f"file {dump.vmlinux}", f"target remote {guest}", *REPORT, "info inferiors",
                    "inferior 1", "p init_task.comm", "inferior 2", "thread 2.1", "bt")
    yield from beside_differs("gdb with host and guest", both, banner)


def one_connection_differs(dump, host, number, banner):
    both = gdb_says(dump, f"target extended-remote {host}", *REPORT, "add-inferior", "inferior 2",
                    f"file {dump.vmlinux}", f"attach {number}", *REPORT, "info inferiors",
                    "inferior 1", "p init_task.comm", "inferior 2", "thread 2.1", "bt", "thread 2.2",
                    "p/x $r12", "x/2xb $rip", "monitor vcpus")
    yield from beside_differs("gdb with both in one connection", both, banner)
    yield from missing(both, [f"process {number} ", f"= {TELL_R12:#x}", SPIN, "\n[vm-"],
                       "gdb with both in one connection")


# What gdb works out by the vmlinux's DWARF in the guest's memory, and what the guest's monitor is to
# say of it: a task, its stack, its mm, what a CPU has of runqueues, and code.
INIT = "(struct task_struct *)((char *)init_task.tasks.next - (long)&((struct task_struct *)0)->tasks)"
WHAT = [f"set $init = {INIT}", 'printf "init %d %s\\n", $init->pid, $init->comm'] + [
    f'eval "monitor what --json 0x%lx", (long)({address})' for address in (
        "$init + 0", "$init->stack + 0x3f00", "(char *)$init->mm + 16", "schedule", "&__per_cpu_offset[1]",
        "(char *)&runqueues - (char *)&__per_cpu_start + __per_cpu_offset[1]")] + [
    'eval "monitor refs --json 0x%lx task_struct", (long)$init',
    'printf "leader %lx\\n", &$init->group_leader']
WANTED = [
    [{"kind": "task", "tid": 1, "comm": "guest-init", "offset": "0x0"},
     {"kind": "slab", "cache": "task_struct", "offset": "0x0", "state": "allocated"}],
    [{"kind": "stack", "tid": 1, "offset": "0x3f00"}, {"kind": "vmap"}],
    [{"kind": "slab", "cache": "mm_struct", "offset": "0x10", "state": "allocated"}],
    [{"kind": "symbol", "symbol": "schedule", "offset": "0x0"}],
    [{"kind": "symbol", "symbol": "__per_cpu_offset", "offset": "0x8"}],
    [{"kind": "percpu", "symbol": "runqueues", "cpu": 1}],
]


def holds(fact, wanted):
    return all(fact.get(key) == value for key, value in wanted.items())


def what_differs(dump, guest):
    """`what` and `refs` in the guest's own monitor, which has no vmlinux."""
    text = gdb_says(dump, f"target remote {guest}", "thread 2", 'eval "monitor what --json 0x%lx", $rip', *WHAT)
    rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if "init 1 guest-init" not in text or len(rows) < 1 + len(WANTED):
        yield f"gdb does not find the guest's first task, or what said too little:\n{text}"
        return
    running, *said = rows
    if not any(holds(fact, {"kind": "user", "comm": "spins in user"}) for fact in running["facts"]):
        yield f"CPU 1's code in user mode is {running}"
    for row, wanted in zip(said, WANTED):
        for fact in wanted:
            if not any(holds(found, fact) for found in row["facts"]):
                yield f"{row['address']} should be {fact}, is {row['facts']}"
        if not any(fact["kind"] == "place" and "host_physical" in fact for fact in row["facts"]):
            yield f"{row['address']}: it is not said where it lies on the host"
    leader = int(re.search(r"^leader ([0-9a-f]+)", text, re.MULTILINE).group(1), 16)
    refs = {int(row["address"], 16) for row in said[len(WANTED):] if row["kind"] == "object"}
    if leader not in refs:
        yield f"refs: its group_leader at {leader:#x} points to it, and is not listed"


def lldb_differs(dump, guest, banner):
    options = [word for line in (PACKET_TIMEOUT, f"gdb-remote {guest}", "thread list", "bt",
                                 "p init_task.comm", "x/s &linux_banner", "thread select 2",
                                 "register read r12") for word in ("-o", line)]
    text = run(["lldb", "--no-lldbinit", "--batch", *options, without_debug_frame(dump)],
               "lldb").decode("utf-8", "replace")
    yield from missing(text, ['"swapper/0', banner, "CPU 1 [in guest]", *IDLE,
                              f"{TELL_R12:#x}"], "lldb")


def check(dump, command):
    stext, banner = said_by_guest(dump)
    vm, host = ask(dump, command, "vms --json", "info --json")
    lines = [*name_differs(dump, vm, host, stext, banner), *inside_differs(dump, vm, command),
             *tasks_differ(dump, command, vm), *frames_differ(dump, command, vm)]
    os.makedirs(dump.path("gdb-index"), exist_ok=True)
    with Server([*command, "--guests"], dump.files) as server:
        guest, = [match.group(1) for match in map(GREETING.match, server.rest_of_greeting())
                  if match]
        if shutil.which("gdb"):
            lines += gdb_differs(dump, f"{server.host}:{server.port}", guest, vm["id"], banner)
            lines += what_differs(dump, guest)
        if shutil.which("lldb"):
            lines += lldb_differs(dump, guest, banner)
    if shutil.which("gdb"):
        with Server([*command, "--multiprocess"], dump.files) as server:
            lines += one_connection_differs(dump, f"{server.host}:{server.port}", vm["id"], banner)
    return lines


if __name__ == "__main__":
    check_main(__doc__, check, with_oracle=False)
