# SPDX-License-Identifier: GPL-2.0-or-later
"""Debug adapters on the demo dump, with the configurations that --ide prints: attach, look, step out,
stop, without a dead end."""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import adapters
from dap import Dap, Refused
from mi import Mi
from printed import ide_text, nvim_configurations, vscode_configurations
from program import SOURCE, VMLINUX, Server
from recipes import MAKER
from rsp import Client
from tap import check, expect, expect_equal, expect_in, fail, run_checks

FUNCTIONS = ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest", "kvm_arch_vcpu_ioctl_run"]
VCPU = "CPU 0/KVM [running on 0] vm 103 vcpu 0, in kernel"
VCPU_AT = "(struct kvm_vcpu *)0xffff88043ea73280"
RIP = 0xffffffffc07a21a8


def vscode(server, kind, **how):
    return vscode_configurations(ide_text("vscode", "--listen", server.address, **how))[kind]


def lldb_dap(server, **how):
    return adapters.lldb_dap(), vscode(server, "lldb-dap", **how)


def cdt(server, **how):
    return adapters.cdt_gdb_adapter(), vscode(server, "gdbtarget", **how)


def gdb(server, **how):
    text = ide_text("nvim", "--listen", server.address, **how)
    command, configuration = nvim_configurations(text)["vmcore_gdb"]
    return adapters.gdb_dap(command[1:]), configuration


ADAPTERS = {"lldb-dap": lldb_dap, "cdt-gdb-adapter": cdt, "gdb's own adapter": gdb}


class Session(Dap):
    """An adapter that is attached, as an editor does it with a configuration."""

    def __init__(self, adapter, configuration, breakpoints=()):
        super().__init__(adapter.command, adapter.env)
        self.memory_references = adapter.memory_references
        self._configuration = configuration
        self._breakpoints = breakpoints

    def __enter__(self):
        super().__enter__()
        rest = {key: value for key, value in self._configuration.items()
                if key not in ("type", "request", "name")}
        self.stop = self.attach(self._configuration["request"], rest, self._breakpoints)
        return self

    def vcpu(self):
        found = [tid for tid, name in self.threads().items() if VCPU in name]
        expect_equal(len(found), 1, "vCPU threads")
        return found[0]

    def run(self, command, thread):
        """What would let it run: the stop that must follow."""
        self.forget_events()
        try:
            self.ask(command, threadId=thread)
        except Refused:
            pass  # gdb's adapter says "Command aborted." beside the stop
        return self.event("stopped")[1]


def look(s, adapter):
    """Threads, frames, scopes, a structure, memory, code and registers of the vCPU thread."""
    names = list(s.threads().values())
    expect_equal(len(names), 6, "threads")
    expect(any("qemu-kvm" in name for name in names), f"no qemu-kvm in {names}")
    thread = s.vcpu()
    expect_equal(s.stop["threadId"], thread, "the thread that it stopped at")
    frames = s.frames(thread)
    expect_equal([frame["name"].split("(")[0] for frame in frames[:4]], FUNCTIONS, "functions")
    scopes = s.ask("scopes", frameId=frames[0]["id"])["scopes"]
    registers = next(row for row in scopes if row["name"].startswith("Registers"))
    listed = s.children(registers["variablesReference"])
    if "rip" not in listed:  # lldb has groups of them
        for group in list(listed.values()):
            listed |= s.children(group["variablesReference"])
    rip = re.search(r"0x[0-9a-f]+|-?\d+", listed["rip"]["value"]).group()
    expect_equal(int(rip, 0) & (1 << 64) - 1, RIP, "rip")
    expect_in("ffff88043ea73280", listed["rbx"]["value"] if "0x" in listed["rbx"]["value"]
              else f"{int(listed['rbx']['value']) & (1 << 64) - 1:x}")
    vcpu = s.ask("evaluate", expression=f"*{VCPU_AT}", frameId=frames[0]["id"], context="watch")
    expect_equal(s.expand(vcpu, "arch", "mmu", "root_hpa")["value"], "87064576", "root_hpa")
    value = s.ask("evaluate", expression=f"({VCPU_AT})->vcpu_id", frameId=frames[0]["id"],
                  context="watch")
    expect_equal(value["result"], "0", "vcpu_id")
    if s.capabilities.get("supportsReadMemoryRequest"):
        read = s.ask("readMemory", memoryReference="0xffffffff81800000", count=5)
        expect_equal(base64.b64decode(read["data"]), b"Linux", "memory")
    if s.capabilities.get("supportsDisassembleRequest"):
        rows = s.ask("disassemble", memoryReference=hex(RIP), instructionCount=2)["instructions"]
        expect_equal(int(rows[0]["address"], 0), RIP, "address of the first instruction")
        expect_in("mov", rows[0]["instruction"])
    s.output.clear()
    said = s.ask("evaluate", expression=adapter.monitor.format("vms"), frameId=frames[0]["id"],
                 context="repl")["result"]
    if "qemu-kvm" not in said:
        while "qemu-kvm" not in s.said():
            s.ask("threads")  # what it prints comes before the answer, or soon
    return thread


