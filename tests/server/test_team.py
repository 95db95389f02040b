# SPDX-License-Identifier: GPL-2.0-or-later
"""Who looks at a dump, what they write down about it, and what they show each other."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree

from gdb_run import gdb, gdb_command
from mi import Mi
from program import DUMP, VMLINUX, Server, run_program
from rsp import Client, frame
from tap import (check, expect, expect_equal, expect_in, expect_not_in, fail, need_tool,
                 run_checks)

INTERRUPT = b"\x03"
GDB_SAYS = ("multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exec-events+;"
            "vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386")
LLDB_SAYS = "xmlRegisters=i386,arm,mips,arc;multiprocess+"

folder = tempfile.TemporaryDirectory()


def notes_folder():
    return tempfile.mkdtemp(dir=folder.name)


def the_file(where):
    """The one file in a folder of notes."""
    names = os.listdir(where)
    expect_equal(len(names), 1, f"files in it: {names}")
    return os.path.join(where, names[0])


def command(where, *lines, dump=DUMP):
    words = [word for line in lines for word in ("-x", line)]
    return run_program("--symbols", VMLINUX, "--notes", where, *words, dump)


def say(client, line):
    printed, reply = client.monitor(line)
    expect_equal(reply, "OK", f"{line} (it printed {printed!r})")
    return printed


def refused(client, line):
    printed, reply = client.monitor(line)
    expect(reply.startswith("E"), f"{line} is no error: {reply}, {printed}")
    return printed


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def wait_until(what, question):
    for _ in range(200):
        if question():
            return
        time.sleep(0.05)
    fail(f"it never comes: {what}")


def waiting(client, count=1):
    """Until so many clients wait."""
    wait_until(f"{count} clients that wait", lambda: sum(
        row["waits"] for row in rows(say(client, "clients --json"))) == count)


# ---- clients ----

@check("clients: who it is, what program for certain, thread and frame, since when")
def _():
    with Server() as server, Client(server.address) as a, Client(server.address) as b, \
            Client(server.address) as c:
        before = int(time.time())
        a.ask("qSupported:" + GDB_SAYS)
        b.ask("qSupported:" + LLDB_SAYS)
        c.ask("qSupported:multiprocess+;xmlRegisters=i386")
        say(a, "iam alice")
        b.ask("Hg" + format(110, "x"))
        say(b, "frame 2")
        list_ = rows(say(c, "clients --json"))
        expect_equal([(row.get("name"), row.get("program"), row["uid"], row["self"])
                      for row in list_],
                     [("alice", "gdb", os.getuid(), False), (None, "lldb", os.getuid(), False),
                      (None, None, os.getuid(), True)], "clients")
        expect_equal((list_[1]["tid"], list_[1]["frame"], list_[1]["target"]), (110, 2, "host"),
                     "what the second looks at")
        expect(all(abs(row["since"] - before) < 60 for row in list_), f"since: {list_}")
        table = ElementTree.fromstring(c.document("osdata", "clients"))
        names = [{column.get("name"): column.text for column in item} for item in table]
        expect_equal([row["program"] for row in names], ["gdb", "lldb", None], "info os clients")
        b.close()
        wait_until("one left", lambda: len(rows(say(c, "clients --json"))) == 2)


@check("a name is letters and digits, and nobody takes another user's")
def _():
    with Server() as server, Client(server.address) as a, Client(server.address) as b:
        for name in ("1abc", "a" * 33, "a b", "uid\x1b[2J", "-x", "ä"):
            refused(a, f"iam {name}")
        expect_in(f"alice (uid {os.getuid()})", say(a, "iam alice"))
        say(b, "iam alice")


# ---- notes ----

@check("notes are shown where they belong, to everybody, and kept")
def _():
    where = notes_folder()
    with Server("--notes", where) as server, Client(server.address) as a, \
            Client(server.address) as b:
        say(a, "iam alice")
        say(a, "note 110 this one waits   for nothing")
        say(a, "note 110#2 why 0x0?")
        say(a, "note &init_task the first one")
        say(a, "note vm-103 the customer's")
        say(a, "note oom at 11:02 \x1b[2J")
        say(a, "note -- 110 apples")
        text = say(b, "bt 110")
        title, note, *frames = text.splitlines()
        expect_in(f"note 1, alice (uid {os.getuid()}), ", note)
        expect(note.endswith(": this one waits   for nothing"), note)
        expect(frames[2].startswith("#2 ") and frames[3].endswith(": why 0x0?"), text)
        expect_not_in("why 0x0?", say(b, "bt 1"))
        found = rows(say(b, "bt 110 --json"))[0]
        expect_equal([n["text"] for n in found["notes"]], ["this one waits   for nothing"], "bt")
        expect_equal([n["text"] for n in found["frames"][2]["notes"]], ["why 0x0?"], "a frame")
        threads = say(b, "threads").splitlines()
        at = [i for i, line in enumerate(threads) if re.match(r" *110 ", line)][0]
        expect(threads[at + 1].endswith("this one waits   for nothing"), threads[at + 1])
        expect_equal([r["tid"] for r in rows(say(b, "threads --json")) if "notes" in r], [110],
                     "threads with notes")
        expect_in("the first one", say(b, "what init_task"))
        vm = [row for row in rows(say(b, "vms --json"))][0]
        address = vm.get("kvm") or vm.get("address")
        expect_in("the customer's", say(b, f"what {address}"))
        all_ = say(b, "notes")
        expect_not_in("\x1b", all_)
        expect_in("oom at 11:02 \\x1b[2J", all_)
        expect_in("110 apples", all_)
        table = b.document("osdata", "notes")
        expect_equal(len(ElementTree.fromstring(table)), 6, "info os notes")
    done = command(where, "notes --json")
    expect_equal([(n["about"], n["text"]) for n in rows(done.stdout)],
                 [("thread", "this one waits   for nothing"), ("frame", "why 0x0?"),
                  ("address", "the first one"), ("vm", "the customer's"),
                  ("dump", "oom at 11:02 \x1b[2J"), ("dump", "110 apples")], "kept")
    mode = stat.S_IMODE(os.stat(the_file(where)).st_mode)
    expect_equal(mode & ~os.stat(DUMP).st_mode, 0, "rights that the dump has not")


@check("beside the dump without --notes, and the dump is as it was")
def _():
    where = notes_folder()
    dump = os.path.join(where, "vmcore")
    shutil.copy(DUMP, dump)
    os.chmod(dump, 0o600)
    before = os.stat(dump)
    done = run_program("-x", "note about all", "-x", "notes --json", dump)
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    expect_equal(sorted(os.listdir(where)), ["vmcore", "vmcore.notes"], "files")
    after = os.stat(dump)
    expect_equal((after.st_size, after.st_mtime_ns), (before.st_size, before.st_mtime_ns), "dump")
    expect_equal(stat.S_IMODE(os.stat(dump + ".notes").st_mode), 0o600, "rights")


@check("two servers on one dump write at the same time, and no note is lost")
def _():
    where = notes_folder()
    with Server("--notes", where) as one, Server("--notes", where) as two:
        def write(server, name):
            with Client(server.address) as client:
                say(client, f"iam {name}")
                for i in range(100):
                    say(client, f"note {name} says {i}")
        writers = [threading.Thread(target=write, args=args)
                   for args in ((one, "a"), (two, "b"), (two, "c"))]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        for server in (one, two):
            with Client(server.address) as client:
                texts = [row["text"] for row in rows(say(client, "notes --json"))]
                expect_equal(sorted(texts), sorted(f"{n} says {i}" for n in "abc"
                                                   for i in range(100)), "all notes")


@check("what cannot be kept is said to be, and the session goes on")
def _():
    where = notes_folder()
    command(where, "note x")
    path = the_file(where)

    def trial(prepare, part, text="note y"):
        if os.path.lexists(path):
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)
        prepare()
        with Server("--notes", where) as server, Client(server.address) as client:
            expect_in(part, refused(client, text))
            expect_in("#0", say(client, "bt 110"))

    victim = os.path.join(folder.name, "victim")
    with open(victim, "w", encoding="ascii") as file:
        file.write("keep me\n")
    trial(lambda: os.symlink(victim, path), "it is a link")
    trial(lambda: os.link(victim, path), "other names")
    trial(lambda: os.mkfifo(path), "it is no file")
    trial(lambda: os.mkdir(path), "it is no file")
    with open(victim, encoding="ascii") as file:
        expect_equal(file.read(), "keep me\n", "the file that a link led to")

    def huge():
        with open(path, "wb") as file:
            file.truncate(17 << 20)
    trial(huge, "16 MiB")
    trial(lambda: None, "a note has 4096 bytes at most; this one has 5000", "note " + "x" * 5000)
    trial(lambda: None, "a note needs words", "note 110")
    trial(lambda: None, "there is no thread 4711", "note 4711 what")
    trial(lambda: None, "there is no frame 99", "note 110#99 what")
    os.chmod(where, 0o500)
    try:
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--clear-groups", os.path.abspath("vmcore-gdbserver"),
             "--notes", where, "-x", "note z", DUMP] if os.getuid() == 0 else
            [os.path.abspath("vmcore-gdbserver"), "--notes", where, "-x", "note z", DUMP],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        expect(done.returncode != 0, "a folder that cannot be written to")
    finally:
        os.chmod(where, 0o700)
    done = run_program("--notes", path + "-nowhere", "-x", "info", DUMP)
    expect_in("is no folder", done.stderr)


@check("a file of notes is an enemy's: what is no note is passed over, and said to be")
def _():
    where = notes_folder()
    command(where, "note 110 good")
    path = the_file(where)
    with open(path, "rb") as file:
        good = file.read()
    fields = good.rstrip(b"\n").split(b"\t")

    def changed(**what):
        other = list(fields)
        for n, value in what.items():
            other[int(n[1:])] = value
        return b"\t".join(other) + b"\n"

    bad = [b"\n", b"\xff\xfe\n", b"note1\n", b"\x00" * 50 + b"\n", changed(_1=b"-5"),
           changed(_1=b"99999999999999999999"), changed(_4=b"planet"), changed(_5=b"x"),
           changed(_6=b"4294967296"), changed(_7=b"0x"), changed(_8=b""), changed(_8=b"%0"),
           changed(_8=b"%00x"), changed(_8=b"%zz"), changed(_8=b"x" * 4097), changed(_2=b"\x1b[2J"),
           changed(_0=b"note2"), b"\t" * 500 + b"\n", b"A" * (1 << 20) + b"\n"]
    another = changed(_3=b"5.10.0 1 0x0")
    with open(path, "wb") as file:
        file.write(b"".join(bad) + another + good + b"torn off in the mid")
    done = command(where, "notes", "note 110 after that", "bt 110", "notes --json")
    expect_equal(done.returncode, 0, f"status ({done.stderr})")
    # An empty line is nothing; the zeros end their line.
    expect_in("not shown: 1 of another dump", done.stdout)
    expect(re.search(r"not shown: 1[789] lines that are no note", done.stdout), done.stdout)
    expect_in(": good", done.stdout)
    expect_equal([json.loads(line)["text"] for line in done.stdout.splitlines()
                  if line.startswith("{")], ["good", "after that"], "notes")
    with open(path, "wb") as file:
        for i in range(10050):
            file.write(changed(_8=b"%d" % i))
    done = command(where, "notes", "note one more")
    expect_in("not shown: 50 more than 10000", done.stdout)
    expect_in("no more are kept", done.stderr)
    with open(path, "wb") as file:
        file.truncate(17 << 20)
    done = command(where, "bt 110")
    expect_in("no notes are shown", done.stdout)
    expect_in("#0", done.stdout)


# ---- pointing ----

@check("without 'follow' continue answers at once; with it it waits, idle, and Ctrl-C ends that")
def _():
    with Server() as server, Client(server.address) as a, Client(server.address) as b:
        a.ask("qSupported:" + GDB_SAYS)
        a.ask("?")
        expect(a.ask("c").startswith("O"), "the console's words")
        expect_in("T00thread:", a.reply().decode())
        say(a, "follow")
        a.send(frame("c"))
        waiting(b)
        with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
            used = [int(x) for x in file.read().rsplit(")", 1)[1].split()[11:13]]
        time.sleep(1)
        with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
            now = [int(x) for x in file.read().rsplit(")", 1)[1].split()[11:13]]
        expect(sum(now) - sum(used) < 10, f"it waits busily: {used}, {now}")
        a.send(INTERRUPT)
        expect(a.reply().decode().startswith("T02thread:6e;"), "the stop of Ctrl-C")
        expect_equal(rows(say(b, "clients --json"))[0]["waits"], False, "it waits")
        say(a, "follow off")
        a.send(frame("c"))
        a.reply()
        expect_in("T00thread:", a.reply().decode())


def shown(client):
    """The words and the stop that a client of gdb's kind which waits gets."""
    words = b""
    while True:
        reply = client.reply()
        if not reply.startswith(b"O"):
            return words.decode(), reply.decode()
        words += bytes.fromhex(reply[1:].decode())


