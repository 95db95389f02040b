#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares every task's backtrace, as a stock debugger finds it by itself, with drgn's.

    compare_backtraces.py gdb|lldb client|server|both|none MANIFEST DUMP_NAME SERVER

The second word says where the vmlinux is. lldb is started by contrib/lldb/vmcore-lldb. The functions'
names must be drgn's, which has full debug information, and the backtrace must end where `monitor bt`
does, without a complaint of the debugger's. Inlined functions are not compared here, nor what is known
to be drgn's fault (compare_frames.py lists that).
"""

import json
import os
import re
import shutil
import sys
import tempfile

from compare_frames import USER_END, is_last, up_to_nonsense
from oracle import HERE, check_main, json_lines, run, skip
from server_process import Server

CONTEXTS = 20000000
MARK = "GDB-FRAMES "
VMCORE_LLDB = os.path.join(HERE, "../../contrib/lldb/vmcore-lldb")
LLDB_FRAME = re.compile(r"^ +(?:\* )?frame #(\d+): (0x[0-9a-f]+)(?: [^`\n]*`([^\n]*))?", re.MULTILINE)
LLDB_THREAD = re.compile(r"^[* ] thread #(\d+)(?:: tid = (\d+))?", re.MULTILINE)


def gdb_backtraces(server, dump, has_vmlinux, folder):
    """{tid: (frames' pcs and names, what gdb complains of)}."""
    del folder
    command = ["gdb", "-nx", "-batch", *server.gdb_attach(),
               "-x", os.path.join(HERE, "gdb_frames.py"), *([dump.vmlinux] if has_vmlinux else [])]
    output = run(command, "gdb", with_stderr=True).decode("utf-8", "replace")
    lines = [json.loads(line[len(MARK):]) for line in output.splitlines() if line.startswith(MARK)]
    return {thread["tid"]: ([(frame["pc"], frame["name"]) for frame in thread["frames"]
                             if not frame["inlined"]], thread["end"]) for thread in lines}


def lldb_name(text):
    """The function of what lldb shows behind a frame's pc, "context_switch" being inlined in
    "__schedule [inlined] context_switch(...) at core.c:5257"."""
    name = re.match(r"[^ (]+", text or "")
    return name.group() if name else None


def lldb_backtraces(server, dump, has_vmlinux, folder):
    """The same, but inlined functions are there, too: see without_inlined()."""
    env = dict(os.environ, XDG_CACHE_HOME=folder)
    command = [sys.executable, VMCORE_LLDB, f"{server.host}:{server.port}",
               *([dump.vmlinux] if has_vmlinux else []), "--no-lldbinit", "--batch",
               "-o", "thread list", "-o", "thread backtrace all"]
    output = run(command, "lldb", env=env).decode("utf-8", "replace")
    listing, _, text = output.rpartition("(lldb) thread backtrace all")
    tids = {number: int(tid) for number, tid in LLDB_THREAD.findall(listing) if tid}
    threads = {}
    parts = LLDB_THREAD.split(text)
    for number, frames in zip(parts[1::3], parts[3::3]):
        if number in tids:
            # Tail calls are no frames: lldb finds out from debug information that they were.
            threads[tids[number]] = [(int(pc, 16), lldb_name(rest)) for _, pc, rest in
                                     LLDB_FRAME.findall(frames)
                                     if not rest.endswith("[artificial]")], None
    return threads


def without_inlined(frames, pcs):
    """lldb's frames, of which each version shows inlined functions in its own way (with the name of the
    one around them, marked behind, or not at all): a frame goes as far as the next of pcs, those of
    `monitor bt`, and its function is the outermost, the last."""
    found, following = [], iter(pcs)
    following_pc = next(following, None)
    for pc, name in frames:
        if not found or pc == following_pc:
            found.append((pc, name))
            following_pc = next(following, None)
        else:
            found[-1] = found[-1][0], name
    return found


def plain(name):
    """Without what compilers append to the parts and copies that they make of functions."""
    return re.sub(r"\.(cold|constprop|isra|part)(\.\d+)*(?=\.|$)", "", name) if name else None


def same_function(mine, other):
    """Assembly has labels within functions: the one's name is as true as the other's."""
    mine, other = plain(mine), plain(other)
    return mine == other or bool(mine and other and
                                 (other.startswith(f"{mine}_") or mine.startswith(f"{other}_")))


def drgn_names(theirs, mine):
    """The names of drgn's frames in the kernel, as far as they are to be believed."""
    names = []
    for number, frame in enumerate(up_to_nonsense(theirs["frames"])):
        if int(frame["regs"]["rip"], 16) < USER_END:
            break
        names.append(frame["name"])
        if number < len(mine) and is_last(mine[number], frame):
            break
    while names and names[-1] is None:
        names.pop()
    return names


def without_repeats(names):
    return [name for number, name in enumerate(names)
            if not number or plain(name) != plain(names[number - 1])]


def compare_thread(seen, complaint, ours, theirs):
    names = without_repeats([name for pc, name in seen if pc >= USER_END])
    expected = without_repeats(drgn_names(theirs, ours["frames"]))
    for number, name in enumerate(expected):
        if number >= len(names):
            yield f"has {names}, drgn {expected}"
            return
        if name is not None and not same_function(names[number], name):
            yield f"#{number} is {names[number]}, drgn says {name}: {names}, {expected}"
            return
    # `monitor bt` was compared with drgn elsewhere; here it tells where the stack ends.
    own = [int(frame["pc"], 16) for frame in ours["frames"] if "pc" in frame]
    if seen and len(own) > 1 and seen[-1][0] == own[-2] and own[-1] < USER_END:
        own.pop()  # lldb shows no frame that it can go no further from: rbp is 0 there
    if own and (not seen or seen[-1][0] != own[-1]):
        yield f"ends at {seen[-1:]}, `monitor bt` at {own[-1]:#x}"
    if complaint and ours["end"] != "lost":
        yield f"ends with: {complaint}"


def compare(dump, command, debugger, place):
    if not shutil.which(debugger):
        skip(f"{debugger} is missing")
    options = []
    if place in ("server", "both"):
        options = ["--symbols", dump.vmlinux, "--symbols",
                   dump.path("kernel/usr/lib/debug")]
    ask = {"gdb": gdb_backtraces, "lldb": lldb_backtraces}[debugger]
    ours = {thread["tid"]: thread for thread in json_lines(
        run([*command, "--symbols", dump.vmlinux, "-x", "bt --all --json", *dump.files],
            command[0]), command[0])}
    with tempfile.TemporaryDirectory() as folder, \
            Server([*command, *options], dump.files) as server:
        seen = ask(server, dump, place in ("client", "both"), folder)
    lines, tasks = [], 0
    for theirs in dump.ask_drgn("oracle_drgn_frames.py"):
        tid = theirs["tid"]
        if tid not in ours:
            continue
        tasks += 1
        frames, complaint = seen.get(tid, ([], "it is not there"))
        if debugger == "lldb":
            frames = without_inlined(frames, [int(frame["pc"], 16) for frame in
                                              ours[tid]["frames"] if "pc" in frame])
        lines += [f"{tid} ({theirs['comm']}) {line}"
                  for line in compare_thread(frames, complaint, ours[tid], theirs)]
    print(f"{debugger}, vmlinux {place}: {tasks} tasks, {len(lines)} differences", file=sys.stderr)
    return lines


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("gdb", "lldb") \
            or sys.argv[2] not in ("client", "server", "both", "none"):
        sys.exit(__doc__)
    DEBUGGER, PLACE = sys.argv[1:3]
    del sys.argv[1:3]
    check_main(__doc__, lambda dump, command: compare(dump, command, DEBUGGER, PLACE))
