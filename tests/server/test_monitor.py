# SPDX-License-Identifier: GPL-2.0-or-later
"""Monitor commands, in words and as JSON, by --exec and from a client."""

import json
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from program import DUMP, VMLINUX, Server, monitor, run_on_demo, run_program
from recipes import make_dump
from rsp import Client
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

COMMANDS = [
    "help",
    "info",
    "refresh",
    "threads",
    "bt",
    "frame",
    "stacks",
    "signature",
    "modules",
    "symbols",
    "lldb-script",
    "dmesg",
    "vms",
    "vcpus",
    "vcpu",
    "read",
    "r",
    "phys",
    "virt",
    "vtop",
    "what",
    "refs",
    "walk",
    "mmu",
    "ept",
    "targets",
    "connect", "dumps", "clients", "iam", "note", "notes", "point", "follow",
]
ADDRESS = re.compile(r"0x(0|[1-9a-f][0-9a-f]*)")

# What can be wrong with a page, each with one that has it.
KINDS = {"excluded": 0xffff88017c8d8000, "missing": 0xffff88017c8d9000,
         "corrupt": 0xffff88017c8da000, "not present": 0xffffc90000000000}
DAMAGE = f"""format kdump-zlib
exclude {KINDS["excluded"]:#x} 4k
absent {KINDS["missing"]:#x} 4k
virt {KINDS["corrupt"]:#x}: 1 2 3
corrupt {KINDS["corrupt"]:#x}
"""

folder = tempfile.TemporaryDirectory()


def lines_of(line, dump=DUMP):
    """A monitor command's JSON: one object a line."""
    return [json.loads(text) for text in monitor(line, dump).splitlines()]


def object_of(line, dump=DUMP):
    objects = lines_of(line, dump)
    expect_equal(len(objects), 1, f"{line}: objects")
    return objects[0]


@check("help: every command, and one")
def _():
    text = monitor("help")
    expect_equal(re.findall(r"^[a-z-]+", text, re.MULTILINE), COMMANDS, "commands")
    for line in ["", "--help"]:
        expect_in("threads", monitor(line))
    expect_equal([row["command"] for row in lines_of("help --json")], COMMANDS, "commands")
    expect_equal(monitor("read --help"), monitor("help read"), "two ways to ask")
    row = object_of("help read --json")
    expect_equal(row["arguments"], "[-p] ADDR LEN", "arguments")
    expect(row["help"], "no help")


@check("crash's own words: our command where there is one, else what to use")
def _():
    rows = lines_of("help crash --json")
    expect_equal(monitor("help crash").count("\n"), len(rows), "a line each")
    expect_in("help crash", monitor("help"))
    for row in rows:
        typed, ours = row["crash"], row.get("command")
        expect(typed not in COMMANDS, f"{typed} is a command of our own")
        if not ours:
            result = run_on_demo("-x", typed)
            expect(result.returncode != 0 and result.stdout == "" and row["use"] in result.stderr,
                   f"{typed}: {result}")
        elif ours not in ("what", "bt --cpu", "vtop"):
            expect_equal(monitor(typed), f"'{typed}' is '{ours}' here\n" + monitor(ours), typed)
    for typed, ours in [("vtop -k linux_banner", "vtop linux_banner"), ("bt -c 1", "bt --cpu 1"),
                        ("bt -f 103", "bt --raw 103"), ("rd linux_banner 2", "read linux_banner 16"),
                        ("rd linux_banner", "read linux_banner 8"),
                        ("sym linux_banner", "what linux_banner")]:
        expect_equal(monitor(typed).partition(" here\n")[2], monitor(ours), typed)
        if "bt" not in typed:
            expect_equal(lines_of(typed + " --json"), lines_of(ours + " --json"), typed)
    # With options that ours does not have it does not do something else.
    for typed in ["ps -m", "log -T", "mod -S", "foreach files", "rd -8 linux_banner", "rd linux_banner x",
                  "rd linux_banner 99999999999"]:
        expect(run_on_demo("-x", typed).returncode != 0, typed)
    if shutil.which("crash"):
        names = subprocess.run(["crash", "-h", "commands"], stdin=subprocess.DEVNULL, capture_output=True,
                               text=True, timeout=60, check=False).stdout.split()
        known = {row["crash"].split()[0] for row in rows} | set(COMMANDS)
        missing = {name for name in names if re.fullmatch(r"[a-z*]+", name)} - known
        expect(len(names) > 40 and not missing, f"{missing} of crash's {len(names)} commands")


