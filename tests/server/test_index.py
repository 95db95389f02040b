# SPDX-License-Identifier: GPL-2.0-or-later
"""The index that a served vmlinux gets, by --symbol-cache: gdb finds with it what it finds without."""

import os
import subprocess
import sys
import tempfile

from file_client import FileClient, build_id
from gdb_run import gdb
from program import SOURCE, VMLINUX, Server
from rsp import Client
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

sys.path.insert(0, os.path.join(SOURCE, "tests/real"))
# pylint: disable-next=wrong-import-position
from compare_gdb_index import Index, differences

GDB_S = 90
folder = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(folder.name, name)


def cache(name):
    """A new folder for --symbol-cache, and the name of the index in it."""
    os.mkdir(path(name))
    return path(name), os.path.join(path(name), f"{build_id(VMLINUX)}.gdb-index")


def read_bytes(name):
    with open(name, "rb") as file:
        return file.read()


def served(*options, vmlinux=VMLINUX):
    """The vmlinux that a client of gdb's kind reads."""
    with Server(*options, symbols=vmlinux) as server, FileClient(server.address) as client:
        client.ask("qSupported:multiprocess+")
        client.ask("?")  # by then what it will ask for is made
        return client.read(os.path.realpath(vmlinux))


def sections(image):
    with open(path("image"), "wb") as file:
        file.write(image)
    done = subprocess.run([need_tool("readelf"), "-WS", path("image")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=True)
    expect_not_in("arning", done.stdout)
    return done.stdout


def index_of(image):
    subprocess.run([need_tool("objcopy"), "--dump-section", f".gdb_index={path('section')}",
                    path("image"), os.devnull], check=True, stderr=subprocess.DEVNULL)
    expect(image, "an image")
    return read_bytes(path("section"))


@check("it is what gdb's own would be, is kept under gdb's name for it, and used again", GDB_S)
def _():
    kept_in, kept = cache("first")
    original = read_bytes(VMLINUX)
    image = served("--symbol-cache", kept_in)
    expect_in(" .gdb_index ", sections(image))
    expect_equal(read_bytes(kept), index_of(image), "what is kept")
    subprocess.run([need_tool("gdb"), "-nx", "-batch", "-iex", "set index-cache enabled off", VMLINUX,
                    "-ex", f"save gdb-index {folder.name}"], check=True, stdout=subprocess.DEVNULL)
    gdbs = Index(read_bytes(path("vmlinux.gdb-index")))
    expect_equal(list(differences(Index(read_bytes(kept)), gdbs)), [], "differences")
    expect(len(gdbs.names) > 50, f"names: {len(gdbs.names)}")
    changed = [at for at in range(len(original)) if image[at] != original[at]]
    # e_shoff and e_shnum, and what is changed without an index, too
    expect(len([at for at in changed if at < 64]) <= 9 and len(changed) <= 12, f"changes: {changed}")
    before = os.stat(kept)
    for options in ([], ["--no-confinement"]):
        expect_equal(served("--symbol-cache", kept_in, *options), image, "served again")
    expect_equal(os.stat(kept).st_ino, before.st_ino, "the kept file")
    expect_equal(served("--symbol-cache", cache("other")[0], "--no-confinement"), image,
                 "without confinement")
    expect_not_in(" .gdb_index ", sections(served()))
    expect_equal(read_bytes(VMLINUX), original, "the file on disk")


@check("gdb uses it, and finds the same types, functions and variables", GDB_S)
def _():
    commands = ["maintenance print objfiles", "bt 4", "p init_task.comm", "p/x (long)&runqueues",
                "ptype struct kvm_vcpu", "ptype struct task_struct", "whatis kvm_mmu_load",
                "info scope kvm_mmu_load", "list kvm_mmu_load", "info line vmx_set_cr3",
                "info types .", "info functions .", "info variables ."]
    texts = []
    for options in ([], ["--symbol-cache", cache("gdb")[0]]):
        with Server(*options) as server:
            text = gdb(*commands, attach=server.address, vmlinux=None)
        expect_equal(".gdb_index: version 8" in text or ".gdb_index:  version 8" in text,
                     bool(options), "an index in use")
        texts.append(text[text.index("#0 "):])
    expect_in("struct kvm_vcpu", texts[0])
    expect_equal(texts[1], texts[0], "what gdb prints")


@check("a kept one that is damaged, or another file's, is made anew", GDB_S)
def _():
    kept_in, kept = cache("damaged")
    good = served("--symbol-cache", kept_in)
    index = read_bytes(kept)
    for bad in (b"", b"rubbish", index[:23], index[:100], index[:40] + b"\xff" * 8 + index[48:],
                b"\x07" + index[1:], index[:4] + b"\xff" * 20 + index[24:]):
        with open(kept, "wb") as file:
            file.write(bad)
        expect_equal(served("--symbol-cache", kept_in), good, f"served beside {bad[:50]}")
        expect_equal(read_bytes(kept), index, "what is kept")


@check("a vmlinux that has an index of its own keeps that", GDB_S)
def _():
    objcopy = need_tool("objcopy")
    kept_in, kept = cache("none")
    with open(path("own-index"), "wb") as file:
        file.write(b"x" * 100)
    for name, words in (("indexed", ["--add-section", f".gdb_index={path('own-index')}"]),
                        ("named", ["--add-section", f".debug_names={path('own-index')}"])):
        subprocess.run([objcopy, *words, VMLINUX, path(name)], check=True)
        image = served("--symbol-cache", kept_in, vmlinux=path(name))
        expect_equal(len(image), os.path.getsize(path(name)), f"the size of {name}")
        expect(not os.path.exists(kept), f"an index was kept of {name}")


@check("who may not write there, or has it open, is served as ever", GDB_S)
def _():
    kept_in, kept = cache("late")
    with Server("--symbol-cache", kept_in) as server, FileClient(server.address) as early, \
            Client(server.address) as late:
        # One that opens the file before anything of it was prepared keeps what it has.
        name = early.document("exec-file").decode()
        expect_equal(early.open(name), "F0", "open")
        size = early.packet("vFile:fstat:0")[1][28:36]
        late.ask("qSupported:multiprocess+")
        late.ask("?")
        expect_equal(early.packet("vFile:fstat:0")[1][28:36], size, "its size")
        early.ask("vFile:close:0")
    expect(os.path.exists(kept) or int.from_bytes(size, "big") > os.path.getsize(VMLINUX),
           "no index at all")


run_checks()
