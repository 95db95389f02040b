#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that reads the dump dies, and another one goes on: clients keep their connections, what they
have agreed on and selected, and lose no more than the answer that was being made."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from gdb_run import gdb
from program import DUMP, PROGRAM, RUN_S, SOURCE, VMLINUX, Server, children_of, name_of
from recipes import ENDLESS_AT, ENDLESS_BYTES, make_endless_dump
from rsp import Client, connect, frame
from tap import check, expect, expect_equal, expect_in, need_tool, run_checks

SEARCH = frame(f"qSearch:memory:{ENDLESS_AT:x};{ENDLESS_BYTES:x};nobody wrote this")
STACK = 0xffff88003e5e8000
PLACE = 0xffff88043ea73280
LOST = "the process that reads the dump died of it"
# A sanitizer would make a report and an exit of what is a death elsewhere.
DEADLY = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
          ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0"}

folder = tempfile.TemporaryDirectory()
ENDLESS = make_endless_dump(folder.name)


def server(*arguments, **how):
    how.setdefault("env", {**os.environ, **DEADLY})
    return Server(*arguments, **how)


def await_reader(pid, other_than=None):
    """The process that reads for the server that is process @pid."""
    end = time.monotonic() + RUN_S
    while time.monotonic() < end:
        for child in children_of(pid):
            if child != other_than and name_of(child) == "vmcore-reader":
                return child
        time.sleep(0.005)
    raise AssertionError("no process reads the dump")


def die(serving, number=signal.SIGSEGV):
    """Ends the process that reads, once it serves; another one is there afterwards."""
    reader = await_reader(serving.process.pid)
    os.kill(reader, number)
    await_reader(serving.process.pid, reader)


def search_begun(client):
    client.send(SEARCH)
    time.sleep(0.3)


def said_until(serving, words):
    while True:
        line = serving.next_line()
        expect(line is not None, f"the server ended without saying {words!r}: {serving.said}")
        if words in line:
            return line


@check("ten deaths between packets: what was agreed on and selected stays, and all values")
def _():
    numbers = [signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGILL, signal.SIGKILL] * 2
    with server() as serving, Client(serving.address) as quiet, Client(serving.address) as other:
        quiet.no_acks()
        expect_equal((quiet.ask("Hg67"), other.ask("Hg6e")), ("OK", "OK"), "selecting threads")
        rip, word = quiet.ask("p10"), quiet.ask(f"m{PLACE:x},8")
        others = other.ask("p10")
        expect(rip != others, "both threads are at one place")
        for number in numbers:
            die(serving, number)
            expect_equal((quiet.ask("p10"), quiet.ask(f"m{PLACE:x},8")), (rip, word), "what it had")
            # Still with acknowledgements.
            other.send(frame("p10"))
            expect_equal(other.reply().decode(), others, "the other's")
        printed, reply = quiet.monitor("threads")
        expect_in("SIGKILL", printed.splitlines()[0])
        expect_in("started again", printed.splitlines()[0])
        expect_equal(reply, "OK", "the command's reply")
        expect("started again" not in quiet.monitor("info")[0], "it is told twice")
        said_until(serving, "ended by SIGSEGV")
        expect_in("2 clients stay connected", said_until(serving, "another one is started"))


@check("who has attached to a guest has it still, in the host's place or beside it")
def _():
    guest = 5000103
    with server("--multiprocess") as serving, Client(serving.address) as old, Client(serving.address) as new:
        old.ask("qSupported:swbreak+")
        old.ask(f"vAttach;{guest:x}")
        new.ask("qSupported:multiprocess+")
        new.ask(f"vAttach;{guest:x}")
        new.ask(f"Hgp{guest - 103:x}.67")
        new.ask(f"Tp{guest:x}.1")
        questions = [(old, "p10"), (old, "qC"), (old, "qXfer:exec-file:read::0,100"), (new, "p10"), (new, "qC"),
                     (new, "qfThreadInfo"), (new, "qsThreadInfo"), (new, f"Hgp{guest:x}.1"), (new, "p10"),
                     (new, f"Hgp{guest - 103:x}.67")]
        before = [client.ask(text) for client, text in questions]
        expect(len(set(before)) > 7, f"answers are the same: {before}")
        die(serving)
        expect_equal([client.ask(text) for client, text in questions], before, "the answers")
        new.ask(f"Tp{guest:x}.1")
        die(serving)
        printed, reply = new.monitor("info")
        expect_equal((printed.splitlines()[1], reply), ("[vm-103]", "OK"), "the command's machine")
        expect_equal(new.ask(f"D;{guest:x}"), "OK", "detached")
        die(serving)
        expect_equal(new.ask("qfThreadInfo"), before[5], "the host's threads")
        expect_equal(new.ask("qsThreadInfo"), "l", "and no others")