@check("a point moves those who follow, to its thread and frame, and nobody else")
def _():
    with Server() as server, Client(server.address) as a, Client(server.address) as b, \
            Client(server.address) as c, Client(server.address) as d:
        for client, name in ((a, "alice"), (b, "bob"), (c, "carol"), (d, "dave")):
            client.ask("qSupported:" + GDB_SAYS)
            client.ask("?")
            say(client, f"iam {name}")
        for client in (b, c):
            say(client, "follow")
            client.send(frame("c"))
        waiting(a, 2)
        at_frame_2 = rows(say(a, "bt 110 --json"))[0]["frames"][2]["pc"]
        expect_in("shown to 2 clients", say(a, "point 110#2 look \x1b[2J here"))
        for client in (b, c):
            words, stop = shown(client)
            expect_equal(stop[:13], "T00thread:6e;", "the stop")
            expect_in(f"alice (uid {os.getuid()}) points at frame 2 of thread 110", words)
            expect_in(": look \\x1b[2J here\n", words)
            rip = bytes.fromhex(re.search(r";10:([0-9a-f]{16});", stop).group(1))
            expect_equal(int.from_bytes(rip, "little"), int(at_frame_2, 16), "rip of the frame")
        expect_equal([row["frame"] for row in rows(say(a, "clients --json"))], [0, 2, 2, 0],
                     "frames")
        b.send(frame("c"))
        waiting(a, 1)
        expect_in("shown to 1 client\n", say(a, "point --to bob 0xffffffff81000000 this"))
        words, stop = shown(b)
        expect_in("points at 0xffffffff81000000: this", words)
        expect_equal(stop[:13], "T00thread:6e;", "it stays at its thread")
        # What is shown before one waits is there when it does, in its order.
        say(a, "point 1 first")
        say(a, "point 2 second")
        b.send(frame("vCont;c"))
        expect_in(": first", shown(b)[0])
        b.send(frame("c"))
        words, stop = shown(b)
        expect_in(": second", words)
        expect_equal(stop[:12], "T00thread:2;", "the stop")
        expect_in("does not follow", refused(a, "point --to dave x"))
        expect_in("there is no client 'eve'", refused(a, "point --to eve x"))
        expect_in("is you", refused(a, "point --to alice x"))
        refused(a, "point --to")
        refused(a, "point 4711 x")
        refused(a, "point " + "x" * 2000)
        say(c, "follow off")
        say(b, "follow off")
        expect_in("nobody else has said", say(a, "point 110 x"))


