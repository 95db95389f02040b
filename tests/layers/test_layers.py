# SPDX-License-Identifier: GPL-2.0-or-later
"""Includes point downwards: what a folder includes lies below it. A library's archive does not guard
that, as the linker takes from it what it needs wherever that lies."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "server"))
from tap import check, expect, expect_equal, fail, run_checks  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# From the lowest to the highest. A folder may include itself and all that stands before it, but what
# its row names. A row with files is a part of its folder that lies elsewhere.
LAYERS = [
    # folder, its files (none: all), what of the lower ones it does not know
    ("base", "", ""),
    ("arch", "", ""),
    ("arch/x86_64/base", "", ""),
    ("unwind", "", ""),
    ("arch/x86_64/unwind", "", ""),
    ("proto", "", "unwind arch/x86_64/unwind"),
    ("proto/crash", "", "unwind arch/x86_64/unwind proto"),
    ("vmcore/memory", "", "proto unwind"),
    ("vmcore/dump", "", "proto"),
    ("arch/x86_64/dump", "", "proto"),
    ("vmcore/live", "", "proto unwind"),
    ("vmcore/names", "", "proto unwind"),
    ("vmcore/names/types", "", "proto unwind"),
    ("vmcore/names/files", "", "proto unwind"),
    ("arch/x86_64/names", "", "proto unwind"),
    ("vmcore/find", "", "proto unwind"),
    ("arch/x86_64/find", "", "proto unwind"),
    ("vmcore/kernel", "", "proto unwind"),
    ("vmcore/kernel/tasks", "", "proto"),
    ("arch/x86_64/tasks", "", "proto"),
    ("vmcore/kernel/proof", "", "proto"),
    ("vmcore/kernel/objects", "", "proto unwind"),
    ("vmcore/kernel/log", "", "proto unwind"),
    ("vmcore/code", "", "proto"),
    ("arch/x86_64/code", "", "proto"),
    ("vmcore/kvm/x86", "exit_names", "proto"),
    ("vmcore/kvm", "kvm kvm_private members read vcpu_stamp vcpu_state", "proto"),
    ("vmcore/kvm/x86", "", "proto"),
    ("vmcore/kvm", "", "proto"),
    ("vmcore/guest", "guest_memory guest_memfd", "proto"),
    ("vmcore/guest/x86", "", "proto"),
    ("vmcore/guest", "", "proto"),
    ("vmcore/image/dwarf", "", "proto vmcore/kvm vmcore/guest"),
    ("vmcore/image", "", "proto vmcore/kvm vmcore/guest"),
    ("arch/x86_64/image", "", "proto vmcore/kvm vmcore/guest"),
    ("vmcore", "", "proto"),
    ("arch/x86_64", "", "proto"),
    ("server/team", "", "unwind vmcore"),
    ("server/files", "", ""),
    ("server", "crash_command markdown served service", ""),
    ("server/ide", "", ""),
    ("server/monitor", "commands dates job noted rows info", ""),
    ("server/monitor/frames", "", ""),
    ("server/monitor/kvm", "", ""),
    ("server/monitor/memory", "", "server/monitor/kvm"),
    ("server/monitor/team", "", ""),
    ("server/monitor", "", ""),
    ("server/target", "arch", ""),
    ("arch/x86_64/target", "", ""),
    ("server/target", "", ""),
    ("server/net", "", ""),
    ("server/shelf", "", ""),
    ("server", "", ""),
]

# Arrows that point up and are not yet cut: this list only becomes shorter.
EXCEPTIONS = [
    ("vmcore/system_regs.c", "arch/x86_64/dump/notes.h"),
]

# What holds for one architecture, which is asked through the structs that arch/arch.h names.
ARCHITECTURE = "arch/x86_64/"
# Who may, besides arch/: the vendors of KVM are x86's.
VENDORS = ("arch/", "vmcore/kvm/x86/", "vmcore/guest/x86/")

INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')


def layer_of(path):
    """The row of LAYERS that a file belongs to; None if it has none."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    whole = None
    for number, (row_folder, files, _) in enumerate(LAYERS):
        if row_folder == folder and stem in files.split():
            return number
        if row_folder == folder and not files:
            whole = number
    return whole


def name_of(number):
    folder, files, _ = LAYERS[number]
    return f"{folder}/ ({files})" if files else f"{folder}/"


def sources():
    """The names of all files that have a layer, from the top of the source."""
    for top in sorted({folder.split("/")[0] for folder, _, _ in LAYERS}):
        for folder, _, files in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), SOURCE)


def includes(path):
    """The line and the file of each #include "..." in it."""
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1)


def complaint(source, target):
    """Why the one may not include the other; None if it may."""
    if "/" not in target:
        return None if target == "config.h" else "it is not named from the top of the source"
    mine, other = layer_of(source), layer_of(target)
    if mine is None or other is None:
        return f"{source if mine is None else target} has no layer in tests/layers/test_layers.py"
    if other > mine:
        return f"{name_of(mine)} lies below {name_of(other)}"
    if target.startswith(ARCHITECTURE) and not source.startswith(VENDORS):
        return f"{ARCHITECTURE} is for arch/ alone, and all others ask the structs of {name_of(layer_of('arch/arch.h'))}"
    if LAYERS[other][0] in LAYERS[mine][2].split():
        return f"{name_of(mine)} knows nothing of {name_of(other)}"
    return None


