#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What answers cost, in instructions: within a tenth of what instructions.json says.

Valgrind's callgrind counts them, and counts do not depend on how busy the machine is. They do depend on
the compiler and on its options: with others than those of the table this is a skip. Where a change makes
something cheaper or dearer for a good reason, the table is made anew, in the build folder:

    python3 .../tests/server/test_instructions.py --update
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from orc_dumps import FORMATS, make_orc_dump
from program import PROGRAM, SOURCE, VMLINUX
from recipes import make_dump
from rsp import frame
from tap import Skip, check, expect, need_tool, run_checks

TABLE = os.path.join(SOURCE, "tests/server/instructions.json")
TOLERANCE = 0.1
TOLERANCE_ONCE = 0.5  # what is done once depends on what was done and allocated before
FEW, MANY = 50, 250
VCPU_THREAD = 110
ADDRESS = 0xFFFF88043EA73280

# The functions whose calls are counted, with all that they call: what MANY packets take more than FEW, and
# what is done once.
AGAIN = {
    "m of 8 bytes": "packet_memory_hex",
    "g": "packet_registers",
    "p": "packet_register",
}
# Frames are kept: it is the first time that counts, with the tables that are read for it.
ONCE_BY_ORC = {"a frame by ORC": "orc_step"}
ONCE = {
    "following the code of functions": "code_table_new",
    "a cold page, zlib": "kdump_pages_read",
}
folder = tempfile.TemporaryDirectory()


class Profile:
    """A callgrind profile: for each pair of functions how often one called the other, and the
    instructions from there on."""

    def __init__(self, path):
        self.calls, self.names, function, called, count = {}, {}, None, None, 0
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("fn="):
                    function = self._name(line[3:])
                elif line.startswith("cfn="):
                    called = self._name(line[4:])
                elif line.startswith("calls="):
                    count = int(line[6:].split()[0])
                elif count:
                    times, cost = self.calls.get((function, called), (0, 0))
                    self.calls[function, called] = times + count, cost + int(line.split()[1])
                    count = 0

    def _name(self, text):
        """Names are numbered when they come first."""
        number, _, name = text.strip().partition(" ")
        if name:
            self.names[number] = name
        return self.names[number]

    def of(self, called, callers=None):
        """(how often it was called, the instructions of all calls)"""
        found = [cost for (caller, name), cost in self.calls.items()
                 if name == called and (callers is None or caller in callers)]
        return sum(times for times, _ in found), sum(cost for _, cost in found)


def packets(count):
    """What is sent of each kind so often."""
    yield from ("qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386", "QStartNoAckMode",
                f"Hg{VCPU_THREAD:x}", "?")
    for packet in (f"m{ADDRESS:x},8", "g", "p10"):
        yield from [packet] * count
    yield "qRcmd," + b"bt --all".hex()


def profile(name, count, dump, *options):
    path, profile_path = os.path.join(folder.name, name), os.path.join(folder.name, f"{name}.out")
    with open(path, "wb") as out:
        out.write(b"".join(map(frame, packets(count))))
    with open(path, "rb") as requests:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile_path}",
                               PROGRAM, "-q", "-l", "stdio", "--no-confinement", *options,
                               dump], stdin=requests,
                              capture_output=True, check=False, timeout=120)
    expect(done.returncode == 0, f"the server or valgrind failed: {done.stderr.decode()}")
    return Profile(profile_path)


def loop_cost(counted):
    """All that the loop does, but for the handlers of packets and what is made before it is asked for."""
    names = {called for _, called in counted.calls}
    handlers = [name for name in names if re.match(r"packet_(?!find)", name)]
    outside = {caller for caller, _ in counted.calls if not re.match("packet_", caller)}
    handled = sum(counted.of(name, outside)[1] for name in handlers)
    return counted.of("ev_run")[1] - counted.of("patience_prepare")[1] - handled


def each(function, few, many=None):
    """What a call costs: of all, or of those that the second profile has more."""
    times, cost = few.of(function)
    if many:
        times, cost = (a - b for a, b in zip(many.of(function), (times, cost)))
    expect(times > 0, f"{function}() was never called: is it called by another name now?")
    return cost // times


def measure():
    dump = make_dump(folder.name, "zlib", "format kdump-zlib")
    words, header = FORMATS["6.4"]
    orc_dump = make_orc_dump(folder.name, "orc-dump", "modern", words, header)
    few, many = (profile("cfi", count, dump, "--symbols", VMLINUX) for count in (FEW, MANY))
    by_orc = profile("orc", 1, orc_dump, "--symbols", "tests/kernel/modern")
    found = {what: each(function, few, many) for what, function in AGAIN.items()}
    found.update({what: each(function, by_orc) for what, function in ONCE_BY_ORC.items()})
    found.update({what: each(function, many) for what, function in ONCE.items()})
    sent = len(list(packets(MANY))) - len(list(packets(FEW)))
    found["around a packet"] = (loop_cost(many) - loop_cost(few)) // sent
    return found


def compiler():
    """What the program was compiled by: the table is of one compiler and of its usual options."""
    with open("Makefile", encoding="utf-8") as file:
        text = file.read()
    sanitized = re.search(r"^SANITIZERS = *(\S.*)$", text, re.MULTILINE)
    flags = re.search(r"^CFLAGS = *(.*)$", text, re.MULTILINE)[1].split()
    command = re.search(r"^CC = *(.*)$", text, re.MULTILINE)[1].split()
    if sanitized:
        raise Skip("sanitizers add instructions of their own")
    version = subprocess.run([*command, "-dM", "-E", "-x", "c", "/dev/null"], capture_output=True, text=True,
                             check=False).stdout
    macros = dict(re.findall(r"^#define (\w+) (.*)$", version, re.MULTILINE))
    name = "clang" if "__clang__" in macros else "gcc"
    level = " ".join(sorted(flag for flag in flags if flag != "-g"))
    return f"{name} {macros.get('__clang_major__') or macros.get('__GNUC__')} {level}" \
           f" {'x86-64' if '__x86_64__' in macros else 'another machine'}"


@check("answers cost what they did", seconds=200)
def _():
    need_tool("valgrind")
    if not os.path.exists(VMLINUX):
        raise Skip("the demo was not built: it needs a compiler for x86-64")
    with open(TABLE, encoding="utf-8") as file:
        table = json.load(file)
    if compiler() != table["compiler"]:
        raise Skip(f"the table is of {table['compiler']}, this is {compiler()}")
    found = measure()
    for what, count in found.items():
        print(f"# {what}: {count}")
    wrong = [f"{what}: {found.get(what)}, {expected} in the table"
             for what, expected in table["instructions"].items()
             if abs(found.get(what, 0) - expected) >
             (TOLERANCE if what in AGAIN else TOLERANCE_ONCE) * expected]
    expect(not wrong, "; ".join(wrong))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        MADE = {"compiler": compiler(), "instructions": measure()}
        with open(TABLE, "w", encoding="utf-8") as OUT:
            json.dump(MADE, OUT, indent=2)
            OUT.write("\n")
    else:
        run_checks()