def run_and_stop(s, thread):
    """What would run comes back where it was, and everything still answers."""
    for command in ("stepOut", "next", "continue", "stepIn", "continue"):
        s.threads()
        stop = s.run(command, thread)
        expect_equal(stop.get("threadId"), thread, f"the thread after {command}")
        expect_equal(s.frames(thread, 1)[0]["name"].split("(")[0], FUNCTIONS[0], f"after {command}")
    try:
        s.ask("pause", threadId=thread)
    except Refused:
        pass
    expect_equal(len(s.threads()), 6, "threads after pause")


for NAME, START in ADAPTERS.items():
    @check(f"{NAME}, as --ide configures it: all of a session, two at once, and again")
    def _(start=START):
        with Server() as server, Client(server.address) as other:
            adapter, configuration = start(server)
            with Session(adapter, configuration, [FUNCTIONS[0]]) as s:
                thread = look(s, adapter)
                run_and_stop(s, thread)
                with Session(adapter, configuration) as second:
                    look(second, adapter)
                    expect_equal(s.frames(thread, 1)[0]["name"].split("(")[0], FUNCTIONS[0],
                                 "the first one's function")
                    second.ask("disconnect", terminateDebuggee=True)
                expect_equal(len(s.threads()), 6, "threads after another has gone")
                if s.capabilities.get("supportsTerminateRequest"):
                    s.ask("terminate")
                else:
                    s.ask("disconnect")
            with Session(adapter, configuration) as again:
                expect_equal(again.stop["threadId"], thread, "the thread, once more")
                expect_equal(len(again.threads()), 6, "threads, once more")
                again.ask("disconnect")
            expect_equal(other.ask("qC"), "QC6e", "another client")


def shown(session, words):
    """The stop that somebody shows: its words are its text, or on the console."""
    stop = session.event("stopped")[1]
    for _ in range(50):
        if words in json.dumps(stop) or words in session.said():
            return stop
        session.ask("threads")
        time.sleep(0.1)
    return fail(f"{words!r} is never said: {stop}, {session.said()}")


for NAME, START in ADAPTERS.items():
    @check(f"{NAME} waits for a colleague who points, beside two gdbs, and stops there with the words")
    def _(start=START):
        with tempfile.TemporaryDirectory() as notes, Server("--notes", notes) as server, \
                Client(server.address) as alice, Mi(server.address) as mi:
            adapter, configuration = start(server)
            with Session(adapter, configuration) as s:
                thread = s.vcpu()
                frame = s.frames(thread, 1)[0]["id"]
                for command in ("iam ide", "follow", "note 110 from an editor"):
                    s.ask("evaluate", expression=adapter.monitor.format(command), frameId=frame,
                          context="repl")
                mi.ask('-interpreter-exec console "monitor follow"')
                mi.ask("-exec-continue")
                s.forget_events()
                number = s.send("continue", threadId=thread)
                while '"waits":true' not in alice.monitor("clients --json")[0].splitlines()[-1] or \
                        alice.monitor("clients --json")[0].count('"waits":true') < 2:
                    time.sleep(0.1)
                expect_in("shown to 2 clients", alice.monitor("point 110#2 here it is")[0])
                stop = shown(s, "here it is")
                expect_equal(s.frames(stop["threadId"], 1)[0]["name"].split("(")[0], FUNCTIONS[2],
                             "the function")
                mi.wait_for("here it is")
                expect_in(FUNCTIONS[2], mi.wait_for(r"^\*stopped(.*)$").group(1))
                expect_in("from an editor", alice.monitor("bt 110")[0])
                expect(number, "a request")


