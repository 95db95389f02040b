# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are no dump, damaged dumps, and a vmlinux that does not fit."""

import os
import subprocess
import tempfile

from program import DUMP, PROGRAM, VMLINUX, run_program
from recipes import make_dump
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks

NOBODY = 65534

folder = tempfile.TemporaryDirectory()


def path_of(name):
    return os.path.join(folder.name, name)


def write(name, content):
    with open(path_of(name), "wb") as file:
        file.write(content)
    return path_of(name)


def dump_bytes():
    with open(DUMP, "rb") as file:
        return file.read()


def expect_refused(dump, *parts, symbols=VMLINUX):
    """Status 1 and a sentence that names the file and holds all parts."""
    done = run_program("--symbols", symbols, "--exec", "info", dump)
    expect_equal(done.returncode, 1, f"the exit status (it said {done.stderr!r})")
    lines = done.stderr.splitlines()
    expect(len(lines) == 1 and lines[0].startswith("vmcore-gdbserver: "),
           f"not one sentence: {done.stderr!r}")
    expect_equal(done.stdout, "", "standard output")
    for part in parts:
        expect_in(part, done.stderr)


def expect_served(dump, *parts):
    done = run_program("--symbols", VMLINUX, "--exec", "info", dump)
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    for part in parts:
        expect_in(part, done.stdout)


@check("a file that is not there, a folder, a device, a pipe")
def _():
    expect_refused(path_of("absent"), path_of("absent"), "No such file")
    expect_refused(folder.name, folder.name, "a folder of dumps", "'dumps'")
    expect_refused("/dev/null", "/dev/null", "device")
    os.mkfifo(path_of("fifo"))
    expect_refused(path_of("fifo"), path_of("fifo"), "pipe")


@check("an empty file, text, noise")
def _():
    expect_refused(write("empty", b""), "empty")
    expect_refused(write("text", b"panic at the disco\n" * 300), "text")
    expect_refused(write("noise", bytes(range(256)) * 64), "noise", "not a dump")
    expect_refused(write("zeros", bytes(1 << 16)), "zeros")


@check("a file that may not be read")
def _():
    path = write("secret", dump_bytes())
    os.chmod(path, 0)
    how = {}
    if os.geteuid() == 0:
        # Root may read everything; somebody else must be able to come here.
        os.chmod(folder.name, 0o755)
        how["user"] = NOBODY
        reach = subprocess.run(["test", "-x", PROGRAM], user=NOBODY, check=False, timeout=10)
        if reach.returncode:
            raise Skip("root reads everything, and nobody cannot reach the program")
    done = run_program("--exec", "info", path, **how)
    expect_equal(done.returncode, 1, "the status")
    expect_in(path, done.stderr)
    expect_in("Permission denied", done.stderr)


@check("a vmlinux given as a dump")
def _():
    expect_refused(VMLINUX, VMLINUX, "--symbols")


@check("a dump of another architecture")
def _():
    expect_refused(make_dump(folder.name, "arm", "header e_machine = 183\n"), "AArch64")


@check("a dump cut off anywhere is refused with a sentence, or served and said to be truncated")
def _():
    whole = dump_bytes()
    for length in [3, 40, 64, 200, 900, 4096, 20000, 100000, 250000, 400000, len(whole) - 1]:
        done = run_program("-s", VMLINUX, "-x", "info", write("cut", whole[:length]))
        text = done.stdout if done.returncode == 0 else done.stderr
        expect(done.returncode in (0, 1), f"{length} bytes: status {done.returncode}: {text}")
        if done.returncode == 0:
            expect_in(", truncated", text)
            expect("note " in text and "cut" in text, f"{length} bytes: no note says so:\n{text}")
        else:
            expect_equal(len(text.splitlines()), 1, f"{length} bytes: sentences in {text!r}")


@check("a dump given twice, or with another as its piece")
def _():
    done = run_program("-x", "info", DUMP, DUMP)
    expect_equal(done.returncode, 1, "the status")
    expect_in("no pieces", done.stderr)