@check("who leaves while others wait, or waits when it leaves, harms nobody")
def _():
    with Server() as server, Client(server.address) as a:
        say(a, "iam alice")
        many = [Client(server.address) for _ in range(20)]
        for client in many:
            say(client, "follow")
            client.send(frame("c"))
        waiting(a, 20)
        for client in many[::2]:
            client.close()
        many[1].socket.shutdown(socket.SHUT_WR)
        wait_until("they left", lambda: len(rows(say(a, "clients --json"))) == 10)
        expect_in("shown to 9 clients", say(a, "point here"))
        for client in many[3::2]:
            expect_in("here", shown(client)[0])
            client.close()


def reader_of(server):
    """The process that reads the dump; None where there is none beside the first."""
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "vmcore-reader":
                    return int(pid)
    return None


@check("names, who follows and who waits outlast the process that reads the dump")
def _():
    with Server("--notes", notes_folder()) as server, Client(server.address) as a, Client(server.address) as b:
        for client in (a, b):
            client.ask("qSupported:" + GDB_SAYS)
            client.no_acks()
            client.ask("?")
        say(a, "iam alice")
        say(b, "iam bob")
        say(b, "follow")
        say(a, "note 110 kept")
        b.send(frame("c"))
        waiting(a)
        reader = reader_of(server)
        if reader is None:
            return
        os.kill(reader, signal.SIGKILL)
        wait_until("another one", lambda: reader_of(server) not in (None, reader))
        expect_in("kept", say(a, "notes"))
        waiting(a)
        expect_equal([row.get("name") for row in rows(say(a, "clients --json"))], ["alice", "bob"], "names")
        expect_in("shown to 1 client", say(a, "point --to bob 110#1 still here"))
        words, stop = shown(b)
        expect_in("still here", words)
        expect_equal(stop[:13], "T00thread:6e;", "the stop")
        server.stop()
        server.rest()


