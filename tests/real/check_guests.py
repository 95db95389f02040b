#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machines of one dump as targets of their own, with --guests.

    check_guests.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Every page of every guest against drgn, by guest physical address, through the guest's target; both
ways to translate one against each other; marks and registers of guest/vmhost.c in stock gdb and
lldb, alone and beside the host. Of a filtered dump every page is there that its file holds; that the
others were left out must be said.
"""

import hashlib
import json
import re
import shutil
import subprocess

from held_pages import held_pages
from oracle import Failure, check_main, run, skip
from rsp_client import RspClient
from server_process import Server

PAGE, PAGES_AT_ONCE = 4096, 64
# What guest/vmhost.c puts where: by guest physical address, by virtual ones, and into registers.
MARK, HIGH = 0x300000, 0xffffffff80000000
TELL_RBX, TELL_RBP = 0xb0b0b0b0b0b00000, 0xbeefbeefbeef0000
GREETING = re.compile(r"listening on (\S+):(\d+) for vm-(\d+)$")


def page_sums(client, gpa, count):
    """The SHA-1 of each page, None where there is none; many are read at once."""
    sums = []
    while len(sums) < count:
        at, left = gpa + len(sums) * PAGE, count - len(sums)
        data = client.read_memory(at, min(left, PAGES_AT_ONCE) * PAGE)
        if data is None:
            sums.append(None)
            continue
        if len(data) % PAGE:
            raise Failure(f"the read at gpa {at:#x} ends within a page")
        sums += [hashlib.sha1(data[start:start + PAGE]).hexdigest()
                 for start in range(0, len(data), PAGE)]
    return sums


def pages_differ(client, vm):
    """Every page of the guest's slots against the oracle's, which reads no process's memory in the
    dumps that QEMU makes."""
    if not any(any(slot["pages"]) for slot in vm["slots"]):
        return
    for slot in vm["slots"]:
        got = page_sums(client, slot["gpa"], len(slot["pages"]))
        for number, expected in enumerate(slot["pages"]):
            if got[number] != expected:
                yield f"vm-{vm['pid']}: the page at gpa {slot['gpa'] + number * PAGE:#x} is " \
                      "not what drgn reads"


def letter_of(client):
    mark = client.read_memory(MARK, 32) or b""
    match = re.match(rb"hello from guest (.)\0", mark)
    return match.group(1).decode() if match else None


def monitor_lines(dump, command, *lines):
    options = [word for line in lines for word in ("-x", line)]
    out = run([*command, *options, *dump.files], "the server").decode("utf-8").splitlines()
    return [json.loads(line) for line in out]


def translations_differ(dump, command, vm):
    """By memory slot and by nested page tables, for every page; and the list of those mapped."""
    vcpu = f"vm-{vm['pid']}:0"
    mapped = {}
    for item in monitor_lines(dump, command, f"ept {vcpu} --json"):
        for page in range(0, item["size"], PAGE):
            mapped[int(item["gpa"], 16) + page] = int(item["hpa"], 16) + page
    gpas = [slot["gpa"] + page for slot in vm["slots"] for page in range(0, slot["size"], PAGE)]
    walks = monitor_lines(dump, command, *(f"walk {vcpu} gpa {gpa:x} --json" for gpa in gpas))
    both = 0
    for gpa, walk in zip(gpas, walks):
        nested = walk["nested"].get("hpa")
        nested = int(nested, 16) if nested else None
        if nested != mapped.get(gpa):
            yield f"{vcpu}: ept and walk do not agree at gpa {gpa:#x}"
        if nested is not None and (walk.get("agree") is not True or
                                   int(walk["slot"]["hpa"], 16) != nested):
            yield f"{vcpu}: the ways differ at gpa {gpa:#x}: {walk}"
        both += nested is not None
    if vm["ran"] and not both:
        yield f"{vcpu}: nested page tables map nothing"


def gdb_says(*commands):
    # A sanitized server on a busy machine takes longer than gdb waits by itself.
    options = [word for command in ("set remotetimeout 60", *commands) for word in ("-ex", command)]
    return run(["gdb", "-nx", "-batch", *options], "gdb", with_stderr=True).decode("utf-8",
                                                                                  "replace")


def gdb_differs(host, guest, letter):
    """Marks by both kinds of address; the halted vCPU's registers; host and guest side by side."""
    mark = f'"hello from guest {letter}"'
    tell = (ord(letter) << 8) + 1
    text = gdb_says(f"target remote {guest}", "info threads", "thread 2", "p/x $rbx", "p/x $rbp",
                    f"x/s {HIGH + MARK:#x}", "maint packet Qqemu.PhyMemMode:1", f"x/s {MARK:#x}",
                    "maint packet Qqemu.PhyMemMode:0", f"x/s {MARK:#x}")
    wanted = ["CPU 1 [halted]", "CPU 3 [never run]", f"= {TELL_RBX + tell:#x}",
              f"= {TELL_RBP + tell:#x}"]
    for part in wanted:
        if part not in text:
            yield f"gdb: there is no {part} in:\n{text}"
    if text.count(mark) != 3:
        yield f"gdb: the mark is not read three times:\n{text}"
    both = gdb_says(f"target remote {host}", "add-inferior -no-connection", "inferior 2",
                    f"target remote {guest}", "thread 2.2", f"x/s {HIGH + MARK:#x}", "inferior 1",
                    "info threads")
    if mark not in both or "CPU 1/KVM" not in both or "CPU 1 [halted]" not in both:
        yield f"gdb: host and guest are not side by side:\n{both}"


