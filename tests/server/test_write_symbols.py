# SPDX-License-Identifier: GPL-2.0-or-later
"""--write-symbols: an ELF file of what the demo dump holds, and what it never overwrites."""

import os
import shutil
import subprocess
import tempfile

from program import DUMP, VMLINUX, Server, run_on_demo
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

GDB_S = 90
folder = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(folder.name, name)


def write(name):
    """Writes the demo's symbols; returns the file."""
    done = run_on_demo("--write-symbols", path(name))
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "status and output")
    return path(name)


def output_of(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=GDB_S)
    expect_equal(done.returncode, 0, f"{command[0]}: status; it said\n{done.stdout}\nand so it")
    return done.stdout


def functions(file):
    found = {}
    for line in output_of("nm", file).splitlines():
        *_, kind, name = line.split()
        if kind in "tT":
            found[name] = line.split()[0]
    return found


@check("the functions are those of the vmlinux, at the same addresses")
def _():
    need_tool("nm")
    mine, real = functions(write("symbols")), functions(VMLINUX)
    expect("vmx_set_cr3" in mine and "__schedule" in mine, f"the functions are {mine}")
    expect_equal({name: real.get(name) for name in mine}, mine, "the functions")


@check("elfutils has nothing to say against it")
def _():
    need_tool("eu-elflint")
    expect_equal(output_of("eu-elflint", "--gnu-ld", "-d", write("symbols")), "No errors\n",
                 "what eu-elflint says")


@check("gdb takes it for the kernel's image", GDB_S)
def _():
    need_tool("gdb")
    with Server("--no-serve-files") as server:
        said = output_of("gdb", "-nx", "-batch", "-ex", f"target remote {server.address}", "-ex",
                         "info symbol $pc", "-ex", "info address __schedule", write("symbols"))
    expect_in("vmx_set_cr3 + 24", said)
    expect_in('Symbol "__schedule" is', said)


@check("a file of its own is written anew; no other is, and nothing is left beside it")
def _():
    write("again")
    write("again")
    for original in (DUMP, VMLINUX):
        copy = path("precious")
        shutil.copyfile(original, copy)
        done = run_on_demo("--write-symbols", copy)
        expect_equal(done.returncode, 1, "status")
        expect_in("is there already", done.stderr)
        with open(copy, "rb") as mine, open(original, "rb") as theirs:
            expect(mine.read() == theirs.read(), f"{original} was overwritten")
        os.unlink(copy)
    for name in (".", "/dev/null"):
        done = run_on_demo("--write-symbols", os.path.join(folder.name, name))
        expect_equal(done.returncode, 1, f"{name}: status")
    done = run_on_demo("--write-symbols", path("not/there"))
    expect_equal(done.returncode, 1, "status")
    expect_in("No such file or directory", done.stderr)
    expect(not [name for name in os.listdir(folder.name) if name.endswith(".tmp")],
           "something is left over")


@check("it goes with no other work")
def _():
    for option in (("--exec", "info"), ("--listen", ":0"), ("--run", "true")):
        done = run_on_demo("--write-symbols", path("never"), *option)
        expect_equal(done.returncode, 1, "status")
        expect_in("--write-symbols does nothing else", done.stderr)
    expect(not os.path.exists(path("never")), "it was written all the same")


run_checks()
