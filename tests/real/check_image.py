#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the file that --write-symbols makes of a dump.

    check_image.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Its symbols must be those of the real vmlinux, at the same addresses; elfutils, binutils and LLVM
must find nothing to complain about; and stock gdb, with this file and nothing else, must find the
frames of every thread that `monitor bt` has, by the file's own unwind tables. So must gdb without
any file, by what it reads from the server.
"""

import filecmp
import json
import os
import shutil
import tempfile

from oracle import HERE, check_main, json_lines, run, skip
from server_process import Server

CONTEXTS = 20000000
MARK = "GDB-FRAMES "
# What of a vmlinux the image's sections are that hold the kernel itself, not what came later.
OWN_SECTIONS = {".text", ".rodata", ".data", ".init.text", ".init.data", ".bss", ".data..percpu"}
SAID_MAX = 8

TRAMPOLINES = ("arch_rethook_trampoline", "kretprobe_trampoline", "return_to_handler")


def symbols(path):
    """{name: {(value, is a function)}} and {index of section: name} by readelf."""
    sections = {}
    for line in run(["readelf", "-SW", path], "readelf").decode().splitlines():
        head, _, rest = line.partition("]")
        if head.strip().startswith("[") and head.strip("[ ").isdigit():
            sections[head.strip("[ ")] = rest.split()[0]
    found = {}
    for line in run(["readelf", "-sW", path], "readelf").decode().splitlines():
        words = line.split()
        if len(words) >= 8 and words[0].rstrip(":").isdigit():
            found.setdefault(words[7], []).append((int(words[1], 16), words[3], words[6]))
    return found, sections


def compare_symbols(image, vmlinux):
    mine, sections = symbols(image)
    real, _ = symbols(vmlinux)
    checked = 0
    for name, places in mine.items():
        for value, kind, section in places:
            if sections.get(section) not in OWN_SECTIONS:
                continue
            checked += 1
            # Debuggers look up the byte before a return address, which may be a tracer's.
            real_value = value + 1 if name in TRAMPOLINES and value & 1 else value
            there = [place for place in real.get(name, []) if place[0] == real_value]
            if not there:
                yield f"{name} is at {value:#x}, which no symbol of vmlinux says"
            elif kind == "FUNC" and not any(place[1] in ("FUNC", "NOTYPE") for place in there):
                yield f"{name} at {value:#x} is a function, in vmlinux {there}"
    if checked < 10000:
        yield f"only {checked} symbols of the kernel"


def complaints(image):
    """Of the tools that read such files for a living; a missing one is passed over."""
    lint = ["eu-elflint", "--gnu-ld", "-d", image]
    if shutil.which(lint[0]):
        said = run(lint, lint[0], with_stderr=True).decode().strip()
        if said != "No errors":
            yield f"{lint[0]}: {said[-500:]}"
    said = run(["readelf", "-SlW", image], "readelf", with_stderr=True).decode("utf-8", "replace")
    for line in said.splitlines():
        if "warning" in line.lower() or "error" in line.lower():
            yield f"readelf: {line}"


def gdb_frames(server, files):
    command = ["gdb", "-nx", "-batch", *server.gdb_attach(), "-x", os.path.join(HERE, "gdb_frames.py"), *files]
    output = run(command, "gdb", with_stderr=True).decode("utf-8", "replace")
    lines = [json.loads(line[len(MARK):]) for line in output.splitlines() if line.startswith(MARK)]
    # What an interrupt has stopped is a thread, too, but no task: check_contexts.py looks at those.
    return {thread["tid"]: thread for thread in lines if thread["tid"] < CONTEXTS}


def compare_frames(expected, seen, what):
    if len(seen) != len(expected):
        yield f"{what}: {len(seen)} threads of {len(expected)}"
    for tid, answer in sorted(expected.items()):
        thread = answer["frames"]
        other = seen.get(tid, {"frames": [], "end": "it is not there"})
        mine = [int(frame["pc"], 16) for frame in thread if "pc" in frame]
        theirs = [frame["pc"] for frame in other["frames"]]
        if mine != theirs:
            yield (f"{what}: thread {tid}: {[hex(pc) for pc in theirs]}, "
                   f"`monitor bt` has {[hex(pc) for pc in mine]}")
        if other["end"] and answer["end"] != "lost":
            yield f"{what}: thread {tid} ends: {other['end']}"
        for frame, pair in zip(thread, other["frames"]):
            if frame.get("name") and not pair["name"]:
                yield f"{what}: thread {tid}: {frame['name']} has no name"


def compare_kept(image, kept, folder):
    """What --symbol-cache kept is what --write-symbols wrote."""
    if len(kept) != 1:
        yield f"--symbol-cache kept {kept}"
    elif not filecmp.cmp(image, os.path.join(folder, kept[0]), shallow=False):
        yield f"{kept[0]} differs from what --write-symbols wrote"


def check(dump, server):
    if not shutil.which("gdb"):
        skip("gdb is missing")
    wrong = []
    frames = json_lines(run([*server, "-x", "bt --all --json", *dump.files], server[0]), server[0])
    expected = {thread["tid"]: thread for thread in frames}
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "symbols")
        run([*server, "--write-symbols", image, *dump.files], server[0])
        wrong += list(compare_symbols(image, dump.vmlinux))[:SAID_MAX]
        wrong += list(complaints(image))[:SAID_MAX]
        with Server([*server, "--no-context-threads", "--symbol-cache", folder],
                    dump.files) as serving:
            wrong += compare_frames(expected, gdb_frames(serving, [image]), "with the file")
            wrong += compare_frames(expected, gdb_frames(serving, []), "without any file")
        wrong += compare_kept(image, [name for name in os.listdir(folder) if "-" in name], folder)
    return wrong


if __name__ == "__main__":
    check_main(__doc__, check)
