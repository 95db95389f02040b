#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers that come too late: stock gdb and lldb, a server that is stopped, and one with a slow
disk. Each value is shown with the address that was asked for, and none may be another's.

The clients' patience is shortened, to three seconds of gdb and one of lldb, and the server's with
it: it must be the shorter one. All sessions run at once, for they do nothing but wait.
"""

import concurrent.futures
import os
import re
import signal
import subprocess
import tempfile
import time

from program import SOURCE, VMLINUX, Server
from rsp import Client, frame
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

SECONDS = 90
# Eight words of the demo dump's kernel, all different.
PLACES = [0xffff88043ea73280, 0xffffffffc07a21a8, 0xffff88003e5ebd00, 0xffffffffc09920fb,
          0xffff88003e5ebcd0, 0xffffffff816a9214, 0xffff88003e5ebd58, 0xffffffff81000000]
FIRST, ASKED = PLACES[:2], PLACES[7]  # nobody has read that one's page before


def true_values():
    """The word at each of PLACES, read by one who waits."""
    with Server() as server, Client(server.address) as client:
        words = {place: client.ask(f"m{place:x},8") for place in PLACES}
    for word in words.values():
        expect(re.fullmatch("[0-9a-f]{16}", word), f"a word: {word}")
    expect_equal(len(set(words.values())), len(PLACES), "different words")
    return {place: int.from_bytes(bytes.fromhex(word), "little") for place, word in words.items()}


def expect_true(text, least):
    """No value in the text is another address's, and so many are there."""
    words = true_values()
    shown = [(int(place, 16), int(word, 16))
             for place, word in re.findall(r"(0x[0-9a-f]{16})[:=] ?(0x[0-9a-f]+)", text)]
    wrong = [(hex(place), hex(word)) for place, word in shown if words[place] != word]
    expect(not wrong, f"wrong values {wrong} in:\n{text}")
    expect(len(shown) >= least, f"less than {least} values in:\n{text}")


def wait_for_state(pid, letter):
    """As proc(5) has them: S when it waits for clients, T when it is stopped."""
    while True:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == letter:
                return
        time.sleep(0.01)


