#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--live, on the demo dump in the place of /proc/kcore: what is different on a machine that runs."""

import errno
import json
import os
import signal
import subprocess
import tempfile
import time

from program import DUMP, SOURCE, VMLINUX, Server, run_program
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks


def live(*arguments, source=DUMP):
    return run_program("--symbols", VMLINUX, f"--live={source}", *arguments)


def answer(line):
    done = live("--exec", line)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


@check("it says that the memory is live, and where it is from")
def _():
    expect_equal(json.loads(answer("info --json"))["format"], f"live memory, {DUMP}", "format")


@check("the registers of a task that runs are unknown, those of others are not")
def _():
    for line in answer("threads --json").splitlines():
        thread = json.loads(line)
        if thread["on_cpu"]:
            expect_equal((thread["regs_from"], thread["regs"]), ("unknown", {}), "registers")
            expect_in(f"is running on CPU {thread['cpu']}", thread["why"])
        else:
            expect_equal(thread["regs_from"], "switch", f"thread {thread['tid']}")
    [thread] = [json.loads(line) for line in answer("bt 103 --json").splitlines()]
    expect(len(thread["frames"]) > 2, f"frames: {thread}")
    [thread] = [json.loads(line) for line in answer("bt 110 --json").splitlines()]
    expect_equal((thread["frames"], thread["end"]), ([], "lost"), "frames of a task that runs")


@check("the list of threads is taken anew when asked for; a dump's never")
def _():
    expect_equal(answer("refresh"), "6 tasks\n", "refresh")
    done = run_program("--symbols", VMLINUX, "--exec", "refresh", DUMP)
    expect_equal((done.returncode, done.stdout), (1, ""), "refresh of a dump")
    expect_in("a dump never changes", done.stderr)


@check("reads that fail in the middle are said, and what is read again is right again", seconds=120)
def _():
    """An I/O error, a lockdown that comes later, a source or memory that is no longer there."""
    compiler = need_tool(os.environ.get("CC", "gcc").split()[0])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the server is nobody then
        library, order = f"{folder}/failing_reads.so", f"{folder}/order"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library,
                        f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=30)
        env = dict(os.environ, LD_PRELOAD=library, FAILING_READS=order,
                   ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        with Server(dump=f"--live={DUMP}", env=env) as server, \
                Client(server.address) as client, Client(server.address) as other:
            good, frames = client.ask("mffff88043ea73280,40"), client.monitor("bt 103")
            expect(len(good) == 128, f"memory: {good}")
            for error, word in ((errno.EIO, os.strerror(errno.EIO)), (0, "missing"),
                                (errno.EPERM, os.strerror(errno.EPERM))):
                with open(order, "w", encoding="ascii") as out:
                    out.write(str(error))
                expect_in("E", client.ask("mffff88043ea73280,40")[:1])
                printed, _last = client.monitor("read ffff88043ea73280 40")
                expect_in(word, printed)
                printed, _last = client.monitor("bt 103")
                expect(len(printed) < 400, f"a storm of errors: {printed}")
                # What can be asked for without memory has an answer; the old list has to do.
                expect_in("67,", client.ask("qfThreadInfo"))
                expect_equal(other.ask("qAttached"), "1", "the other client's answer")
                os.remove(order)
                expect_equal(client.ask("mffff88043ea73280,40"), good, "memory")
                expect_equal(client.monitor("bt 103"), frames, "frames")


def await_gone(path):
    deadline = time.monotonic() + 10
    while os.path.lexists(path):
        expect(time.monotonic() < deadline, f"{path} is still there")
        time.sleep(0.02)


@check("the sockets of a server that is nobody go when it ends, however it ends", seconds=120)
def _():
    if os.geteuid():
        raise Skip("this takes root")
    with tempfile.TemporaryDirectory() as folder:
        path, guests = f"{folder}/socket", f"{folder}/guests"
        for number in (signal.SIGTERM, signal.SIGKILL):
            with Server(dump=f"--live={DUMP}", listen=(f"unix:{path}",)) as server:
                with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
                    expect("Uid:\t0" not in status.read(), "the server is still root")
                expect(os.path.exists(path), "there is no socket")
                server.stop(number)
            await_gone(path)
        with Server("--guests", dump=f"--live={DUMP}", listen=(f"unixdir:{guests}",)) as server:
            expect_in("vm-103", " ".join(os.listdir(guests)))
        await_gone(guests)
        # What has taken its place stays.
        with Server(dump=f"--live={DUMP}", listen=(f"unix:{path}",)) as server:
            os.unlink(path)
            with open(path, "w", encoding="ascii"):
                pass
        time.sleep(0.5)
        expect(os.path.isfile(path), "another's file is gone")


@check("guests are targets, too")
def _():
    done = live("--guests", "--exec", "targets --json")
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    expect_equal([json.loads(line)["target"] for line in done.stdout.splitlines()],
                 ["host", "vm-103"], "targets")


@check("what cannot be had is one sentence that says why")
def _():
    cases = [(live("--exec", "info", source="/nonexistent"), "/nonexistent does not exist"),
             (live("--exec", "info", source="/dev/null"), ""),
             (live("--exec", "info", source=""), "give a source"),
             (live("--exec", "info", DUMP), f"--live={DUMP}")]
    if os.geteuid() == 0:
        cases.append((live("--user", "no such user", "--exec", "info"), "no user 'no such user'"))
    for done, part in cases:
        expect_equal((done.returncode, done.stdout), (1, ""), f"{part}: status and output")
        expect_equal(len(done.stderr.splitlines()), 1, f"one sentence: {done.stderr!r}")
        expect_in(part, done.stderr)


run_checks()
