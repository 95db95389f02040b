# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's image for clients that have none: exec-file, vFile, stock gdb without any file."""

import os
import re
import shutil
import struct
import subprocess
import tempfile

from file_client import FileClient, build_id
from program import DUMP, VMLINUX, Server
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

GDB_S = 90
SHF_ALLOC, SHT_PROGBITS, SHT_NOBITS, PT_NULL, PT_LOAD = 2, 1, 8, 0, 1
folder = tempfile.TemporaryDirectory()


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def differences(served, original):
    expect_equal(len(served), len(original), "the served file's size")
    return [at for at, pair in enumerate(zip(served, original)) if pair[0] != pair[1]]


def headers(data, kind):
    """(offset in the file, fields) of every program or section header of an ELF file."""
    at, = struct.unpack_from("<Q", data, 32 if kind == "program" else 40)
    size, count = struct.unpack_from("<HH", data, 54 if kind == "program" else 58)
    layout = "<IIQQQQQQ" if kind == "program" else "<IIQQQQIIQQ"
    return [(at + n * size, struct.unpack_from(layout, data, at + n * size)) for n in range(count)]


def gdb_on(address, *commands, vmlinux=None, before=()):
    settings = ["set confirm off", "set pagination off", "set width 0", "set style enabled off",
                # Of a server with sanitizers on a machine that has other things to do.
                "set remotetimeout 60"]
    line = [need_tool("gdb"), "-nx", "-q", "-batch"]
    for command in [*settings, *before, f"target remote {address}", *commands]:
        line += ["-ex", command]
    done = subprocess.run(line + ([vmlinux] if vmlinux else []), stdin=subprocess.DEVNULL,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=GDB_S)
    return done.stdout


def functions(text):
    return re.findall(r"^#\d+ +0x[0-9a-f]+ in (\S+) ", text, re.MULTILINE)


@check("exec-file names the vmlinux by its real path, however it was given")
def _():
    link = os.path.join(folder.name, "link")
    os.symlink(VMLINUX, link)
    for given in [link, os.path.relpath(VMLINUX), "contrib/../contrib/demo/vmlinux"]:
        with Server(symbols=given) as server, FileClient(server.address) as client:
            name = client.document("exec-file").decode()
            # A folder's dumps are attached to by ids that their own servers do not know.
            for process in ["1", "2"]:
                expect_equal(client.document("exec-file", annex=process).decode(), name,
                             f"for process {process}")
            expect_equal(client.ask("qXfer:exec-file:read:none:0,100"), "E00", "for no process")
            expect_equal(name, os.path.realpath(VMLINUX), given)
            expect_equal(client.open(given if given != name else "x"), "F-1,2", given)


@check("the image is the file but for the segment of per-CPU variables that is linked at 0")
def _():
    original = read_bytes(VMLINUX)
    with Server() as server, FileClient(server.address) as client:
        served = client.read(os.path.realpath(VMLINUX))
    segments = headers(original, "program")
    cured = [at for at, fields in segments if fields[0] == PT_LOAD and fields[3] == 0]
    expect_equal(len(cured), 1, "segments that are linked at 0")
    expect_equal(headers(served, "program"),
                 [(at, (PT_NULL, *fields[1:]) if at in cured else fields)
                  for at, fields in segments], "program headers")
    sections = headers(original, "section")
    emptied = [at for at, fields in sections if fields[2] & SHF_ALLOC and fields[3] == 0]
    expect_equal(len(emptied), 1, "sections that are linked at 0")
    expect_equal(headers(served, "section"),
                 [(at, (fields[0], SHT_NOBITS, *fields[2:]) if at in emptied else fields)
                  for at, fields in sections], "section headers")
    expect_equal(differences(served, original), [cured[0], emptied[0] + 4], "what is changed")
    expect_equal(read_bytes(VMLINUX), original, "the file on disk")


@check("its status: size, time, a regular file for reading")
def _():
    stat = os.stat(VMLINUX)
    with Server() as server, FileClient(server.address) as client:
        expect_equal(client.open(os.path.realpath(VMLINUX)), "F0", "open")
        count, data = client.packet("vFile:fstat:0")
    expect_equal(count, 64, "its length")
    fields = struct.unpack(">7I3Q3I", data)
    expect_equal((fields[2], fields[7], fields[11]),
                 (0o100444, stat.st_size, int(stat.st_mtime)), "mode, size, mtime")