class Scene:
    """A server of its own, how its clients trouble it, and what they say."""

    def __init__(self, folder, server):
        self.folder, self.pid, self.address = folder, server.reader, server.address

    def shell(self, text):
        """A file with the shell command: lldb takes quotes for its own."""
        number = len(os.listdir(self.folder))
        with open(f"{self.folder}/script-{number}", "w", encoding="utf-8") as out:
            out.write(text)
        return "sh " + out.name

    def stop_for(self, seconds):
        """A shell command that stops the server for a while, beginning now."""
        return self.shell(f"kill -STOP {self.pid}\n"
                          f"(sleep {seconds}; kill -CONT {self.pid}) </dev/null >/dev/null 2>&1 &")

    def slow_disk(self, milliseconds):
        return self.shell(f"echo -{milliseconds} >{self.folder}/order")

    def quick_disk(self):
        return self.shell(f"rm {self.folder}/order")

    def gdb(self, *commands, settings=()):
        line = [need_tool("gdb"), "-nx", "-q", "-batch"]
        for command in ["set remotetimeout 1", "set confirm off", *settings,
                        f"target remote {self.address}", *commands]:
            line += ["-ex", command]
        return subprocess.run([*line, VMLINUX], stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS).stdout

    def lldb(self, *commands):
        typed = ["settings set plugin.process.gdb-remote.packet-timeout 1",
                 "settings set target.process.disable-memory-cache true",
                 f"gdb-remote {self.address}", *commands, "quit\n"]
        return subprocess.run([need_tool("lldb"), "--no-lldbinit", "--no-use-colors", VMLINUX],
                              input="\n".join(typed), text=True, check=False, timeout=SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def preloaded(folder):
    """The environment of a server whose reads `order` in the folder spoils."""
    compiler = need_tool(os.environ.get("CC", "gcc").split()[-1])
    library = f"{folder}/failing_reads.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library,
                    f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=30)
    return dict(os.environ, LD_PRELOAD=library, FAILING_READS=f"{folder}/order",
                ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")


def run_scene(play, slow):
    with tempfile.TemporaryDirectory() as folder:
        env = preloaded(folder) if slow else None
        with Server("--patience", "2", "--no-confinement", env=env) as server:
            return play(Scene(folder, server))


def gdb_read(*places):
    return [f'printf "%#018lx= %#lx\\n", {place:#x}, *(unsigned long *){place:#x}'
            for place in places]


def lldb_read(*places):
    return [f"memory read -s8 -fx -c1 {place:#x}" for place in places]


def stopped_gdb(seconds, pause, *settings):
    return lambda scene: scene.gdb(
        *gdb_read(*FIRST), f"shell {scene.stop_for(seconds)}", *gdb_read(ASKED),
        f"shell sleep {pause}", *gdb_read(*PLACES), "shell sleep 2", *gdb_read(*PLACES),
        settings=settings)


def stopped_lldb(seconds, pause):
    return lambda scene: scene.lldb(
        *lldb_read(*FIRST), f"platform shell -h -- {scene.stop_for(seconds)}", *lldb_read(ASKED),
        f"platform shell -h -- sleep {pause}", *lldb_read(*PLACES))


def slow_gdb(pause):
    return lambda scene: scene.gdb(
        *gdb_read(*FIRST), f"shell {scene.slow_disk(4500)}", *gdb_read(ASKED),
        f"shell {scene.quick_disk()}; sleep {pause}", *gdb_read(*PLACES), "shell sleep 2",
        *gdb_read(*PLACES))


def slow_lldb(scene):
    return scene.lldb(*lldb_read(*FIRST), f"platform shell -h -- {scene.slow_disk(1500)}",
                      *lldb_read(ASKED), f"platform shell -h -- {scene.quick_disk()}",
                      *lldb_read(*PLACES))


ACKS = "set remote noack-packet off"
# Name: how it is played, whether the disk is slow in it, how many values are seen at the least.
SCENES = {
    "a server that is stopped until gdb asks for something else":
        (stopped_gdb(4.5, 0), False, 4),
    "a server that is stopped until gdb has given up, and asks for nothing":
        (stopped_gdb(4, 3), False, 4),
    "a server that is stopped for less than gdb waits":
        (stopped_gdb(1.5, 0), False, 4),
    "the first of these with acknowledgements": (stopped_gdb(4.5, 0, ACKS), False, 4),
    "the second with acknowledgements": (stopped_gdb(8, 4, ACKS), False, 4),
    "the third with acknowledgements": (stopped_gdb(1.5, 0, ACKS), False, 4),
    "a server that is stopped until lldb looks whether it is there":
        (stopped_lldb(2.5, 0), False, 3),
    "a server that is stopped until lldb's user waits": (stopped_lldb(1.5, 2), False, 3),
    "a disk that hangs until gdb asks for something else": (slow_gdb(0), True, 4),
    "a disk that hangs until gdb has given up": (slow_gdb(3), True, 4),
    "a disk that hangs while lldb waits": (slow_lldb, True, 3),
}


def check_scene(name, result, least):
    @check(name, SECONDS)
    def _():
        expect_true(result.result(), least)


pool = concurrent.futures.ThreadPoolExecutor(max_workers=len(SCENES))
for scene_name, (how, with_slow_disk, fewest) in SCENES.items():
    check_scene(scene_name, pool.submit(run_scene, how, with_slow_disk), fewest)


@check("of a long read on a slow disk there is a part in time", SECONDS)
def _():
    with tempfile.TemporaryDirectory() as folder:
        with Server("--patience", "5", "--no-confinement", env=preloaded(folder)) as server, \
                Client(server.address) as client:
            start = 0xffff88043ea73000
            with open(f"{folder}/order", "w", encoding="ascii") as out:
                out.write("-400")
            since = time.monotonic()
            part = client.ask(f"m{start:x},10000")
            expect(time.monotonic() - since < 4, "a part takes long")
            os.remove(f"{folder}/order")
            expect_in(part, client.ask(f"m{start:x},10000"))


@check("of several packets the last is answered, if nobody may wait for the others", SECONDS)
def _():
    with Server() as server, Client(server.address) as client:
        client.no_acks()
        first, second = (client.ask(f"m{place:x},8") for place in PLACES[:2])
        expect(first != second, "the words are the same")
        client.send(frame(f"m{PLACES[0]:x},8") + frame(f"m{PLACES[1]:x},8"))
        expect_equal((client.reply().decode(), client.reply().decode()), (first, second),
                     "the answers to two packets at once")
        # One that is stopped right behind an answer cannot tell when that has left.
        reader = server.reader
        wait_for_state(reader, "S")
        os.kill(reader, signal.SIGSTOP)
        wait_for_state(reader, "T")
        client.send(frame(f"m{PLACES[0]:x},8"))
        time.sleep(2.5)
        client.send(frame(f"m{PLACES[1]:x},8"))
        os.kill(reader, signal.SIGCONT)
        expect_equal(client.reply().decode(), second, "the answer")


run_checks()