@check("modules, symbols: what is loaded, and why no file of it can be told to be its own")
def _():
    modules = {row["name"]: row for row in lines_of("modules --json")}
    expect_equal(sorted(modules), ["kvm", "kvm_intel"], "modules")
    for row in modules.values():
        expect(row["ranges"] and row["size"], "no ranges")
        expect_in("build-id", row["why"])
        expect_in(row["name"], monitor("modules"))
    symbols = lines_of("symbols --json")
    expect_equal([row["object"] for row in symbols], ["vmlinux", *modules], "objects")
    expect(all(not row["found"] and row["package"] for row in symbols[1:]), "a file was found")
    expect(all(line.startswith("# ") for line in monitor("lldb-script").splitlines()), "commands")


@check("info: what the start-up message says")
def _():
    text = monitor("info")
    for part in ["3.10.0-693.el7.x86_64", "Hard LOCKUP", "2017-11-23 13:05:00 UTC",
                 "110 CPU 0/KVM"]:
        expect_in(part, text)
    with Server() as server:
        said = "".join(line + "\n" for line in server.said[:-1])
    expect_equal(said, text, "the start-up message")


@check("info --json: stable keys")
def _():
    info = object_of("info --json")
    expect(info.pop("memory_bytes") > 400000, "memory_bytes")
    # From the notes in the kernel's memory: this kernel's VMCOREINFO has none.
    expect(re.fullmatch("[0-9a-f]{40}", info.pop("build_id")), "build_id")
    expect_in("no capabilities", info.pop("confined"))
    expect_equal(info, {
        "release": "3.10.0-693.el7.x86_64", "architecture": "x86_64",
        "banner": "Linux version 3.10.0-693.el7.x86_64 (demo@vmcore-gdbserver) #1 SMP "
                  "Tue Aug 22 21:09:27 UTC 2017\n",
        "text": "0xffffffff81000000", "kaslr_offset": "0x0", "format": "ELF",
        "compression": "none", "pieces": 1, "filtered": False, "truncated": False,
        "date": "2017-11-23 13:05:00 UTC", "panic": "Kernel panic - not syncing: Hard LOCKUP",
        "cpus": 2, "cpus_online": 2, "tasks": 6, "current_tid": 110, "symbols": "symtab",
        "types": "DWARF", "vmlinux": VMLINUX, "notes": []}, "info")


@check("info: a dump that is damaged in many places does not flood the terminal")
def _():
    # Processes in the list of tasks whose PIDs make no sense: eight are named, the rest counted.
    tasks = [f"{0xffff880200100000 + 0x1000 * n:#x}" for n in range(40)]
    statements = [f"put task_struct at {task}: pid = 5000000 tgid = {200 + n} "
                  f"stack = kthreadd_stack group_leader = {task} signal = kthreadd_signal"
                  for n, task in enumerate(tasks)]
    ring = "".join(f" &task_struct({task}).tasks" for task in
                   ["systemd_task", "kthreadd_task", "qemu_task", *tasks])
    dump = make_dump(folder.name, "lists", "\n".join(
        [*statements, f"list &task_struct(init_task).tasks:{ring}\n"]))
    count = len(object_of("info --json", dump)["notes"])
    expect(count >= 10, f"only {count} notes")
    notes = [line for line in monitor("info", dump).splitlines() if line.startswith("note ")]
    expect_equal(len(notes), 9, "lines of notes")
    expect_in(f"and {count - 8} more", notes[-1])


@check("threads: a line each")
def _():
    rows = monitor("threads").splitlines()
    expect_equal(len(rows), 7, "lines")
    expect(re.match(r" +103  S +1  qemu-kvm +0xffff88017a2b0000  switch +0xffffffff816a9214 "
                    r"__schedule\+0x304$", rows[3]), rows[3])
    expect(re.match(r" +110  R\* +0  CPU 0/KVM +0xffff88017a2b2500  note +0xffffffffc07a21a8",
                    rows[4]), rows[4])