@check("no other file is opened, whatever it is called")
def _():
    real = os.path.realpath(VMLINUX)
    names = ["/etc/passwd", "/proc/self/mem", "/dev/zero", DUMP, os.path.dirname(real),
             real + "/", real + "/..", "/" + real, real + "\0", "/proc/self/fd/3",
             os.path.join(os.path.dirname(real), "..", "demo", "vmlinux"), "", ".", "just probing"]
    with Server() as server, FileClient(server.address) as client:
        for name in names:
            expect(client.open(name) in ("F-1,2", "F-1,16"), name)
        expect_equal(client.open(real, flags=1), "F-1,1e", "for writing")
        expect_equal(client.open(real), "F0", "the vmlinux")


@check("what one client has open is nothing to another, and ends with it")
def _():
    real = os.path.realpath(VMLINUX)
    with Server() as server:
        with FileClient(server.address) as client:
            expect_equal([client.open(real) for _ in range(3)], ["F0", "F1", "F2"], "descriptors")
            with FileClient(server.address) as other:
                expect_equal(other.ask("vFile:pread:0,10,0"), "F-1,9", "of another")
        with FileClient(server.address) as client:
            expect_equal(client.ask("vFile:pread:0,10,0"), "F-1,9", "of one that is gone")


@check("--no-serve-files: no exec-file, no files")
def _():
    with Server("--no-serve-files") as server, FileClient(server.address) as client:
        expect_not_in("exec-file", client.ask("qSupported:multiprocess+"))
        expect_equal(client.ask("qXfer:exec-file:read::0,100"), "", "exec-file")
        expect_equal(client.open(os.path.realpath(VMLINUX)), "", "open")
        expect_equal(client.ask("vFile:setfs:0"), "", "setfs")
    with Server() as server, FileClient(server.address) as client:
        expect_in("qXfer:exec-file:read+", client.ask("qSupported:multiprocess+"))


@check("lldb, which fetches nothing, is offered nothing")
def _():
    with Server() as server, FileClient(server.address) as client:
        expect_not_in("exec-file", client.ask("qSupported:xmlRegisters=i386,arm,mips,arc"))


@check("gdb without any file: functions, structures, per-CPU symbols where the kernel has them",
       GDB_S)
def _():
    with Server() as server:
        text = gdb_on(server.address, "bt 3", "p init_task.comm", "p/x (long)&runqueues",
                      "info symbol do_vfs_ioctl")
    expect_in(f"Reading symbols from target:{os.path.realpath(VMLINUX)}", text)
    expect_equal(functions(text)[:3], ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest"],
                 "its frames")
    expect_in('= "swapper/0', text)
    runqueues = subprocess.run([need_tool("nm"), VMLINUX], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
    offset = int(re.search(r"^(\w+) \w runqueues$", runqueues, re.MULTILINE).group(1), 16)
    expect_in(f"= {offset:#x}\n", text)
    expect_not_in("outside of ELF segments", text)


@check("gdb with the right vmlinux of its own uses that one", GDB_S)
def _():
    copy = os.path.join(folder.name, "vmlinux-copy")
    shutil.copy(VMLINUX, copy)
    with Server() as server:
        text = gdb_on(server.address, "info files", vmlinux=copy)
    expect_in(f'Symbols from "{copy}"', text)
    expect_not_in("ismatch", text)


@check("gdb with a wrong vmlinux is told so, by build-id", GDB_S)
def _():
    wrong = os.path.join(folder.name, "vmlinux-wrong")
    data, note = read_bytes(VMLINUX), bytes.fromhex(build_id(VMLINUX))
    at = data.index(note)
    with open(wrong, "wb") as file:
        file.write(data[:at] + bytes(byte ^ 0xff for byte in note) + data[at + len(note):])
    with Server() as server:
        text = gdb_on(server.address, vmlinux=wrong)
    expect_in("Build ID mismatch", text)
    expect_in(os.path.realpath(VMLINUX), text)


@check("gdb without any file and --no-serve-files: threads, no symbols, no complaint", GDB_S)
def _():
    with Server("--no-serve-files") as server:
        text = gdb_on(server.address, "bt 1", "info threads")
    expect_not_in("Reading symbols", text)
    expect_in("CPU 0/KVM [running on 0]", text)


@check("a vmlinux that is replaced while it is served: what was opened stays", GDB_S)
def _():
    copy = os.path.join(folder.name, "vmlinux-replaced")
    shutil.copy(VMLINUX, copy)
    original = read_bytes(copy)
    with Server(symbols=copy) as server, FileClient(server.address) as client:
        expect_equal(client.document("exec-file").decode(), os.path.realpath(copy), "exec-file")
        os.unlink(copy)
        with open(copy, "wb") as file:
            file.write(b"another")
        expect_equal(len(differences(client.read(os.path.realpath(copy)), original)), 2, "changes")


run_checks()
