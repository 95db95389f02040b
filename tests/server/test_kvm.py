#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's virtual machine: by monitor commands, `info os`, and registers of our own."""

import json
import re
import subprocess

from gdb_run import GDB_S, gdb_on_demo
from program import VMLINUX, Server, run_on_demo, run_program
from rsp import Client
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

KVM, VCPU = "0xffff8803e0e40000", "0xffff88043ea73280"


def monitor(*commands):
    arguments = [word for command in commands for word in ("-x", command)]
    ended = run_on_demo("-q", *arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return ended.stdout + ended.stderr


def values(text):
    return re.findall(r"^\$\d+ = (.*)$", text, re.MULTILINE)


@check("vms --json: the machine, its vCPU, its memory slot")
def _():
    vm = json.loads(monitor("vms --json"))
    vcpu = vm["vcpus"][0]
    expect_equal((vm["kvm"], vm["pid"], vm["comm"], vm["kind"]), (KVM, 103, "qemu-kvm", "plain"),
                 "the VM")
    expect_equal(len(vm["vcpus"]), 1, "vCPUs")
    expect_equal((vcpu["vcpu"], vcpu["id"], vcpu["tid"], vcpu["root_hpa"], vcpu["exit_reason"]),
                 (VCPU, 0, 110, "0x5308000", "HLT"), "the vCPU")
    expect_equal(vcpu["rip"], {"value": "0x8010", "from": "regs"}, "rip")
    expect_equal(vcpu["rsp"], {"value": "0x7000", "from": "stale"}, "rsp")
    slot = vm["slots"][0]
    expect_equal((slot["as"], slot["id"], slot["gpa"], slot["size"], slot["hva"]),
                 (0, 0, "0x0", 0x10000, "0x7f0b60000000"), "the slot")


@check("vcpus and vcpu: by every name, and what is none")
def _():
    rows = [json.loads(line) for line in monitor("vcpus --json", "vcpus 103 --json",
                                                 f"vcpus {KVM} --json").splitlines()]
    expect_equal([row["vcpu"] for row in rows], [VCPU] * 3, "vCPUs")
    for name in ["0", "110", "103:0", VCPU, f"{KVM}:0"]:
        row = json.loads(monitor(f"vcpu {name} --json"))
        expect_equal(row["regs"]["rbx"], {"value": "0xb0b0b0b0", "from": "regs"}, name)
        expect_equal(row["encrypted"], False, "encrypted")
    for name in ["0", "110", "103:0", "vm-103:0", VCPU, f"{KVM}:0"]:
        for line in [f"mmu {name}", f"ept {name}", f"walk {name} gva 8000"]:
            expect_not_in("there is no", monitor(line))
    for line in ["vcpu 7", "vcpu 103:1", "vcpu nonsense", "vcpu 104:0", "vcpu 0xffff880000000000"]:
        expect_in("there is no", monitor(line))
    expect_in("there is no virtual machine '7'", monitor("vcpus 7"))
    expect_in("stale", monitor("vcpu 0"))


@check("--guest: a VM that is none, one that runs no Linux, a live machine's")
def _():
    for name, what in [("7", "there is no virtual machine '7'"),
                       ("103", "look at the virtual machine 103: no Linux kernel was found in the "
                        "guest: ")]:
        for options in [("--exec", "info"), ("--listen", "127.0.0.1:0")]:
            done = run_on_demo("--quiet", "--guest", name, *options)
            expect_equal((done.returncode, done.stdout), (1, ""), f"{name}: status and output")
            expect_in(what, done.stderr)
            expect_equal(len(done.stderr.splitlines()), 1, "sentences")
    expect_in("--guest looks at a guest of a dump", run_program("--live", "--guest", "1").stderr)


@check("gdb: $kvm_vcpu, $task and the guest's registers by name", GDB_S)
def _():
    text = gdb_on_demo("p/x $kvm_vcpu", "p/x $task", "p/x $kvm", "p/x $root_hpa",
                       "p ((struct kvm_vcpu *)$kvm_vcpu)->arch.mmu.root_hpa",
                       "p/x $guest_rip", "p $guest_rsp", "p $guest_cr0", "p $guest_efer",
                       "thread 3", "p $kvm_vcpu", "p $guest_rip", "p/x $task")
    expect_equal(values(text), [VCPU, "0xffff88017a2b2500", KVM, "0x5308000", "87064576", "0x8010",
                                "<unavailable>", "[ PE MP ET NE WP AM PG ]",
                                "[ SCE LME LMA NXE ]",
                                "<unavailable>", "<unavailable>", "0xffff88017a2b0000"], "values")


def sizes_by_row(client):
    """How many digits each register has, in the order of their numbers."""
    xml = b""
    while True:
        part = client.ask(f"qXfer:features:read:target.xml:{len(xml):x},4000").encode()
        xml += part[1:]
        if part[:1] == b"l":
            break
    return [int(bits) // 4 for bits in re.findall(rb'<reg [^>]*bitsize="(\d+)"', xml)]


@check("p of each register, in whatever order, is what g has of it")
def _():
    with Server() as server:
        # Each thread first by p alone: the first to ask, from the last register to the first.
        for thread in [110, 103, 1]:
            with Client(server.address) as client:
                sizes = sizes_by_row(client)
                client.ask(f"Hg{thread:x}")
                alone = [client.ask(f"p{row:x}") for row in reversed(range(len(sizes)))][::-1]
                expect_equal([len(digits) for digits in alone], sizes, "digits")
                expect_equal("".join(alone), client.ask("g"), f"registers of thread {thread}")
                expect_equal(client.ask(f"p{len(sizes):x}"), "E01", "the row behind the last")


@check("gdb: info os", GDB_S)
def _():
    text = gdb_on_demo("info os", "info os vms", "info os vcpus", "info os slots", "info os nope")
    for part in ["Listing of all virtual machines", "qemu-kvm", VCPU, "0x7f0b60000000", "0x5308000"]:
        expect_in(part, text)


@check("gdb: info os, the kernel's own tables", GDB_S)
def _():
    text = gdb_on_demo("info os", "info os processes", "info os threads", "info os cpus",
                       "info os modules", 'interpreter-exec mi "-list-thread-groups --available"')
    for part in ["Listing of all loaded kernel modules", '{id="103",type="process"']:
        expect_in(part, text)
    for row in [r"^103 +qemu-kvm +\d+ +S +0x\w+", r"^CPU 0/KVM +103 +110 +0 +R +0x\w+",
                r"^0 +yes +110 +CPU 0/KVM"]:
        expect(re.search(row, text, re.MULTILINE), f"no {row} in:\n{text}")


@check("lldb: $kvm_vcpu by name", 30)
def _():
    lldb = need_tool("lldb")
    with Server() as server:
        ended = subprocess.run(
            [lldb, "-x", "-b", "-o", f"gdb-remote {server.address}",
             "-o", "register read kvm_vcpu guest_rip", "-o", "p/x $kvm_vcpu",
             "-o", "thread select 4", "-o", "register read kvm_vcpu task", VMLINUX],
            capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL)
    text = ended.stdout + ended.stderr
    expect_in(f"kvm_vcpu = {VCPU}", text)
    expect(re.search(r"guest_rip = 0x0*8010\b", text), text)
    expect(re.search(r"kvm_vcpu +=? *error: unavailable", text), text)
    expect_in("task = 0xffff88017", text)
    expect_not_in("0xcccc", text)


run_checks()
