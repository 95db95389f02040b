# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of symbols that are compressed, whole or their debug sections: read, or refused with a word
that says what to do."""

import json
import os
import subprocess
import tempfile

from program import DUMP, VMLINUX, Server, run_program
from recipes import MODERN, make_module, make_module_dump
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks

MODULE_ID = "0123456789abcdef" * 2 + "89abcdef"
PACKERS = {"xz": "xz", "zst": "zstd", "gz": "gzip"}
folder = tempfile.TemporaryDirectory()
made = {}


def path(*parts):
    return os.path.join(folder.name, *parts)


def module():
    if "module" not in made:
        made["module"] = make_module(folder.name, MODULE_ID)
    return made["module"]


def dump():
    if "dump" not in made:
        made["dump"] = make_module_dump(folder.name, "dump", MODULE_ID)
    return made["dump"]


def place(name):
    """A path of this name in a folder of its own."""
    return os.path.join(tempfile.mkdtemp(dir=folder.name), name)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def packed(end, data):
    """The data as the kernel's build packs it."""
    return subprocess.run([need_tool(PACKERS[end]), "-c"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def symbols_of(file):
    """What there is to say of the module, if this is its file."""
    done = run_program("--symbols", MODERN, "--symbols", os.path.dirname(file),
                       "--exec", "symbols one --json", dump())
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    row = json.loads(done.stdout)
    if "which this program was built without" in row.get("refused", ""):
        raise Skip(row["refused"].splitlines()[-1])
    return row


def with_debug_sections(kind, original, copy):
    done = subprocess.run([need_tool("objcopy"), f"--compress-debug-sections={kind}", original, copy],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Skip(f"this objcopy does not make {kind}: {done.stderr.strip()}")
    return copy


for END in PACKERS:
    @check(f"a module's file: .ko.{END}")
    def _(end=END):
        with open(module(), "rb") as file:
            data = file.read()
        name = place(f"one.ko.{end}")
        write(name, packed(end, data))
        row = symbols_of(name)
        expect_equal((row["found"], row.get("file"), row.get("compressed"), row.get("debug_info")),
                     (True, name, True, True), f"what is found, in {row},")

    @check(f"a file of zeros that would fill the memory, one that is cut off: .ko.{END}")
    def _(end=END):
        name = place(f"one.ko.{end}")
        write(name, packed(end, bytes(100 << 20)))
        expect(os.path.getsize(name) < 1 << 20, f"{end} packs badly")
        expect_in("it would grow to more than", symbols_of(name)["refused"])
        with open(module(), "rb") as file:
            data = packed(end, file.read())
        write(name, data[:len(data) // 2])
        expect_in("it is compressed and cut off", symbols_of(name)["refused"])
        write(name, data[:10] + bytes(len(data)))
        expect_in("it is compressed and damaged", symbols_of(name)["refused"])


@check("a module's debug sections: those that can be read, and why the others cannot")
def _():
    row = symbols_of(with_debug_sections("zlib-gabi", module(), place("one.ko")))
    expect_equal((row["debug_info"], "debug_info_why" in row), (True, False), "zlib")
    row = symbols_of(with_debug_sections("zlib-gnu", module(), place("one.ko")))
    expect_equal((row["found"], row["debug_info"], row["symbols"]), (True, False, True), "GNU's")
    expect_in("GNU's old format (.zdebug_info)", row["debug_info_why"])
    expect_in("objcopy --decompress-debug-sections", row["debug_info_why"])


@check("a module's debug sections with zstd: read, or a word for what to do")
def _():
    row = symbols_of(with_debug_sections("zstd", module(), place("one.ko")))
    if not row["debug_info"]:
        expect_in("compressed with zstd", row["debug_info_why"])
        expect_in("objcopy --decompress-debug-sections", row["debug_info_why"])


@check("a vmlinux by another name is not said to be no module, of each module")
def _():
    done = run_program("--symbols", MODERN, "--exec", "symbols one --json", dump())
    row = json.loads(done.stdout)
    expect_equal((done.returncode, row["found"], row.get("refused")), (0, False, None), f"{row}")


def backtrace(vmlinux):
    return run_program("--symbols", vmlinux, "--exec", "bt --inline --regs", DUMP)


def packed_vmlinux(end):
    with open(VMLINUX, "rb") as file:
        data = packed(end, file.read())
    name = place(f"vmlinux.{end}")
    write(name, data)
    if "which this program was built without" in backtrace(name).stderr:
        raise Skip(f"this program was built without what unpacks .{end}")
    return name, data


for END in PACKERS:
    @check(f"a vmlinux.{END}, named or in a folder that is: in use, and served unpacked")
    def _(end=END):
        name, _ = packed_vmlinux(end)
        expected = backtrace(VMLINUX).stdout
        for given in (name, os.path.dirname(name)):
            expect_equal(backtrace(given).stdout, expected, "the frames")
        done = run_program("--symbols", name, "--exec", "symbols vmlinux --json", DUMP)
        row = json.loads(done.stdout)
        expect_equal((row["file"], row["compressed"], row["debug_info"]), (name, True, True), f"{row}")
        with Server(symbols=name) as server, Client(server.address) as client:
            client.no_acks()
            served = client.document("exec-file").decode()
            expect_equal(served, os.path.realpath(name).removesuffix(f".{end}"), "exec-file")
            expect_equal(client.ask(f"vFile:open:{served.encode().hex()},0,0"), "F0", "open")
            expect_equal(client.ask("vFile:pread:0,4,0"), "F4;\x7fELF", "its beginning")

    @check(f"a vmlinux.{END} that is damaged, cut off, or grows without end is refused")
    def _(end=END):
        name, data = packed_vmlinux(end)
        for bad, words in [(data[:len(data) // 2], "it is compressed and cut off"),
                           (data[:10] + bytes(len(data)), "it is compressed and damaged"),
                           (packed(end, bytes(100 << 20)), "it would grow to more than")]:
            write(name, bad)
            done = backtrace(name)
            expect_equal((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1),
                         f"status and output ({done.stderr})")
            expect_in(f"{name}: {words}", done.stderr)


for KIND in ["zlib-gabi", "zlib-gnu", "zstd"]:
    @check(f"a vmlinux's debug sections, {KIND}: the same frames, or a word for what to do")
    def _(kind=KIND):
        done = backtrace(with_debug_sections(kind, VMLINUX, place("vmlinux")))
        if kind == "zstd" and done.returncode:
            expect_equal(done.stderr.count("\n"), 1, f"lines in {done.stderr}")
            expect_in("its debug sections are compressed with zstd", done.stderr)
            expect_in("objcopy --decompress-debug-sections", done.stderr)
            return
        expect_in("vmx_set_cr3", done.stdout)
        expect_equal((done.stdout, done.stderr), (backtrace(VMLINUX).stdout, ""), "the frames")


run_checks()