@check("256 clients: all are listed, in a document that is one, and all are shown a point")
def _():
    with Server("--max-clients", "300") as server, Client(server.address) as a:
        many = [Client(server.address) for _ in range(255)]
        for i, client in enumerate(many):
            say(client, f"iam n{i}")
            say(client, "follow")
            client.send(frame("c"))
        waiting(a, 255)
        table = ElementTree.fromstring(a.document("osdata", "clients"))
        expect_equal(len(table), 256, "rows of info os clients")
        expect_in("shown to 255 clients", say(a, "point 110 all of you"))
        for client in many:
            words, stop = shown(client)
            expect_in("all of you", words)
            expect_equal(stop[:13], "T00thread:6e;", "the stop")
            client.close()


@check("gdb and its MI wait, stop at the frame with the words, and go on")
def _():
    with Server() as server, Client(server.address) as a:
        say(a, "iam alice")
        with Mi(server.address) as mi:
            mi.ask('-interpreter-exec console "monitor iam ide"')
            mi.ask('-interpreter-exec console "monitor follow"')
            mi.ask("-exec-continue")
            waiting(a)
            say(a, "point 110#3 look at its vcpu")
            mi.wait_for(r'^@.*alice .* points at frame 3 of thread 110.*look at its vcpu')
            stop = mi.wait_for(r"^\*stopped(.*)$").group(1)
            expect_in('func="kvm_arch_vcpu_ioctl_run"', stop)
            mi.ask("-exec-continue")
            waiting(a)
            # As front ends pause a gdb that does not run in the background.
            mi.process.send_signal(signal.SIGINT)
            stop = mi.wait_for(r"^\*stopped(.*)$").group(1)
            expect_in('signal-name="SIGINT"', stop)
            expect_in('func="vmx_set_cr3"', stop)
        process = subprocess.Popen(
            gdb_command("monitor follow", "continue", "bt 2", "info threads", "monitor follow off",
                        "continue", attach=server.address),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        waiting(a)
        say(a, "point 110#4 there")
        said = process.communicate(timeout=90)[0]
        expect_in("points at frame 4 of thread 110", said)
        expect(re.search(r"#0 +(0x\w+ in )?kvm_vcpu_ioctl", said), said)
        expect_in("it cannot run", said)


@check("lldb waits, stops at the thread with the words as its reason, and Ctrl-C ends it")
def _():
    tool = need_tool("lldb")
    with Server() as server, Client(server.address) as a:
        say(a, "iam alice")
        process = subprocess.Popen(
            [tool, "--no-lldbinit", "--no-use-colors", "-o", f"gdb-remote {server.address}",
             "-o", "process plugin packet monitor follow", VMLINUX],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            process.stdin.write("continue\n")
            process.stdin.flush()
            waiting(a)
            say(a, "point 110#1 look here")
            wait_until("it was shown", lambda: rows(say(a, "clients --json"))[1]["tid"] == 110
                       and not rows(say(a, "clients --json"))[1]["waits"])
            time.sleep(1)
            process.stdin.write("continue\n")
            process.stdin.flush()
            waiting(a)
            process.stdin.write("process interrupt\n")
            process.stdin.flush()
            wait_until("it waits no more",
                       lambda: not rows(say(a, "clients --json"))[1]["waits"])
            said = process.communicate("thread list\nquit\n", timeout=90)[0]
        finally:
            process.kill()
        expect_in(f"stop reason = alice (uid {os.getuid()}) points at frame 1 of thread 110", said)
        expect_in("kvm_mmu_load", said)


run_checks()