@check("a death while an answer is made: an error in its place, in the client's own form")
def _():
    with server(dump=ENDLESS) as serving:
        clients = [Client(serving.address) for _ in range(4)]
        plain, new, lldb, idle = clients
        new.ask("qSupported:multiprocess+;error-message+")
        new.no_acks()
        lldb.ask("qSupported:xmlRegisters=i386")
        expect_equal(lldb.ask("QEnableErrorStrings"), "OK", "lldb's strings")
        idle.ask("qSupported")
        # What has been sent behind it is answered; part of a packet is one when the rest comes.
        plain.send(SEARCH)
        new.send(SEARCH)
        lldb.send(SEARCH)
        idle.send(frame("qAttached")[:5])
        time.sleep(0.3)
        die(serving)
        expect_equal(plain.reply(), b"E05", "the plain error")
        expect_in(f"E.{LOST}", new.reply().decode())
        expect_in("E05;" + LOST.encode().hex(), lldb.reply().decode())
        idle.send(frame("qAttached")[5:])
        expect_equal(idle.reply(), b"1", "the packet in two parts")
        for client in clients:
            expect_equal(client.ask("qAttached"), "1", "afterwards")
            client.close()
        expect_in("qSearch:memory", said_until(serving, "ended by SIGSEGV"))


@check("a command that waits while it dies is carried out by the next one, which says so first")
def _():
    with server() as serving, Client(serving.address) as client:
        client.ask("qAttached")
        reader = await_reader(serving.process.pid)
        os.kill(reader, signal.SIGSTOP)
        client.send(frame("qRcmd," + b"info".hex()))
        os.kill(reader, signal.SIGKILL)
        printed, reply = b"", client.reply().decode()
        while re.fullmatch("O([0-9a-f]{2})+", reply):
            printed += bytes.fromhex(reply[1:])
            reply = client.reply().decode()
        expect_equal(reply, "OK", "the reply")
        expect_in("started again", printed.decode())


@check("an answer that had gone out in part goes out to its end, once")
def _():
    path = f"{folder.name}/partly"
    with server(listen=(f"unix:{path}",)) as serving, Client(f"unix:{path}") as client:
        client.no_acks()
        whole = client.ask(f"m{STACK:x},4000")
        for _ in range(20):
            client.send(frame(f"m{STACK:x},4000"))
        time.sleep(0.3)
        die(serving)
        for _ in range(20):
            expect(client.reply().decode() == whole, "one of many answers is another")
        expect_equal(client.ask("qAttached"), "1", "the next answer")


@check("stock gdb goes on where it was, ten times")
def _():
    need_tool("gdb")
    with server() as serving:
        pid = serving.process.pid
        kill = (f"shell kill -SEGV $(cat /proc/{pid}/task/{pid}/children); sleep 0.4")
        commands = ["thread find vCPU", "thread 3", "frame 1", "info registers rip rsp", "x/2gx $sp"]
        once = ["info registers rip rsp", "x/2gx $sp", "output/x *(long *) 0xffff88043ea73280", "echo \\n"]
        text = gdb(*commands, *once, *([kill] + once) * 10, "thread", "frame", "monitor info",
                   attach=serving.address)
    rows = re.findall(r"^rip .*|^rsp .*|^0x[0-9a-f]+.*", text, re.MULTILINE)
    values = rows[-4 * 11:]
    expect_equal(len(values), 44, f"values in {text}")
    for i in range(0, 44, 4):
        expect_equal(values[i:i + 4], values[:4], "the same values")
    expect_in("started again", text)
    expect_in("[Current thread is 3", text)
    expect("Remote connection closed" not in text, text)