def lldb_differs(guest, letter):
    options = [word for line in (f"gdb-remote {guest}", "thread list",
                                 f"memory read -f s {HIGH + MARK:#x}",
                                 "register read rbx") for word in ("-o", line)]
    text = run(["lldb", "--no-lldbinit", "--batch", *options], "lldb").decode("utf-8", "replace")
    # Which vCPU is selected depends on whose registers are known.
    tells = [f"{TELL_RBX + (ord(letter) << 8) + vcpu:#018x}" for vcpu in range(2)]
    if f'"hello from guest {letter}"' not in text or not any(tell in text for tell in tells):
        yield f"lldb: there is no mark or no {' or '.join(tells)} in:\n{text}"


def filtered_pages_differ(dump, command, client, vm, held):
    """Pages that the file does not hold are no zeros and no silence, and the others what they were."""
    left_out = []
    for slot in vm["slots"]:
        gpas = range(slot["gpa"], slot["gpa"] + slot["size"], PAGE)
        walks = monitor_lines(dump, command,
                              *(f"walk vm-{vm['pid']}:1 gpa {gpa:x} --json" for gpa in gpas))
        for gpa, walk, got in zip(gpas, walks, page_sums(client, slot["gpa"], len(gpas))):
            hpa = walk["slot"].get("hpa")
            expected = None
            if hpa and int(hpa, 16) in held:
                expected = hashlib.sha1(dump.core.read_physical(int(hpa, 16), PAGE)).hexdigest()
            elif hpa:
                left_out.append(gpa)
            if got != expected:
                yield f"vm-{vm['pid']}: the page at gpa {gpa:#x}, hpa {hpa}, is not as in the file"
    if not left_out:
        return
    out = subprocess.run([*command, "-x", f"walk vm-{vm['pid']}:1 gpa {left_out[0]:x}", *dump.files],
                         capture_output=True, text=True, check=False, timeout=60)
    if "excluded by the dump's filter" not in out.stdout:
        yield f"that the guest's memory is left out is not said: {out.stdout}{out.stderr}"


def vms_of(dump, command):
    """By drgn, with what it reads of their memory; where it knows no modules (6.12), the server's own list: both ways
    to translate, the marks and the debuggers remain."""
    told = list(dump.ask_drgn("oracle_drgn_guests.py"))
    if not told:
        told = [{"pid": vm["pid"], "slots": [{"gpa": int(slot["gpa"], 16), "size": slot["size"], "hva": slot["hva"],
                                              "pages": []} for slot in vm["slots"]]}
                for vm in monitor_lines(dump, command, "vms --json") if "kvm" in vm]
    return sorted(told, key=lambda vm: vm["pid"])


def check(dump, command):
    lines, letters = [], []
    vms = vms_of(dump, command)
    filtered = dump.entry["filtered"]
    held = held_pages(dump.files[0]) if filtered else None
    if filtered and held is None:
        skip("makedumpfile is missing: the package of that name")
    with Server([*command, "--guests"], dump.files) as server:
        greeting = [match.groups() for match in map(GREETING.match, server.rest_of_greeting())
                    if match]
        if [int(pid) for _, _, pid in greeting] != [vm["pid"] for vm in vms] or not vms:
            raise Failure(f"served are {greeting}, drgn knows {[vm['pid'] for vm in vms]}")
        host = f"{server.host}:{server.port}"
        for (address, port, _), vm in zip(greeting, vms):
            client = RspClient(address, int(port))
            if client.command("Qqemu.PhyMemMode:1") != "OK":
                raise Failure("Qqemu.PhyMemMode is refused")
            if filtered:
                lines += filtered_pages_differ(dump, command, client, vm, held)
                client.close()
                continue
            lines += pages_differ(client, vm)
            letter = letter_of(client)
            letters.append(letter)
            client.close()
            vm["ran"] = True
            lines += translations_differ(dump, command, vm)
            if letter is None:
                lines.append(f"vm-{vm['pid']} has no mark")
                continue
            if letter == letters[0] and shutil.which("gdb"):
                lines += gdb_differs(host, f"{address}:{port}", letter)
            if letter == letters[0] and shutil.which("lldb"):
                lines += lldb_differs(f"{address}:{port}", letter)
    if len(set(letters)) != len(letters):
        lines.append(f"the guests' marks are {letters}")
    return lines


if __name__ == "__main__":
    check_main(__doc__, check)
