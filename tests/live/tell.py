# SPDX-License-Identifier: GPL-2.0-or-later
"""What the live machine says of its own threads, and how the server's view compares with it."""

import re

ENTRY = re.compile(r"(\S+)\+0x([0-9a-f]+)/0x[0-9a-f]+")


class Thread:
    """A line of guest/look.c."""

    def __init__(self, line):
        tid, tgid, self.state, switches, stack, self.name = line.split("\t", 5)
        self.tid, self.tgid, self.switches = int(tid), int(tgid), int(switches)
        # The function's name and the offset in it; what has no name is None.
        self.stack = None
        if stack != "-":
            self.stack = [ENTRY.match(entry) and (ENTRY.match(entry).group(1),
                                                  int(ENTRY.match(entry).group(2), 16))
                          for entry in stack.split(",")]

    def still(self, other):
        """Whether it was not switched in between this look and another."""
        return (other is not None and self.switches == other.switches and
                self.state == other.state and self.stack == other.stack)


def look(machine):
    """The machine's threads by their ids."""
    lines = machine.run("look").splitlines()
    return {thread.tid: thread for thread in map(Thread, lines)}


class Symbols:
    """Addresses of the names that are asked for: all of /proc/kallsyms is too much for the line."""

    def __init__(self, machine):
        self._machine = machine
        self._known = {}

    def addresses(self, name):
        if name not in self._known:
            _, text = self._machine.try_run(f"grep -E ' {re.escape(name)}(\t|$)' /proc/kallsyms")
            self._known[name] = [int(line.split()[0], 16) for line in text.splitlines()]
        return self._known[name]

    def of_schedulers(self):
        """What the kernel leaves out of the stacks it shows (kernel/stacktrace.c)."""
        [start], [end] = self.addresses("__sched_text_start"), self.addresses("__sched_text_end")
        return range(start, end)


def frames_differ(thread, frames, symbols):
    """Compares the frames of 'bt --json' with the kernel's own stack; yields what is different."""
    schedulers = symbols.of_schedulers()
    mine = [frame for frame in frames
            if int(frame["pc"], 16) not in schedulers and int(frame["pc"], 16) >> 63]
    shown = [f"{frame.get('name')}+{frame.get('offset', 0):#x}" for frame in mine]
    if len(mine) != len(thread.stack):
        yield f"thread {thread.tid} ({thread.name}): frames are {shown}, not {thread.stack}"
        return
    for frame, theirs in zip(mine, thread.stack):
        if theirs is None or (frame.get("name"), frame.get("offset")) == theirs:
            continue
        name, offset = theirs
        # One function may have several names, and one name several functions.
        if int(frame["pc"], 16) not in [at + offset for at in symbols.addresses(name)]:
            yield f"thread {thread.tid} ({thread.name}): a frame is {frame}, not {name}+{offset:#x}"
