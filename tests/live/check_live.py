#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--live in a machine that runs guests of its own, against what that machine says of itself; TAP.

The machine is booted once for all checks; machine.Setup tells which kernel and which source. What
is missing for that is a skip."""

import contextlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "server")]

import traced  # noqa: E402
from machine import SERVER, SOCKET, LiveMachine, Setup  # noqa: E402
from rsp import Client  # noqa: E402
from soak import SLOWEST, Soak  # noqa: E402
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks  # noqa: E402
from tell import Symbols, frames_differ, look  # noqa: E402

CHECK_S = 120  # of a machine without KVM, on a host that is busy
RECORD = "/run/trace"
SOAK_S = int(os.environ.get("SOAK_SECONDS", "60"))
FOLDER = "/run/vmcore-gdbserver"
# What guest/vmhost.c puts where: by guest physical address, by virtual ones, and into registers.
MARK, COUNTER, HIGH, TELL_RBX = 0x300000, 0x180000, 0xffffffff80000000, 0xb0b0b0b0b0b00000
IDLE = 10000000  # thread ids of idle tasks begin here

setup = Setup()
machine = None
symbols = None


@contextlib.contextmanager
def client(where=SOCKET):
    with machine.forwarded(where) as address, Client(address) as connection:
        connection.socket.settimeout(CHECK_S)
        connection.no_acks()
        yield connection


@contextlib.contextmanager
def server(*options, under=""):
    """A server for one check, at SOCKET."""
    machine.start_server(*options, "--no-serve-files", under=under)
    try:
        yield
    finally:
        machine.stop_server()


def monitor(connection, line):
    printed, last = connection.monitor(line)
    expect_equal(last, "OK", f"the reply to '{line}', which printed {printed[-300:]!r}")
    return printed


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def gdb(*commands):
    """What gdb with the kernel's vmlinux prints, attached from outside."""
    if setup.vmlinux() is None:
        raise Skip(f"{setup.kernel} has no vmlinux")
    settings = ["set confirm off", "set pagination off", "set width 0", "set remotetimeout 60"]
    with machine.forwarded() as address:
        words = [need_tool("gdb"), "-nx", "-q", "-batch"]
        for command in [*settings, f"target remote {address}", *commands]:
            words += ["-ex", command]
        done = subprocess.run([*words, setup.vmlinux()], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=CHECK_S)
    return done.stdout


def vcpu_lines(connection):
    return {(row["pid"], row["id"]): row for vm in json_lines(monitor(connection, "vms --json"))
            for row in [dict(vcpu, pid=vm["pid"]) for vcpu in vm["vcpus"]]}


def halted(connection):
    """A vCPU of a guest that waits for an interrupt, as vmhost.c's vCPU 1 always does."""
    rows = [row for row in vcpu_lines(connection).values()
            if row["id"] == 1 and row["state"] == "halted" and "tid" in row]
    expect(rows, "there is no halted vCPU")
    return rows[0]


def has_strace():
    return machine.try_run("command -v strace")[0] == 0


@check("it says which memory it took, and what the kernel is", CHECK_S)
def _():
    # All that this server does is recorded.
    under = traced.command(RECORD) if has_strace() else ""
    text = machine.start_server("--live" if setup.source == "/proc/kcore" else
                                f"--live={setup.source}", "--no-serve-files", under=under)
    expect_in(f"live memory, {setup.source}", text)
    expect_in(f"Linux {machine.run('uname -r').strip()}, x86_64", text)
    expect_in(f"listening on unix:{SOCKET}", text)


@check("once it listens it is nobody, without capabilities, at a socket that is root's", CHECK_S)
def _():
    status = dict(line.split(":", 1) for line in
                  machine.run("cat /proc/$(cat /run/server.pid)/status").splitlines())
    status = {name: value.split() for name, value in status.items()}
    expect_equal(status["Uid"] + status["Gid"], ["65534"] * 8, "user and group")
    expect_equal(status["Groups"], [], "groups")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_equal(status[name], ["0" * 16], name)
    expect_equal(status["NoNewPrivs"], ["1"], "NoNewPrivs")
    expect_equal(machine.run(f"stat -c '%a %u %F' {SOCKET}").strip(), "600 0 socket", "the socket")