@check("stock lldb goes on where it was")
def _():
    need_tool("lldb")
    with server() as serving:
        pid = serving.process.pid
        kill = f"platform shell kill -SEGV $(cat /proc/{pid}/task/{pid}/children); sleep 0.5"
        once = ["register read rip rsp", "memory read -s8 -fx -c2 0xffff88043ea73280"]
        line = [need_tool("lldb"), "--no-lldbinit", "--no-use-colors"]
        for command in [f"gdb-remote {serving.address}", "thread select 3", *once, *([kill] + once) * 3]:
            line += ["-o", command]
        done = subprocess.run([*line, VMLINUX], input="quit\n", text=True, check=False, timeout=90,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rows = re.findall(r"^ +rip = .*|^ +rsp = .*|^0xffff88043ea73280: .*", done.stdout, re.MULTILINE)
    expect_equal(len(rows), 12, f"values in {done.stdout}")
    for i in range(0, 12, 3):
        expect_equal(rows[i:i + 3], rows[:3], "the same values")


@check("crash's client goes on, too")
def _():
    with server() as serving:
        client = connect(serving.address)
        client.sendall(b"NIL\0")
        first = client.recv(1 << 16)
        die(serving)
        client.sendall(b"NIL\0")
        expect_equal(client.recv(1 << 16), first, "the reply")
        client.close()


@check("the client at stdio, the command of --run, and the end of all of it")
def _():
    process = subprocess.Popen([PROGRAM, "-q", "-s", VMLINUX, "-l", "stdio", DUMP],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env={**os.environ, **DEADLY})
    with process:
        process.stdin.write(frame("qAttached"))
        process.stdin.flush()
        expect_equal(process.stdout.read(6), b"+$1#31", "the reply")
        reader = await_reader(process.pid)
        os.kill(reader, signal.SIGSEGV)
        await_reader(process.pid, reader)
        process.stdin.write(b"+" + frame("qAttached"))
        process.stdin.flush()
        expect_equal(process.stdout.read(6), b"+$1#31", "the reply afterwards")
        process.stdin.close()
        expect_equal(process.wait(RUN_S), 0, "the status")
    command = "kill -SEGV $(pgrep -P $PPID -x vmcore-reader); sleep 1; exit 7"
    done = subprocess.run([PROGRAM, "-q", "-s", VMLINUX, "-r", command, DUMP], check=False,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=RUN_S,
                          env={**os.environ, **DEADLY})
    expect_equal(done.returncode, 7, f"the command's status; it said {done.stderr}")
    path = f"{folder.name}/ends"
    with server(listen=(f"unix:{path}",)) as serving:
        # It has said where it listens before it serves.
        with Client(f"unix:{path}") as client:
            expect_equal(client.ask("qAttached"), "1", "a client")
        die(serving)
        with Client(f"unix:{path}") as client:
            expect_equal(client.ask("qAttached"), "1", "a new client")
        reader = await_reader(serving.process.pid)
        expect_equal(serving.stop(), 0, "the status")
        expect(not os.path.exists(path), "the socket is left")
        expect(not os.path.exists(f"/proc/{reader}"), "the process is left")
    with server() as serving:
        reader = await_reader(serving.process.pid)
        serving.stop(signal.SIGKILL)
        end = time.monotonic() + RUN_S
        while os.path.exists(f"/proc/{reader}") and time.monotonic() < end:
            time.sleep(0.01)
        expect(not os.path.exists(f"/proc/{reader}"), "it goes on without the other one")


@check("the dump is the one that was opened, whatever has its name by now")
def _():
    dump = f"{folder.name}/dump"
    shutil.copy(DUMP, dump)
    with server(dump=dump) as serving, Client(serving.address) as client:
        word = client.ask(f"m{PLACE:x},8")
        os.rename(dump, f"{dump}.old")
        shutil.copy(ENDLESS, dump)
        die(serving)
        expect_equal(client.ask(f"m{PLACE:x},8"), word, "the word")


@check("a client whose packets end it again and again is turned away; the others stay")
def _():
    with server(dump=ENDLESS) as serving, Client(serving.address) as good:
        good.ask("qAttached")
        with Client(serving.address) as bad:
            for _ in range(5):
                search_begun(bad)
                die(serving)
                expect_equal(bad.reply(), b"E05", "its answer")
            search_begun(bad)
            die(serving)
            expect(bad.closed_by_server(), "it stays")
        expect_equal(good.ask("qAttached"), "1", "the other's answer")
        said_until(serving, "a client is turned away")


def slow_environment(name):
    """(the environment in which reads are slow, the file to say so in)"""
    library, order = f"{folder.name}/failing_reads.so", f"{folder.name}/{name}"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library,
                    f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=30)
    return {**os.environ, **DEADLY, "LD_PRELOAD": library, "FAILING_READS": order,
            "ASAN_OPTIONS": DEADLY["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}, order


@check("a dump that ends it while it is opened is the end, with a sentence")
def _():
    environment, order = slow_environment("order")
    with open(order, "w", encoding="ascii") as out:
        out.write("-300")
    process = subprocess.Popen([PROGRAM, "-q", DUMP],
                               stderr=subprocess.PIPE, text=True, env=environment)
    with process:
        os.kill(await_reader(process.pid), signal.SIGSEGV)
        said = process.stderr.read()
        expect_equal(process.wait(RUN_S), 1, "the status")
    expect_in("ended by SIGSEGV while it opened it", said)
    expect_in("the dump cannot be opened: that is a fault of this program", said)


run_checks()