@check("threads --json: the documented keys, and the recipe's values")
def _():
    rows = lines_of("threads --json")
    expect_equal([row["tid"] for row in rows], [1, 2, 103, 110, 10000000, 10000001], "ids")
    for row in rows:
        extra = set(row) - {"tid", "pid", "comm", "kind", "task", "state", "cpu", "on_cpu",
                            "regs_from", "why", "regs", "vcpu"}
        expect_equal(extra, set(), "other keys")
        for value in [row["task"], *row["regs"].values()]:
            expect(ADDRESS.fullmatch(value), value)
    regs = {row["tid"]: row.pop("regs") for row in rows}
    expect_equal(rows[3], {"tid": 110, "pid": 103, "comm": "CPU 0/KVM", "kind": "task",
                           "task": "0xffff88017a2b2500", "vcpu": "0xffff88043ea73280",
                           "state": "R", "cpu": 0, "on_cpu": True,
                           "regs_from": "note"}, "the vCPU's thread")
    expect_equal(rows[4], {"tid": 10000000, "pid": 0, "comm": "swapper/0", "kind": "idle",
                           "task": rows[4]["task"], "state": "R", "cpu": 0, "on_cpu": False,
                           "regs_from": "switch"}, "an idle task")
    expect_equal(regs[103], {"rip": "0xffffffff816a9214", "rsp": "0xffff88003e5f3d68",
                             "rbp": "0xffff88003e5f3dc8", "eflags": "0x246"}, "a sleeper")
    for name, value in {"rip": "0xffffffffc07a21a8", "rsp": "0xffff88003e5ebcd0",
                        "rbp": "0xffff88003e5ebd00", "rbx": "0xffff88043ea73280",
                        "r12": "0x5308000", "r13": "0x0", "r14": "0xffff8803e0e40000",
                        "orig_rax": "0xffffffffffffffff", "fs_base": "0x7f0b977fe700",
                        "gs_base": "0xffff88043ec00000"}.items():
        expect_equal(regs[110][name], value, name)


@check("names from the dump cannot paint the terminal or break the JSON")
def _():
    evil = make_dump(folder.name, "evil", 'put task_struct at qemu_task:\n'
                     '\tcomm = "\\x1b[2J\\n\\xff\\"\\\\"\n')
    row = lines_of("threads --json", evil)[2]
    expect_equal(row["comm"], '\x1b[2J\n\ufffd"\\', "the name")
    for text in [monitor("threads", evil), monitor("info", evil)]:
        expect(all(char.isprintable() or char == "\n" for char in text), repr(text))
    expect_equal(len(monitor("threads", evil).splitlines()), 7, "lines")
    expect_in('\\x1b[2J\\x0a\\xff"\\ 0x', monitor("threads", evil))
    with Server(dump=evil) as server, Client(server.address) as client:
        xml.fromstring(client.document("threads"))


@check("read: bytes, text beside them, symbols and 0x as one likes")
def _():
    expect_equal(monitor("read linux_banner 0x14"),
                 "ffffffff81800000  4c 69 6e 75 78 20 76 65 72 73 69 6f 6e 20 33 2e  Linux version "
                 "3.\nffffffff81800010  31 30 2e 30                                      10.0\n",
                 "the dump")
    expect_equal(monitor("read 0xffffffff81800000 20"), monitor("read ffffffff81800000 0x14"),
                 "with 0x and without")
    expect_equal(object_of("read linux_banner 5 --json"),
                 {"address": "0xffffffff81800000", "bytes": b"Linux".hex()}, "JSON")


@check("read: the lower half is the current thread's process's")
def _():
    expect_equal(object_of("read 7f0b9c4b3100 7 --json")["bytes"], "b8100000000f05", "the code")


@check("read: stops at a hole and says so")
def _():
    got = object_of("read ffff88003e5ebff8 16 --json")
    expect_equal((got["bytes"], got["stopped_at"], got["kind"]),
                 ("2b00000000000000", "0xffff88003e5ec000", "missing"), "the answer")
    expect("ffff88003e5ec000  missing: " in monitor("read ffff88003e5ebff8 16"), "in words")