@check("the other source is refused, with the reason", CHECK_S)
def _():
    if setup.source != "/proc/kcore":
        raise Skip(f"{setup.source} works here")
    status, text = machine.try_run(f"{SERVER} --live=/dev/mem -x info")
    expect_equal(status, 1, "the status")
    expect_in("the kernel was built with STRICT_DEVMEM; use /proc/kcore", text)


@check("without privileges it says what is missing", CHECK_S)
def _():
    status, text = machine.try_run(f"su -s /bin/sh nobody -c '{SERVER} --live -x info'")
    expect_equal(status, 1, "the status")
    expect_in("/proc/kcore is not yours to read: run this as root", text)


CAP_SYS_RAWIO, CAP_SYS_ADMIN, CAP_SYSLOG = 17, 21, 34


def refused(part, source, capability=None, preload=""):
    """What the server must say when it ends at once: root without the capability, or anybody."""
    without = f"without {capability}" if capability else ""
    status, text = machine.try_run(f"{preload} {without} {SERVER} --live={source} -q -x info")
    expect_equal((status, len(text.splitlines())), (1, 1), f"status and lines of {text!r}")
    expect_in(part, text)


@check("root that lacks a capability is told which", CHECK_S)
def _():
    for source in ("/proc/kcore", "/dev/mem"):
        refused("the capability CAP_SYS_RAWIO is needed", source, CAP_SYS_RAWIO)
    refused("/proc/iomem what is RAM: it shows no addresses: CAP_SYS_ADMIN is needed", "/dev/mem",
            CAP_SYS_ADMIN)
    refused("no physical addresses: find out from /proc/iomem what is RAM: it shows no addresses",
            "/proc/kcore", CAP_SYS_ADMIN, "LD_PRELOAD=/lib/oldcore.so")
    refused("/dev/crash does not exist", "/dev/crash")


def old_kcore(*commands):
    """What the server prints by itself of a /proc/kcore as it was before 4.19, without VMCOREINFO."""
    words = " ".join(f"-x '{command}'" for command in commands)
    status, text = machine.try_run(
        f"LD_PRELOAD=/lib/oldcore.so {SERVER} --live=/proc/kcore -q --no-serve-files {words}")
    expect_equal(status, 0, f"the status; it said {text[-1000:]}")
    return text


@contextlib.contextmanager
def hidden(*commands):
    """/sys/kernel/vmcoreinfo is an empty file, as of a kernel without; commands hide more."""
    machine.run(" && ".join([": >/run/empty", "mount --bind /run/empty /sys/kernel/vmcoreinfo",
                             *commands]))
    try:
        yield
    finally:
        machine.run("umount /sys/kernel/vmcoreinfo; echo 1 >/proc/sys/kernel/kptr_restrict")


def look_at_old_kcore(symbols_kind, note, command):
    """What it says of the kernel and of how that was found is checked; the command's answer."""
    if setup.source != "/proc/kcore":
        raise Skip(f"{setup.source} is looked at")
    info, _, answer = old_kcore("info --json", command).partition("\n")
    info = json.loads(info)
    expect_equal(info["symbols"], symbols_kind, "where symbols are from")
    expect_equal(info["release"], machine.run("uname -r").strip(), "the release")
    expect(any(note in line for line in info["notes"]) if note else not info["notes"],
           f"notes: {info['notes']}")
    return answer


@check("VMCOREINFO that kcore does not have is found by /sys/kernel/vmcoreinfo", CHECK_S)
def _():
    expect_in("do_syscall_64", look_at_old_kcore("kallsyms", None, "bt 1"))


@check("without VMCOREINFO the kernel is found by /proc/kallsyms and /proc/iomem", CHECK_S)
def _():
    with hidden():
        compare_frames(lambda: look_at_old_kcore(
            "/proc/kallsyms", "the kernel was found by /proc/kallsyms", "bt --all --json"))