@check("a split set is whole or names the missing piece")
def _():
    path = make_dump(folder.name, "split", "format kdump-none\nsplit 3\n")
    pieces = [f"{path}.{n}" for n in (1, 2, 3)]
    done = run_program("-s", VMLINUX, "-x", "info", *reversed(pieces))
    expect_equal((done.returncode, done.stderr), (0, ""), "all pieces")
    expect_in("3 pieces", done.stdout)
    done = run_program("-s", VMLINUX, "-x", "info", pieces[0], pieces[2])
    expect_equal(done.returncode, 1, "a piece is missing: the status")
    expect_in("piece", done.stderr)


@check("a flattened dump")
def _():
    expect_served(make_dump(folder.name, "flat", "format kdump-none\nflatten\n"), "flattened")


@check("standard descriptors that are closed are not taken for the dump's files")
def _():
    # One file to read and one, for the dump put in order, to write.
    dump = make_dump(folder.name, "flat-too", "format kdump-none\nflatten\n")
    done = run_program("-s", VMLINUX, "-x", "info", dump, stdin=None, stdout=None,
                       preexec_fn=lambda: os.closerange(0, 2))
    expect_equal(done.returncode, 1, "the status")
    expect_in("standard output", done.stderr)


@check("no vmlinux: release and package are named")
def _():
    done = run_program("-x", "info", DUMP)
    expect_equal((done.returncode, done.stderr), (0, ""), "the status")
    missing = next(line for line in done.stdout.splitlines() if line.startswith("missing"))
    for part in ["types", "3.10.0-693.el7.x86_64", "kernel-debuginfo"]:
        expect_in(part, missing)
    expect_in("Looked for: /usr/lib/debug", done.stdout)


@check("--symbols: a missing file, text, a folder without a vmlinux, a folder with it")
def _():
    expect_refused(DUMP, path_of("nothing"), "No such file", symbols=path_of("nothing"))
    text = write("notes.txt", b"hello")
    expect_refused(DUMP, text, "no ELF file", symbols=text)
    os.mkdir(path_of("symbols"))
    done = run_program("-s", path_of("symbols"), "-x", "info", DUMP)
    expect_equal((done.returncode, done.stderr), (0, ""), "with a folder of nothing")
    expect_in("Looked for: " + path_of("symbols"), done.stdout)
    os.symlink(VMLINUX, os.path.join(path_of("symbols"), "vmlinux"))
    done = run_program("-s", path_of("symbols"), "-x", "info", DUMP)
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    expect_in("symbols/vmlinux", done.stdout)


@check("a stripped vmlinux is refused by name")
def _():
    subprocess.run([need_tool("strip"), "--strip-all", "-o", path_of("stripped"), VMLINUX],
                   check=True, timeout=10)
    expect_refused(DUMP, path_of("stripped"), "stripped", symbols=path_of("stripped"))


@check("a vmlinux with symbols alone gives names, and is named where types are missing")
def _():
    subprocess.run([need_tool("strip"), "--strip-debug", "-o", path_of("stripped"), VMLINUX],
                   check=True, timeout=10)
    done = run_program("--symbols", path_of("stripped"), "--exec", "info", DUMP)
    expect_equal(done.returncode, 0, f"the exit status (it said {done.stderr!r})")
    expect_in("symbols   symtab (", done.stdout)
    expect_in(f"missing   types, so virtual machines: types of {path_of('stripped')}: "
              f"it has neither BTF nor DWARF", done.stdout)


@check("a vmlinux whose symbols are elsewhere is refused by name")
def _():
    objcopy = need_tool("objcopy")
    subprocess.run([objcopy, "--strip-symbol", "_stext", "--add-symbol", "_stext=.data:0", VMLINUX,
                    path_of("moved")], check=True, timeout=10)
    expect_refused(DUMP, path_of("moved"), symbols=path_of("moved"))


@check("a program is no vmlinux, whatever its debugging information holds")
def _():
    expect_refused(DUMP, PROGRAM, "it is no vmlinux", symbols=PROGRAM)


run_checks()