@check("read and vtop tell the four kinds of missing memory apart")
def _():
    dump = make_dump(folder.name, "damaged", DAMAGE)
    for kind, address in KINDS.items():
        got = object_of(f"read {address:#x} 8 --json", dump)
        expect_equal((got["kind"], got["bytes"], got["stopped_at"]), (kind, "", f"{address:#x}"),
                     f"read {kind}")
        expect(got["why"], "no reason")
        expect_in(f"{address:016x}  {kind}: ", monitor(f"read {address:x} 8", dump))
        got = object_of(f"vtop {address:#x} --json", dump)
        expect_equal(got["kind"], kind, f"vtop {kind}")
        expect_equal("physical" in got, kind != "not present", f"vtop {kind}: an address")
        expect_in(f"{address:016x}  {kind}: ", monitor(f"vtop {address:x}", dump))


def expect_refused(server, address, target, packet, reply, why):
    """Asks the packet; the next event of --debug refused must be its own."""
    with Client(address) as client:
        expect_equal(client.ask(packet), reply, f"{target}: {packet}")
    line = server.next_line()
    while not line.startswith("refused: "):
        line = server.next_line()
    expect(re.fullmatch(rf"refused: \[\d+\] {target}: {packet}: {reply}: {why}", line), line)


@check("--debug refused: a read that fails has its target, its address and its kind")
def _():
    dump = make_dump(folder.name, "damaged", DAMAGE)
    with Server("--debug", "refused", "--guests", dump=dump) as server:
        for kind, address in KINDS.items():
            expect_refused(server, server.address, "host", f"m{address:x},8", "E0e",
                           rf"{kind}: 0x{address:x} as thread \d+ sees it: .+")
    with Server("--debug", "refused", "--guests") as server:
        guest = re.match(r"listening on (\S+) for vm-103$", server.next_line()).group(1)
        expect_refused(server, guest, "vm-103", "m123456789000,8", "E0e",
                       r"not present: 0x123456789000 as thread 1 sees it: .+")


@check("a guest's monitor: the commands of the same table, about its own VM and the selected vCPU")
def _():
    with Server("--guests") as server:
        address = re.match(r"listening on (\S+) for vm-103$", server.next_line()).group(1)
        with Client(address) as guest, Client(server.address) as host:
            # What the host is told by name is what the guest is told without.
            for of_guest, of_host in [("vcpu", "vcpu 103:0"), ("vcpus", "vcpus 103"), ("mmu", "mmu 103:0"),
                                      ("ept --summary", "ept 103:0 --summary"),
                                      ("walk gpa 1000", "walk 103:0 gpa 1000"), ("targets", "targets")]:
                for suffix in ["", " --json"]:
                    expected = host.monitor(of_host + suffix)
                    expect_equal(expected[1], "OK", of_host)
                    expect_equal(guest.monitor(of_guest + suffix), expected, of_guest + suffix)
            expect_equal(json.loads(guest.monitor("info --json")[0]), json.loads(host.monitor("vms --json")[0]),
                         "info --json is the VM's object")
            names = [json.loads(line)["command"] for line in guest.monitor("help --json")[0].splitlines()]
            expect_equal(names, ["help", "info", "vcpus", "vcpu", "r", "phys", "virt", "what", "refs", "walk",
                                 "mmu", "ept", "targets", "connect", "clients", "iam", "note", "notes", "point",
                                 "follow"], "help")
            printed, _ = guest.monitor("")
            expect_in("walk gva|gpa ADDR [--json]\n", printed)
            expect(printed.endswith("\nAll other commands are the host's.\n"), printed)
            for line in ["help mmu", "mmu --help"]:
                expect_equal(guest.monitor(line)[0].splitlines()[0], "mmu [--json]", line)
            # What needs the host says so; what nobody has says that.
            words = " ".join(names)
            for line in ["bt", "bt --all", "help bt", "bt --help"]:
                printed, reply = guest.monitor(line)
                expect_equal((printed.removeprefix("help: "), reply), (
                    "'bt' needs the host: it is a command of the host's monitor, and 'targets' says where that "
                    f"is; a guest has: {words}\n", "E01"), line)
            expect_equal(guest.monitor("nope")[0],
                         f"there is no monitor command 'nope'; there are: {words}\n", "an unknown one")
            expect_equal(guest.monitor("mmu 103:0")[0], "mmu: it takes no argument; 'help' says more\n",
                         "a vCPU's name, which is the selected thread's")