@check("where that shows no addresses, VMCOREINFO is looked for in memory", CHECK_S)
def _():
    with hidden("echo 2 >/proc/sys/kernel/kptr_restrict"):
        expect_in("do_syscall_64", look_at_old_kcore(
            "kallsyms", "the kernel's own was found in memory", "bt 1"))


@check("threads are those of /proc, with their states", CHECK_S)
def _():
    before = look(machine)
    with client() as connection:
        mine = {row["tid"]: row for row in json_lines(monitor(connection, "threads --json"))}
    after = look(machine)
    for tid in before.keys() & after.keys():
        expect(tid in mine, f"thread {tid} ({before[tid].name}) is not listed")
    for tid, row in mine.items():
        expect(tid in before or tid in after or tid >= IDLE or tid > max(before),
               f"the machine has no thread {tid} ({row['comm']}): {row}")
    still = [tid for tid in before if before[tid].still(after.get(tid)) and before[tid].stack]
    expect(len(still) > len(before) // 2, f"only {still} of {len(before)} threads were still")
    for tid in still:
        expect_equal(mine[tid]["state"], before[tid].state, f"the state of thread {tid}")
        expect_equal(mine[tid]["pid"], before[tid].tgid, f"the process of thread {tid}")
        expect_equal(mine[tid]["regs_from"], "switch", f"the registers of thread {tid}")
    for row in mine.values():
        if row["on_cpu"]:
            expect_equal((row["regs_from"], row["regs"]), ("unknown", {}), f"{row['tid']}")
            expect(re.search("is running on CPU|has ended|changed while being read", row["why"]),
                   f"the registers of thread {row['tid']} are unknown: {row['why']}")


@check("whoever attaches finds a thread that sleeps, not one that is about to run", CHECK_S)
def _():
    for _ in range(8):
        with client() as connection:
            tid = int(re.search(r"thread:([0-9a-f]+);", connection.ask("?"))[1], 16)
            expect(tid < IDLE, f"thread {tid}, an idle task, is the first that a client sees")
            expect(register(connection, 16) is not None, f"where thread {tid} is is unknown")


def compare_frames(ask):
    """What ask() prints for "bt --all --json" with what /proc/PID/stack says of those that sleep."""
    before = look(machine)
    mine = {row["tid"]: row for row in json_lines(ask())}
    after = look(machine)
    still = [thread for tid, thread in before.items()
             if thread.still(after.get(tid)) and thread.stack]
    expect(len(still) > len(before) // 2, f"only {len(still)} of {len(before)} threads were still")
    lines = []
    for thread in still:
        lines += frames_differ(thread, mine[thread.tid]["frames"], symbols)
    expect(not lines, "\n".join(lines))
    ends = {mine[thread.tid]["end"] for thread in still}
    expect(ends <= {"user", "kthread"}, f"the frames' ends are {ends}")


@check("frames of sleeping threads are those of /proc/PID/stack", CHECK_S)
def _():
    def ask():
        with client() as connection:
            return monitor(connection, "bt --all --json")
    compare_frames(ask)


@check("the virtual machines are those that KVM's debugfs lists", CHECK_S)
def _():
    folders = re.findall(r"^/sys/kernel/debug/kvm/(\d+)-\d+/vcpu(\d+)$",
                         machine.run("find /sys/kernel/debug/kvm -type d"), re.MULTILINE)
    expect(folders, "debugfs lists no vCPUs")
    with client() as connection:
        rows = vcpu_lines(connection)
    expect_equal(sorted(rows), sorted((int(pid), int(vcpu)) for pid, vcpu in folders), "vCPUs")


@check("a halted vCPU's thread sleeps in KVM; its guest's registers are the ones it was given",
       CHECK_S)
def _():
    with client() as connection:
        row = halted(connection)
        [bt] = json_lines(monitor(connection, f"bt {row['tid']} --json"))
        [vcpu] = json_lines(monitor(connection, f"vcpu {row['vcpu']} --json"))
    names = [frame.get("name") for frame in bt["frames"]]
    for name in ("kvm_vcpu_halt", "kvm_arch_vcpu_ioctl_run", "kvm_vcpu_ioctl"):
        expect(name in names, f"{name} is not among {names}")
    expect_equal(bt["vcpu"], row["vcpu"], "the vCPU of the frames")
    rbx = int(vcpu["regs"]["rbx"]["value"], 16)
    expect(rbx in [TELL_RBX + (ord(letter) << 8) + 1 for letter in "AB"],
           f"rbx of the guest is {rbx:#x}")


@check("a vCPU that is in its guest is said to be, and its registers to be old", CHECK_S)
def _():
    for _attempt in range(20):
        with client() as connection:
            rows = [row for row in vcpu_lines(connection).values() if row["state"] == "in guest"]
        if rows:
            break
    expect(rows, "vmhost's spinning vCPU is never seen in its guest")
    for name in ("rip", "rsp", "cr3"):
        expect_equal(rows[0][name]["from"], "stale", f"where {name} is from")


@check("gdb from outside: threads, a sleeper's backtrace, $kvm_vcpu of a halted vCPU", CHECK_S)
def _():
    with client() as connection:
        row = halted(connection)
        sleeper = int(machine.run("cat /run/sleeper.pid"))
        [bt] = json_lines(monitor(connection, f"bt {sleeper} --json"))
    text = gdb("info threads", "python [t.switch() for t in gdb.selected_inferior().threads() "
               f"if t.ptid[1] == {sleeper} or t.ptid[2] == {sleeper}]", "bt",
               "python [t.switch() for t in gdb.selected_inferior().threads() "
               f"if t.ptid[1] == {row['tid']} or t.ptid[2] == {row['tid']}]",
               "p/x $kvm_vcpu", "p init_task.comm", "bt 3")
    expect(re.search(rf'Thread (1\.)?{sleeper} "sleep \[sleeping\]"', text), text)
    expect_in(f"= {row['vcpu']}", text)
    expect_in('= "swapper/0', text)
    expect(re.search(r"#\d+ .* in hrtimer_nanosleep ", text), text)
    expect("do_syscall_64" in [frame.get("name") for frame in bt["frames"]], f"{bt}")


@check("a thread that ends is said to have ended, and the session goes on", CHECK_S)
def _():
    # Its parent takes its status: it is no zombie.
    machine.run("(sleep 3600 & echo $! >/run/victim; wait; exec sleep 3600) >/dev/null 2>&1 & sleep 1")
    pid = int(machine.run("cat /run/victim"))
    with client() as connection:
        expect_in(f'<thread id="{pid:x}"', connection.document("threads").decode())
        connection.ask(f"Hg{pid:x}")
        expect("do_syscall_64" in monitor(connection, f"bt {pid}"), "no frames of a sleeper")
        machine.run(f"kill -9 {pid}; sleep 1")
        # Nobody has listed the threads since: it is still a thread, and the registers are gone.
        expect(set(connection.ask("g")) <= set("x0123456789abcdef"), "the registers' reply")
        printed, last = connection.monitor(f"bt {pid}")
        expect(f"there is no thread {pid}" in printed + last or "has ended" in printed or
               f"there is no thread {pid}".encode().hex() in last, f"{printed} {last}")
        expect(f'<thread id="{pid:x}"' not in connection.document("threads").decode(),
               "a list has a thread that has ended")
        expect_equal(connection.ask(f"T{pid:x}")[:1], "E", "whether it is alive")
        expect("do_syscall_64" in monitor(connection, "bt 1"), "no frames of init")


def dimm_in_iomem(present):
    """Waits until the machine has, or has no more, RAM above 4 GiB; its first address."""
    wanted, unwanted = ("exit 0", "continue") if present else ("continue", "exit 0")
    machine.run("for i in $(seq 200); do sleep 0.1; if grep -q '^[0-9a-f]*1........-.* : System RAM' "
                f"/proc/iomem; then {wanted}; else {unwanted}; fi; done; exit 1")
    return machine.try_run("grep '^[0-9a-f]*1........-.* : System RAM' /proc/iomem")[1].split("-")[0]


@check("memory that is plugged in is read once kcore has it; unplugged, it is unknown", CHECK_S)
def _():
    size = 128 << 20
    if machine.try_run("test -e /sys/firmware/acpi/hotplug/memory")[0] or \
            not symbols.addresses("page_offset_base"):
        raise Skip("the kernel takes no memory later, or has its direct map at a fixed place")
    with client() as connection:
        def info():
            return json.loads(monitor(connection, "info --json"))

        # By the kernel's direct map.
        base = int.from_bytes(bytes.fromhex(connection.ask(
            f"m{symbols.addresses('page_offset_base')[0]:x},8")), "little")

        def read(address):
            return connection.ask(f"m{base + address:x},8")

        before = info()["memory_bytes"]
        machine.qemu.command("object-add", **{"qom-type": "memory-backend-ram", "id": "later",
                                              "size": size})
        machine.qemu.command("device_add", driver="pc-dimm", id="dimm", memdev="later")
        address = int(dimm_in_iomem(True), 16)
        if setup.source == "/proc/kcore":
            expect_in("131072 KiB of memory have come that /proc/kcore does not have",
                      monitor(connection, "refresh"))
            expect_equal(info()["memory_bytes"], before, "memory before somebody opens kcore")
            expect_equal(read(address)[:1], "E", "the reply of memory that kcore does not have")
            machine.run("head -c 1 /proc/kcore >/dev/null")
        expect("have come" not in monitor(connection, "refresh"), "it is still said to be new")
        expect_equal(info()["memory_bytes"], before + size, "memory")
        expect_equal(len(read(address)), 16, "the length of the reply")
        machine.qemu.command("device_del", id="dimm")
        dimm_in_iomem(False)
        monitor(connection, "refresh")
        expect_equal(info()["memory_bytes"], before, "memory after it is gone")
        expect_equal(read(address)[:1], "E", "the reply of memory that has gone")
        expect("do_syscall_64" in monitor(connection, "bt 1"), "no frames of init")


def expect_gone(path):
    machine.run(f"for i in $(seq 100); do [ -e {path} ] || exit 0; sleep 0.2; done; ls -l {path}; exit 1")


@check("the server ends as told, and was silent; its socket goes", CHECK_S)
def _():
    machine.stop_server()
    expect_gone(SOCKET)
    lines = machine.run("cat /run/server.log").splitlines()
    expect(lines[-2].startswith("listening") or lines[-1].startswith("  gdb"), "\n".join(lines))


@check("in all that it wrote to sockets and its log alone, and changed nothing", CHECK_S)
def _():
    if not has_strace():
        raise Skip("strace is missing")
    bad, count = traced.findings(machine.run(f"cat {RECORD}").splitlines())
    expect(count > 100, f"only {count} calls were recorded")
    expect(not bad, "\n".join(bad[:20]))


# ---- guests as targets ----


def memory(connection, address, size):
    """Bytes, or the reply's text where there are none."""
    reply = connection.ask(f"m{address:x},{size:x}")
    return reply if reply.startswith("E") else bytes.fromhex(reply)


def register(connection, row):
    """Register number row of the selected thread; None if it is not available."""
    value = connection.ask(f"p{row:x}")
    return None if value.startswith(("x", "E")) else \
        int.from_bytes(bytes.fromhex(value), "little")


def guest_sockets():
    """Without those that are for virtual machines to come."""
    names = machine.run(f"cd {FOLDER} && ls").split()
    return sorted(name for name in names if not name.startswith("later-"))


def start_guest(letter):
    """Starts guest/vmhost.c as that, and waits until it is ready; its process."""
    log = f"/run/vmhost-{letter}"
    machine.run(f"taskset 2 vmhost {letter} halt >{log} 2>&1 & echo $! >{log}.pid; "
                f"for i in $(seq 100); do grep -q ready {log} && exit; sleep 0.2; done; exit 1")
    return int(machine.run(f"cat {log}.pid"))


@check("with --guests every virtual machine is a target, at sockets that are root's", CHECK_S)
def _():
    under = traced.command(RECORD) if has_strace() else ""
    text = machine.start_server(f"--live={setup.source}", "--guests", under=under)
    pids = sorted(set(re.findall(r"^/sys/kernel/debug/kvm/(\d+)-", machine.run(
        "find /sys/kernel/debug/kvm -type d"), re.MULTILINE)))
    expect_equal(guest_sockets(), sorted(["host"] + [f"vm-{pid}" for pid in pids]), "sockets")
    for pid in pids:
        expect_in(f"listening on unix:{FOLDER}/vm-{pid} for vm-{pid}", text)
    expect_equal(set(machine.run(f"stat -c '%a %u' {FOLDER} {FOLDER}/*").splitlines()),
                 {"700 0", "600 0"}, "modes and owners")
    expect_in("Uid:\t65534\t65534", machine.run("cat /proc/$(cat /run/server.pid)/status"))


@check("a guest's memory is that of its owner, by both kinds of address", CHECK_S)
def _():
    letters = []
    for name in guest_sockets()[1:]:
        with client(f"{FOLDER}/{name}") as connection:
            by_gva = memory(connection, HIGH + MARK, 32)
            expect_equal(connection.ask("Qqemu.PhyMemMode:1"), "OK", "the reply")
            by_gpa = memory(connection, MARK, 32)
        expect_equal(by_gva, by_gpa, f"{name}: the mark by both addresses")
        expect(by_gva.startswith(b"hello from guest "), f"{name}: the mark is {by_gva!r}")
        letters.append(chr(by_gva[17]))
    expect_equal(sorted(letters), ["A", "B"], "the guests' marks")


@check("what a guest writes is seen at once; what it has in the processor is unknown", CHECK_S)
def _():
    moved, running = 0, 0
    for name in guest_sockets()[1:]:
        with client(f"{FOLDER}/{name}") as connection:
            letter = chr(memory(connection, HIGH + MARK, 18)[17])
            counts = [memory(connection, HIGH + COUNTER, 8) for _ in range(2)]
            moved += counts[0] != counts[1]
            for vcpu in range(4):
                connection.ask(f"Hg{vcpu + 1:x}")
                rbx = register(connection, 1)
                tell = TELL_RBX + (ord(letter) << 8) + vcpu
                if vcpu == 1:
                    expect_equal(rbx, tell, f"{name}: rbx of the halted vCPU")
                expect(rbx in (None, tell), f"{name}: rbx of vCPU {vcpu} is {rbx}")
                running += rbx is None
    expect_equal(moved, 1, "guests whose counter moves")
    expect(running, "the registers of no vCPU are unknown, and one spins")


@check("of a virtual machine that ends its target says so, and others go on", CHECK_S)
def _():
    name, other = guest_sockets()[1:]
    with client(f"{FOLDER}/{name}") as gone, client(f"{FOLDER}/{other}") as stays, \
            client(f"{FOLDER}/host") as host:
        expect(isinstance(memory(gone, HIGH + MARK, 8), bytes), "no mark")
        machine.run(f"kill -9 {name.removeprefix('vm-')}; sleep 1")
        expect(isinstance(memory(gone, HIGH + MARK, 8), str), "memory of what has ended")
        expect_in("has ended", gone.monitor("info")[0])
        expect(isinstance(memory(stays, HIGH + MARK, 8), bytes), f"{other} has lost its memory")
        pids = {pid for pid, _ in vcpu_lines(host)}
    expect_equal(pids, {int(other.removeprefix("vm-"))}, "the machines that are left")


@check("a virtual machine that starts later is a target from the next list on", CHECK_S)
def _():
    def served(host):
        monitor(host, "refresh")
        return {row["target"]: row.get("address") for row in
                json_lines(monitor(host, "targets --json"))}

    with client(f"{FOLDER}/host") as host:
        names = set(served(host))
        for letter in "CD":
            pid = start_guest(letter)
            address = served(host)
            # The second takes the place of the first, at which nobody looks.
            expect_equal(set(address), names | {f"vm-{pid}"}, "targets")
            expect_equal(address[f"vm-{pid}"], f"unix:{FOLDER}/later-1", "where it is")
            with client(f"{FOLDER}/later-1") as guest:
                expect_equal(memory(guest, HIGH + MARK, 19), f"hello from guest {letter}\0".encode(),
                             "its mark")
            machine.run(f"kill -9 {pid}; sleep 1")
        # Nobody is there, which shows at once.
        with machine.forwarded(f"{FOLDER}/later-2") as where, Client(where) as nobody:
            nobody.socket.settimeout(CHECK_S)
            expect_equal(nobody.socket.recv(1), b"", "what a spare socket says")


@check("that server, too, ends as told and has changed nothing", CHECK_S)
def _():
    machine.stop_server()
    expect_gone(FOLDER)
    if not has_strace():
        raise Skip("strace is missing")
    bad, _count = traced.findings(machine.run(f"cat {RECORD}").splitlines())
    expect(not bad, "\n".join(bad[:20]))


# ---- memory by physical addresses ----


def constant_memory():
    """Virtual addresses of what does not change: in the kernel's image, in memory that is mapped
    whole, in a module's code."""
    module = re.search(r"^kvm_amd .* 0x([0-9a-f]+)", machine.run("cat /proc/modules"), re.MULTILINE)
    places = [symbols.addresses(name)[0] for name in ("linux_banner", "sys_call_table")]
    return places + ([int(module[1], 16)] if module else [])


def ram_ranges():
    return [range(int(first, 16), int(last, 16) + 1) for first, last in
            re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM", machine.run("cat /proc/iomem"),
                       re.MULTILINE)]


def mapped_devices():
    """Virtual addresses at which the kernel has mapped devices' memory, and what is mapped there:
    "0xffffb0d1c0000000-0xffffb0d1c0002000    8192 hpet_enable+0x4a/0x340 phys=0xfed00000 ioremap"."""
    return [(int(address, 16), int(physical, 16)) for address, physical in
            re.findall(r"^0x([0-9a-f]+)-.* phys=0x([0-9a-f]+) .*\bioremap\b",
                       machine.run("cat /proc/vmallocinfo"), re.MULTILINE)]


@check("by the kernel's page tables memory is what /proc/kcore has", 2 * CHECK_S)
def _():
    if setup.source != "/dev/mem":
        raise Skip(f"{setup.source} is it")
    found = []
    for source in ("/proc/kcore", "/dev/mem"):
        with server(f"--live={source}"), client() as connection:
            found.append([memory(connection, place, 256) for place in constant_memory()])
    expect(all(isinstance(part, bytes) for part in found[0]), f"/proc/kcore has {found[0]}")
    expect_equal(found[1], found[0], "what /dev/mem has")


@check("nothing but System RAM is ever read, whatever is asked for", 3 * CHECK_S)
def _():
    if setup.source != "/dev/mem":
        raise Skip(f"{setup.source} reads no device's memory")
    if not has_strace():
        raise Skip("strace is missing")
    ram = ram_ranges()
    devices = mapped_devices()
    expect(devices, "the kernel has mapped no device's memory")
    with server("--live=/dev/mem", under=f"strace -D -f -y -s 0 -o {RECORD} -e trace=read,pread64,"
                "readv,preadv,preadv2,mmap,lseek"), client() as connection:
        monitor(connection, "vms")
        expect("do_syscall_64" in monitor(connection, "bt 1"), "no frames of init")
        for address, physical in devices:
            expect(not any(physical in part for part in ram), f"{physical:#x} is RAM")
            expect(isinstance(memory(connection, address, 8), str), f"memory at {address:#x}, "
                   f"which is a device's at {physical:#x}")
    lines = machine.run(f"grep '</dev/mem>' {RECORD} | sed 's/^[0-9]* *//' | sort -u").splitlines()
    reads = [re.fullmatch(r'pread64\(\d+</dev/mem>, ""\.\.\., (\d+), (\d+)\) += \d+', line)
             for line in lines]
    expect(len(reads) > 100, f"only {len(reads)} reads were recorded")
    for line, read in zip(lines, reads):
        expect(read, f"a call is '{line}'")
        first, size = int(read[2]), int(read[1])
        expect(any(first in part and first + size <= part.stop for part in ram),
               f"'{line}' is not within {ram}")


# ---- tasks that come and go ----


@check(f"{SOAK_S} s of tasks that are created and die, and of clients that unwind them",
       SLOWEST * SOAK_S + 3 * CHECK_S)
def _():
    if SOAK_S == 0:
        raise Skip("SOAK_SECONDS is 0")
    machine.start_server(f"--live={setup.source}", "--no-serve-files")
    soak = Soak(machine, symbols)
    try:
        soak.run(SOAK_S, SOCKET)
    finally:
        machine.stop_server()
    print(f"# {soak.summary()}")
    expect(not soak.findings, "\n".join(soak.findings[:20]))


# ---- modules that come later ----


@check("modules that are loaded after the start are known, and virtual machines with them", CHECK_S)
def _():
    if machine.try_run("grep -q '^kvm_amd ' /proc/modules")[0]:
        raise Skip("KVM is built in")
    machine.run("killall -9 vmhost; sleep 1; rmmod kvm_amd && rmmod kvm")
    # A small kernel has no network.
    has_tcp = machine.try_run("ifconfig lo 127.0.0.1 up")[0] == 0
    machine.start_server(f"--live={setup.source}", "--no-serve-files", "--guests",
                         f"-l unix:{SOCKET}", "-l 127.0.0.1:0" if has_tcp else "")
    with client() as connection:
        expect_in("no virtual machines", monitor(connection, "vms"))
        machine.run("insmod /modules/kvm/kvm.ko && insmod /modules/kvm/kvm-amd.ko")
        pid = start_guest("E")
        row = halted(connection)
        names = [line.split()[0] for line in machine.run("cat /proc/modules").splitlines()]
        expect_equal(sorted(row["name"] for row in
                            json_lines(monitor(connection, "modules --json"))), sorted(names),
                     "modules")
        before = look(machine)[row["tid"]]
        [bt] = json_lines(monitor(connection, f"bt {row['tid']} --json"))
        expect(before.still(look(machine)[row["tid"]]), "a halted vCPU's thread moves")
        if has_tcp:
            # It is a target, at a port that is made now.
            [address] = [target["address"] for target in
                         json_lines(monitor(connection, "targets --json"))
                         if target["target"] == f"vm-{pid}"]
            host, _, port = address.rpartition(":")
            expect_equal(host, "127.0.0.1", "where it is")
            expect_in("$QC1#", machine.run(f"(printf '+$qC#b4'; sleep 3) | nc {host} {port}"))
    lines = list(frames_differ(before, bt["frames"], symbols))
    expect(not lines, "\n".join(lines))
    expect("kvm_vcpu_halt" in [frame.get("name") for frame in bt["frames"]], f"{bt}")
    machine.stop_server()


# ---- lockdown, which cannot be undone ----


@check("a kernel that is locked down refuses, first /dev/mem and then all; both are said", CHECK_S)
def _():
    lockdown = "/sys/kernel/security/lockdown"
    machine.try_run("mount -t securityfs securityfs /sys/kernel/security")
    if machine.try_run(f"grep -q integrity {lockdown}")[0]:
        raise Skip("the kernel cannot be locked down")
    machine.run(f"echo integrity >{lockdown}")
    refused("/dev/mem is refused to everybody: the kernel is locked down (integrity)", "/dev/mem")
    machine.run(f"{SERVER} --live=/proc/kcore -q -x info")
    machine.run(f"echo confidentiality >{lockdown}")
    refused("/proc/kcore is refused to everybody: the kernel is locked down (confidentiality)",
            "/proc/kcore")
    status, text = machine.try_run(f"{SERVER} --live -q -x info")
    expect_equal(status, 1, "the status")
    for path in ("/proc/kcore", "/dev/mem", "/dev/crash"):
        expect_in(path, text)


def main():
    global machine, symbols
    missing = setup.missing()
    if missing:
        print(f"1..0 # SKIP {missing}")
        return
    with LiveMachine(setup) as machine:
        symbols = Symbols(machine)
        try:
            run_checks()
        except SystemExit as end:
            if end.code:
                print("".join(f"# {line}\n" for line in machine.console().splitlines()))
            raise


if __name__ == "__main__":
    main()
