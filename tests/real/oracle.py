# SPDX-License-Identifier: GPL-2.0-or-later
"""One dump of the manifest, together with everything that it can be checked by."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import qemu_registers
from elf_core import ElfCore

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 120
# Behind the time, where the kernel prints that.
PANIC = re.compile(r"(?:^|\] )Kernel panic - not syncing: (.*)")
# Nothing is downloaded but where a check says so.
os.environ.pop("DEBUGINFOD_URLS", None)


class Failure(Exception):
    """A check could not be made or did not hold; the text says why."""


def run(command, what, env=None, with_stderr=False):
    """Runs a program to its end; returns what it wrote. A missing tool's 77 is passed on."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT if with_stderr else subprocess.PIPE,
                                env=env, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{what} did not end in {TIMEOUT_S} s") from error
    said = (result.stdout if with_stderr else result.stderr).decode("utf-8", "replace").strip()
    if result.returncode == 77:
        skip(said)
    if result.returncode != 0:
        raise Failure(f"{what} ended with status {result.returncode}:\n{said}")
    return result.stdout


def skip(reason):
    """Ends this check as skipped."""
    print(reason, file=sys.stderr)
    sys.exit(77)


def json_lines(output, what):
    try:
        return [json.loads(line) for line in output.decode("utf-8").splitlines()]
    except ValueError as error:
        raise Failure(f"{what} did not write JSON Lines in UTF-8: {error}") from error


def identity(command):
    """A name for what @command would write: it changes with the files that it reads, with the
    scripts that it is made of and with drgn."""
    version = run([command[0], "-c", "import drgn; print(drgn.__version__)"], "drgn's version")
    scripts = [name for name in os.listdir(HERE) if name.startswith("oracle_")]
    told = hashlib.sha256(version)
    for path in [os.path.join(HERE, name) for name in sorted(scripts)]:
        with open(path, "rb") as file:
            told.update(file.read())
    for path in command[2:]:
        state = os.stat(path) if os.path.exists(path) else None
        told.update(repr((path, state and (state.st_ino, state.st_size, state.st_mtime_ns))).encode())
    return told.hexdigest()[:32]


def keep(path, make):
    """What the file @path holds; if there is none, what @make() returns, which is written there.
    Several dumps are of one moment, and several checks ask the same of it."""
    if os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    data = make()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
        file.write(data)
    os.replace(file.name, path)
    return data


class Dump:
    """A dump by its name in the manifest."""

    def __init__(self, manifest, name, with_oracle=True):
        self._base = os.path.dirname(os.path.abspath(manifest))
        with open(manifest, encoding="utf-8") as file:
            found = [dump for dump in json.load(file)["dumps"] if dump["name"] == name]
        if not found:
            skip(f"{manifest} has no dump {name}: make-vmcores.sh makes it")
        self.entry = found[0]
        self.name = name
        self.files = [self.path(file) for file in self.entry["files"]]
        self.vmlinux = self.path(self.entry["vmlinux"])
        if with_oracle:
            self._load_oracle()

    def path(self, relative):
        return os.path.join(self._base, relative)

    def _load_oracle(self):
        """drgn's threads and facts, the ELF dump of the same moment, and QEMU's registers."""
        oracle = self.entry["oracle"]
        elf = self.path(oracle["elf"])
        self.core = ElfCore(elf)
        donor = oracle["vmcoreinfo_from"]
        if donor:
            self.core.vmcoreinfo = ElfCore(self.path(donor)).vmcoreinfo
        *self.threads, self.facts = self.ask_drgn("oracle_drgn.py")
        self.cpus = None
        if oracle["registers"]:
            self.cpus = qemu_registers.read(self.path(oracle["registers"]),
                                            self.path(oracle["gdb_registers"]))

    def panic(self):
        """The lines of the console from the panic on; None where the machine did not go down."""
        if self.entry["scenario"] != "kdump" and not self.entry["scenario"].startswith("panic"):
            return None
        path = self.path(self.entry["console"])
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip() for line in file]
        starts = [i for i, line in enumerate(lines) if PANIC.search(line)]
        if not starts:
            raise Failure(f"{path} shows no panic")
        return lines[starts[-1]:]

    def ask_drgn(self, script):
        """The objects that one of the scripts that use drgn writes."""
        oracle = self.entry["oracle"]
        donor = oracle["vmcoreinfo_from"]
        python = run(["sh", os.path.join(HERE, "find_python.sh")], "find_python.sh")
        arguments = [self.path(oracle["elf"]), self.vmlinux, *map(self.path, self.entry["modules"])]
        if donor:
            arguments = ["--vmcoreinfo-from", self.path(donor), *arguments]
        command = [python.decode().strip(), os.path.join(HERE, script), *arguments]
        kept = os.path.join(self._base, "drgn", f"{script}-{identity(command)}")
        return json_lines(keep(kept, lambda: run(command, "drgn")), "drgn")

    def thread_named(self, comm, kind="task"):
        """The first thread of that name."""
        for thread in self.threads:
            if thread["comm"] == comm and thread["kind"] == kind:
                return thread
        raise Failure(f"the oracle knows no thread {comm}")


def check_main(doc, check, with_oracle=True):
    """main() of a check: CHECK MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]. check(dump, server)
    returns the differences as sentences. Without the oracle the dump has no threads, facts and
    CPUs, and no drgn is needed."""
    if len(sys.argv) < 4:
        sys.exit(doc)
    name = sys.argv[2]
    try:
        lines = check(Dump(sys.argv[1], name, with_oracle), sys.argv[3:])
    except (Failure, ValueError, OSError) as error:
        sys.exit(f"{name}: {error}")
    for line in lines:
        print(f"{name}: {line}", file=sys.stderr)
    sys.exit(1 if lines else 0)