@check("lldb-script: without types of the kernel it is one that does nothing, and says why")
def _():
    for suffix in ["", " --json"]:
        done = run_program("-q", "-x", "lldb-script" + suffix, DUMP)
        expect_equal((done.returncode, done.stderr), (0, ""), suffix)
        line = json.loads(done.stdout)["command"] if suffix else done.stdout
        expect(re.match("# .*the kernel's types, which are not known", line), done.stdout)


@check("what in a guest whose kernel is not known: where the address lies, and why there is no more")
def _():
    with Server("--guests") as server:
        address = re.match(r"listening on (\S+) for vm-103$", server.next_line()).group(1)
        with Client(address) as guest, Client(server.address) as host:
            rip = json.loads(guest.monitor("vcpu --json")[0])["regs"]["rip"]["value"]
            row = json.loads(guest.monitor(f"what --json {rip}")[0])
            fact, = row["facts"]
            # `walk` has the same way, step by step.
            steps = host.monitor(f"walk 103:0 gva {rip}")[0]
            expect_equal((row["address"], fact["kind"]), (rip, "place"), "what")
            for key in ["gpa", "hva", "host_physical"]:
                expect_in(fact[key].removeprefix("0x"), steps)
            expect_in("no Linux kernel was found in the guest", row["kernel_unknown"])
            printed, reply = guest.monitor(f"what {rip} 123456789000")
            expect_equal(reply, "OK", "what")
            expect(printed.startswith("the guest's kernel is not known: no Linux kernel was found"), printed)
            expect_in(f"guest physical {fact['gpa']}, slot ", printed)
            expect_in("0x0000123456789000  nothing: ", printed)
            for line, words in [("what init_task", "what: 'init_task' is no hexadecimal address, and names are not known: "),
                                (f"refs {rip}", "refs: no Linux kernel was found in the guest: ")]:
                printed, reply = guest.monitor(line)
                expect_equal(reply, "E01", line)
                expect(printed.startswith(words), printed)


@check("r: registers that no thread has of its own, in the form that tools parse")
def _():
    # By these words tools know the stub that has these commands.
    expect_in("Dump hidden register", monitor("help r"))
    rows = lines_of("r --json")
    expect_equal([row["register"] for row in rows], ["cr0", "cr2", "cr3", "cr4", "efer", "gdtr", "idtr"],
                 "registers")
    expect(all(row["why"] and len(row) == 2 for row in rows), "the kernel's own note has none of them")
    expect_equal(re.findall(r"^(\w+) is not known: ", monitor("r dr0"), re.MULTILINE), ["dr0"], "dr0")
    with Server("--guests") as server:
        address = re.match(r"listening on (\S+) for vm-103$", server.next_line()).group(1)
        with Client(address) as guest, Client(server.address) as host:
            regs = json.loads(guest.monitor("vcpu --json")[0])["regs"]
            for name in ["cr0", "cr3", "cr4", "efer"]:
                printed, reply = guest.monitor(f"r {name}")
                fresh = regs.get(name, {}).get("from") not in (None, "stale")
                expect_equal((printed == f"{name}={regs[name]['value']}\n", reply), (fresh, "OK"), printed)
            # A debugger's registers of these names are the same, or unavailable.
            for client in [host, guest]:
                tree = xml.fromstring(client.document("features", "target.xml"))
                names = [reg.get("name") for reg in tree.iter("reg")]
                for row in map(json.loads, client.monitor("r --json")[0].splitlines()):
                    value = client.ask(f"p{names.index(row['register']):x}")
                    number = row.get("value", row.get("base"))
                    expected = int(number, 16).to_bytes(8, "little").hex() if number else "x" * 16
                    expect_equal(value, expected, row["register"])
            printed, reply = host.monitor("r rip")
            expect_equal(reply, "E01", printed)
            expect_in("the debugger's own", printed)


@check("phys, virt, read -p: physical addresses, in one session alone")
def _():
    with Server() as server, Client(server.address) as client, Client(server.address) as other:
        check_physical(client)
        expect_equal(other.ask("qqemu.PhyMemMode"), "0", "another session")