@check("adapters without a vmlinux have what the server has")
def _():
    with Server() as server:
        adapter, configuration = cdt(server)
        del configuration["program"]
        with Session(adapter, configuration) as s:
            frames = s.frames(s.vcpu())
            expect_equal([frame["name"] for frame in frames[:4]], FUNCTIONS, "functions")
            vcpu = s.ask("evaluate", expression=f"*{VCPU_AT}", frameId=frames[0]["id"], context="watch")
            expect_equal(s.expand(vcpu, "arch", "mmu", "root_hpa")["value"], "87064576", "root_hpa")


def prepared(server, folder, *vmlinux):
    """The configurations that vmcore-lldb --prepare prints."""
    done = subprocess.run(
        [sys.executable, os.path.join(SOURCE, "contrib/lldb/vmcore-lldb"), "--prepare",
         os.path.join(folder, "files"), server.address, *vmlinux],
        env=dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache")),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    expect_equal(done.returncode, 0, f"the status of vmcore-lldb ({done.stderr})")
    return vscode_configurations(done.stdout)


@check("lldb-dap, as vmcore-lldb --prepare configures it, with a vmlinux and without")
def _():
    adapter = adapters.lldb_dap()
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        for vmlinux in ([VMLINUX], []):
            found = prepared(server, folder, *vmlinux)
            expect_equal(found["lldb"]["targetCreateCommands"] + found["lldb"]["processCreateCommands"],
                         [line for line in found["lldb-dap"]["attachCommands"]
                          if not line.startswith("script ")], "the commands for CodeLLDB")
            with Session(adapter, found["lldb-dap"]) as s:
                look(s, adapter)
                s.ask("disconnect")
        expect(os.listdir(os.path.join(folder, "files")), "nothing was kept")


@check("vmcore-lldb --prepare says what it cannot do")
def _():
    for words, part in [(["folder"], "--prepare FOLDER HOST:PORT"),
                        (["/dev/null/folder", "localhost:1"], "/dev/null/folder"),
                        (["/tmp", "localhost:1", "x", "y"], "--prepare FOLDER")]:
        done = subprocess.run([sys.executable, os.path.join(SOURCE, "contrib/lldb/vmcore-lldb"),
                               "--prepare", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        expect_equal((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1),
                     "status, output and lines of the error")
        expect_in(part, done.stderr)


THREADS = 3000


def many_threads(folder):
    """A dump with that many threads more."""
    recipe, dump = os.path.join(folder, "many.recipe"), os.path.join(folder, "many")
    with open(recipe, "w", encoding="ascii") as file:
        subprocess.run([sys.executable, os.path.join(SOURCE, "tests/bench/many_tasks.py"), str(THREADS)],
                       stdout=file, check=True)
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "contrib/demo"), "-I", "contrib/demo", recipe,
                    dump], check=True, timeout=60)
    return dump


def named_threads(s):
    """lldb has the names of many threads a moment after the threads."""
    for _ in range(300):
        threads = s.threads()
        if sum("worker-" in name for name in threads.values()) == THREADS:
            return threads
        time.sleep(0.2)
    fail(f"not all threads have names: {list(threads.values())[:20]}")


for NAME, START in ADAPTERS.items():
    @check(f"{NAME}: {THREADS} threads, and one stays where one is")
    def _(start=START):
        with tempfile.TemporaryDirectory() as folder:
            dump = many_threads(folder)
            with Server(dump=dump) as server:
                adapter, configuration = start(server, dump=dump)
                with Session(adapter, configuration) as s:
                    threads = named_threads(s)
                    expect_equal(len(threads), THREADS + 6, "threads")
                    for number in (0, THREADS // 2, THREADS - 1):
                        named = f"worker-{number} ["
                        thread = [tid for tid, name in threads.items() if named in name]
                        expect_equal(len(thread), 1, f"threads called {named}")
                        expect(s.frames(thread[0], 3), f"no frames of {named}")
                    stop = s.run("continue", s.vcpu())
                    expect_equal(stop["threadId"], s.vcpu(), "the thread after continue")
                    s.ask("disconnect")


run_checks()