def arrows():
    """All arrows that may not be: file, line, what it includes, why not."""
    for source in sources():
        for line, target in includes(source):
            why = complaint(source, target)
            if why:
                yield source, line, target, why


@check("nothing includes what lies above it")
def _():
    wrong = [f"{source}:{line}: {target}: {why}" for source, line, target, why in arrows()
             if (source, target) not in EXCEPTIONS]
    if wrong:
        fail("\n".join(wrong))


@check("each exception is still needed")
def _():
    found = {(source, target) for source, _, target, _ in arrows()}
    for exception in EXCEPTIONS:
        expect(exception in found, f"{exception} is gone: take it out of the list")


@check("an arrow that points up is seen")
def _():
    expect_equal(complaint("vmcore/dump/dump.c", "vmcore/memory/memory.h"), None)
    expect_equal(complaint("proto/rsp.c", "base/err.h"), None)
    for source, target in [("vmcore/memory/memory.c", "vmcore/dump/dump.h"),
                           ("vmcore/kernel/tasks/tasks.c", "proto/target.h"),
                           ("proto/rsp.c", "unwind/unwind.h"),
                           ("vmcore/image/image.c", "vmcore/kvm/kvm.h"),
                                                  ("base/err.c", "err.h"),
                           ("base/err.c", "elsewhere/err.h")]:
        expect(complaint(source, target), f"{source} may include {target}")


# Who opens files by name for the process that reads a dump, and who is not that process.
BY_NAME = re.compile(r"(?<![\w.>])(f?open|openat|creat|stat|lstat|access|opendir|fts_open|realpath|"
                     r"readlink|mkdir|rename|unlink|linkat|mkostemp|mkstemp|tmpfile)\(")
# --write-types reads no dump.
OUTSIDE = ("base/files.c", "server/shelf/", "vmcore/live/", "server/files/debuginfod", "server/files/write_types",
           "server/files/types_archive")


@check("the process that reads a dump goes by base/files.h for files by their names")
def _():
    for path in sources():
        if path.startswith(OUTSIDE) or path.startswith("server/net/") or os.path.dirname(path) == "server":
            continue
        with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                code = line.split("/*")[0]
                if line.lstrip().startswith(("*", "//")):
                    continue
                expect(not BY_NAME.search(code), f"{path}:{number}: {line.strip()}")


# What only one architecture has: its registers, the bits of its control registers, where it has the
# halves of the addresses, its number in ELF files. Comments may speak of it, as an example.
ONE_ARCHITECTURE = re.compile(
    r"\bREG_[A-Z0-9_]+\b|\bGUEST_(?:R[A-Z0-9]+|CR\d|EFER|[CDEFGS]S|[GI]DTR)\b|"
    r'"(?:r?(?:ax|bx|cx|dx|si|di|bp|sp|ip)|r\d\d?|[re]flags|[cdefgs]s|[fg]s_base|cr[0-8]|efer|[gi]dtr)"|'
    r"\b(?:r[abcd]x|r[sd]i|rip|rbp|rflags|eflags)\b|\b[Cc][Rr][034](?:_\w+)?\b|\bEM_X86_64\b|\bR_X86_64_\w+|"
    r"0x[fF]{2}[fF0-9a-dA-D]{2}[0-9a-fA-F]{12}\b")
# Who may name it outside arch/, and why. It only becomes shorter.
NAMES_ONE = {
    "vmcore/kvm/x86/": "KVM's vendors",
    "vmcore/guest/x86/": "KVM's vendors",
    "vmcore/kvm/members.": "members of structures, which the kernel has named: most are the vendors'",
    "vmcore/kernel/members.": "the same: those of the frame that a context switch leaves",
    "vmcore/system_regs.": "registers that the monitor's 'register' and gdb have names of their own for",
    "server/monitor/system.c": "the same",
    "server/target/system_registers.c": "the same",
    "server/target/kvm_registers.c": "the same, of a vCPU",
    "server/monitor/kvm/vcpu_rows.": "columns and JSON fields of vCPUs",
    "server/monitor/kvm/walk.c": "a sentence about a guest's tables",
    "server/monitor/frames/threads.c": "a column and a JSON field",
    "server/monitor/monitor.c": "help",
    "server/monitor/noted.c": "a sentence",
    "vmcore/kernel/proof/layout_proof.c": "a sentence",
    "proto/tdesc.c": "types that gdb has for flags",
    "proto/registers.c": "rows that lldb is told the role of",
    "proto/crash/": "the words of crash's own protocol, which is x86-64's",
    "base/fiber.c": "the machine that the server itself runs on",
    "server/net/syscalls.c": "the same",
}


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: re.sub(r"[^\n]", "", match[0]), text, flags=re.S)


def names_of_one(path):
    """The lines of a file that name what only one architecture has."""
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        for number, line in enumerate(without_comments(file.read()).split("\n"), 1):
            if ONE_ARCHITECTURE.search(line) and not line.lstrip().startswith("#include"):
                yield number, line.strip()


@check("nothing outside arch/ names what only one architecture has")
def _():
    wrong, needed = [], set()
    for path in sources():
        if path.startswith("arch/"):
            continue
        found = [f"{path}:{number}: {line}" for number, line in names_of_one(path)]
        row = next((row for row in NAMES_ONE if path.startswith(row)), None)
        needed |= {row} if found and row else set()
        wrong += found if not row else []
    for row in set(NAMES_ONE) - needed:
        wrong.append(f"{row} names nothing any more: take it out of NAMES_ONE")
    if wrong:
        fail("\n".join(wrong))


run_checks()