def check_physical(client):
    physical = int(object_of("vtop linux_banner --json")["physical"], 16)
    banner = client.ask(f"m{int(object_of('read linux_banner 16 --json')['address'], 16):x},10")
    expect_equal(object_of(f"read -p {physical:x} 16 --json")["bytes"], banner, "read -p")
    expect(client.ask(f"m{physical:x},10").startswith("E"), "no virtual address")
    for on, off in [("monitor", "packet"), ("packet", "monitor")]:
        for way, mode in [(on, 1), (off, 0)]:
            if way == "monitor":
                client.monitor("phys" if mode else "virt")
            else:
                expect_equal(client.ask(f"Qqemu.PhyMemMode:{mode}"), "OK", "Qqemu.PhyMemMode")
            expect_equal(client.ask("qqemu.PhyMemMode"), str(mode), "qqemu.PhyMemMode")
            got = client.ask(f"m{physical:x},10")
            expect_equal(got == banner, bool(mode), f"{way} {mode}: {got}")
    client.monitor("phys")
    expect_in("Linux", client.monitor(f"read {physical:x} 16")[0])
    expect(client.ask("mfffffffffffffff8,10").startswith("E"), "the last address")
    expect_in("no physical address", client.monitor("read linux_banner 16")[0])


@check("vtop: every level, large pages, who may do what")
def _():
    got = object_of("vtop 7f0b9c4b3107 --json")
    expect_equal([step["level"] for step in got.pop("steps")], [4, 3, 2, 1], "levels")
    expect_equal(got, {"address": "0x7f0b9c4b3107", "physical": "0x3d000107", "page_size": 4096,
                       "writable": False, "user": True, "executable": True}, "a user's page")
    got = object_of("vtop ffff88003e5ebcd0 --json")
    expect_equal([step["level"] for step in got.pop("steps")], [4, 3], "levels")
    expect_equal(got, {"address": "0xffff88003e5ebcd0", "physical": "0x3e5ebcd0",
                       "page_size": 1 << 30, "writable": True, "user": False,
                       "executable": False}, "the direct mapping")
    text = monitor("vtop vmx_set_cr3")
    for part in ["level 4  PGD", "level 3  PUD", "level 2  PMD", "level 1  PTE",
                 "-> physical 0x1007a2190, page of 4 KiB, writable, executable"]:
        expect_in(part, text)
    expect_equal(object_of("vtop 900000000000 --json")["steps"], [], "no canonical address: steps")


@check("what: the place of the vCPU, of symbols and on a stack, as the recipe has them")
def _():
    said = {row["address"]: row["facts"] for row in lines_of(
        "what ffff88043ea73500 init_task ffff88003e5ebd30 ffff88003e5ebc98 kvm_vcpu_ioctl "
        "ffffc90000000000 --json")}
    expect_equal(said["0xffff88043ea73500"],
                 [{"kind": "vcpu", "start": "0xffff88043ea73280", "offset": "0x280", "vm": 103,
                   "id": 0, "tid": 110}], "inside the vCPU")
    [task, symbol] = said["0xffffffff81810060"]
    expect_equal([task["kind"], task["tid"], task["offset"]], ["task", 10000000, "0x0"], "a task")
    expect_equal(symbol, {"kind": "symbol", "symbol": "init_task", "offset": "0x0"}, "a symbol")
    [place] = said["0xffff88003e5ebd30"]
    expect_equal([place["kind"], place["tid"], place["frame"], place["function"]],
                 ["stack", 110, 1, "kvm_mmu_load"], "a word of a frame")
    [below] = said["0xffff88003e5ebc98"]
    expect_equal(["frame" in below, below["offset"]], [False, "0x3c98"], "below the frames")
    [named] = [facts for facts in said.values() if facts[0].get("module")]
    expect_equal(named[0]["symbol"], "kvm_vcpu_ioctl", "a module's symbol")
    expect_equal(said["0xffffc90000000000"][0]["kind"], "unmapped", "no memory")
    expect_in("stack+0x3d30 of 110 CPU 0/KVM, in frame #1 (kvm_mmu_load), saved r13 of #2",
              monitor("what ffff88003e5ebd30"))


@check("refs: registers and words of stacks that point to the vCPU, as the recipe has them")
def _():
    rows = lines_of("refs ffff88043ea73280 --json")
    expect_equal({row["register"] for row in rows if row["kind"] == "register"}, {"rbx", "rdi"},
                 "registers")
    words = {int(row["address"], 16) - 0xffff88003e5eb000: row.get("frame") for row in rows
             if row["kind"] == "stack"}
    # What lies below rsp is no part of the stack any more.
    expect_equal(words, {0xcd0: 0, 0xcf0: 0, 0xd20: 1, 0xd80: 2, 0xda0: 2, 0xde8: 3}, "words")
    expect_equal({row["tid"] for row in rows}, {110}, "threads")
    expect_in("saved rbx of #2\n", monitor("refs ffff88043ea73280"))
    expect_in("slab objects are not known", run_on_demo("-x", "refs init_task dentry").stderr)


@check("members of structures are there, and where gdb finds them in the vmlinux")
def _():
    need_tool("gdb")
    rows = lines_of("info --layout --all --json")
    expect_equal(lines_of("info --layout --json"), [row for row in rows if not row["there"]], "the missing")
    # gdb cannot take the address of a bit-field, and what is in an array has one.
    asked = [(row["type"], path, row["offset"] if path == row["member"] and row["there"] else None)
             for row in rows for path in row["names"]
             if not row["there"] or path == row["member"]]
    commands = [word for kind, path, _ in asked
                for word in ("-ex", f"printf \"%lu\\n\", &((struct {kind} *)0)->{path}")]
    done = subprocess.run(["gdb", "-nx", "-batch", *commands, VMLINUX], capture_output=True,
                          text=True, check=False, timeout=60)
    there = [offset for _, _, offset in asked if offset is not None]
    expect_equal([int(line) for line in done.stdout.split()], there, "offsets")
    expect(len(there) > 50, f"{len(there)} members are there")
    expect_equal(len([line for line in done.stderr.splitlines() if "o struct type named" in line or
                      "no member named" in line]), len(asked) - len(there), "those that gdb has not")


@check("bad arguments are one sentence, and status 1")
def _():
    for line, parts in [("read", ["ADDR LEN"]), ("read 0", ["ADDR LEN"]), ("vtop", ["ADDR"]),
                        ("read nonsense 8", ["'nonsense'", "symbol"]),
                        ("vtop nonsense", ["'nonsense'"]), ("read 0 0", ["'0'", "length"]),
                        ("read 0 1048577", ["length"]), ("read 0 -1", ["length"]),
                        ("read 0 8x", ["'8x'"]), ("read 10000000000000000 8", ["symbol"]),
                        ("read ffffffffffffffff 2", ["beyond"]),
                        ("info all", ["--layout"]), ("info --all", ["--layout"]), ("threads --text", ["no argument"]),
                        ("help nonsense", COMMANDS), ("nonsense", COMMANDS),
                        ("Threads", ["'Threads'"]), ("1 " * 20, ["words"])]:
        done = run_on_demo("--exec", line)
        expect_equal((done.returncode, done.stdout), (1, ""), f"{line}: status and output")
        expect_equal(len(done.stderr.splitlines()), 1, f"{line}: sentences")
        for part in parts:
            expect_in(part, done.stderr)


@check("from a client: output, then OK; errors are printed, or said in words to who asked for that")
def _():
    with Server() as server, Client(server.address) as client:
        expect_equal(client.monitor("info"), (monitor("info"), "OK"), "info")
        expect_equal(client.monitor("threads --json"), (monitor("threads --json"), "OK"), "threads")
        printed, reply = client.monitor("nonsense")
        expect_in("'nonsense'", printed)
        expect_equal(reply, "E01", "the reply")
        client.ask("qSupported:error-message+")
        printed, reply = client.monitor("nonsense")
        expect_equal(printed, "", "printed")
        expect_in("'nonsense'", reply)
        for packet in ["qRcmd", "qRcmd,", "qRcmd,6", "qRcmd,zz", "qRcmd,00"]:
            client.ask(packet)
            while not client.ask("qAttached") == "1":
                pass


@check("from a client: memory is read as the selected thread sees it")
def _():
    line = "read 7f0b9c4b3100 7 --json"
    with Server() as server, Client(server.address) as client:
        for tid, known in [(110, True), (103, True), (1, False), (2, False), (10000000, False)]:
            expect_equal(client.ask(f"Hg{tid:x}"), "OK", "Hg")
            printed, reply = client.monitor(line)
            expect_equal(reply, "OK", "the reply")
            expect_equal(json.loads(printed)["bytes"], "b8100000000f05" if known else "",
                         f"as thread {tid} sees it")


run_checks()
