#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be read for a moment is no fact of the dump: once the disk is well, every answer is
what it is to a server whose disk was never ill."""

import errno
import os
import shutil
import subprocess
import tempfile
import time

from program import DUMP, SOURCE, VMLINUX, Server
from rsp import Client
from tap import check, expect, expect_equal, expect_not_in, need_tool, run_checks

COMMANDS = ["threads", "bt 103", "bt 110", "bt 1", "modules", "vms", "vcpus", "vcpu 110", "dmesg",
            "symbols", "info"]
THREADS = [1, 2, 103, 110, 10000000]
DOCUMENTS = [("libraries", ""), ("osdata", "processes"), ("osdata", "vms"), ("osdata", "vcpus"),
             ("threads", "")]
MOMENTARY = [errno.EIO, errno.ETIMEDOUT, errno.ESTALE, errno.ENOMEM]


def preloaded(folder):
    """The environment of a server whose reads fail as `order` in the folder says."""
    compiler = need_tool(os.environ.get("CC", "gcc").split()[-1])
    library = f"{folder}/failing_reads.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library,
                    f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=30)
    return dict(os.environ, LD_PRELOAD=library, FAILING_READS=f"{folder}/order",
                ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")


def all_answers(client):
    """Everything that is kept once it was made, by what was asked."""
    answers = {command: client.monitor(command) for command in COMMANDS}
    for tid in THREADS:
        expect_equal(client.ask(f"Hg{tid:x}"), "OK", f"thread {tid}")
        answers[f"registers of {tid}"] = client.ask("g")
    answers["lldb's list"] = client.ask("jThreadsInfo")
    for name, annex in DOCUMENTS:
        answers[f"{name} {annex}"] = client.document(name, annex)
    return answers


@check("after reads that failed, all is as if they had not", seconds=90)
def _():
    with tempfile.TemporaryDirectory() as folder:
        env = preloaded(folder)
        with Server("--no-confinement", env=env) as server, Client(server.address) as client:
            good = all_answers(client)
        for number in MOMENTARY:
            with Server("--no-confinement", env=env) as server, Client(server.address) as client:
                with open(f"{folder}/order", "w", encoding="ascii") as out:
                    out.write(str(number))
                ill = all_answers(client)
                os.remove(f"{folder}/order")
                well = all_answers(client)
            expect(ill != good, f"{os.strerror(number)} was not noticed")
            for question, answer in good.items():
                expect_equal(well[question], answer, f"after {os.strerror(number)}, {question}")


@check("a dump that changes while it is open is said to, once on standard error and by info")
def _():
    with tempfile.TemporaryDirectory() as folder:
        dump = shutil.copy(DUMP, f"{folder}/vmcore")
        with Server(dump=dump) as server, Client(server.address) as client:
            expect_not_in("was written", client.monitor("info")[0])
            for how in ("touched", "shorter"):
                if how == "touched":
                    os.utime(dump)
                else:
                    os.truncate(dump, os.path.getsize(dump) - 1)
                time.sleep(1.1)
                expect_equal(client.ask("qAttached"), "1", "an answer")
                expect_equal(client.monitor("info")[0].count(f"{dump} was written"), 1, how)
            server.stop()
            expect_equal(server.rest().count("was written while it was open"), 1, "on stderr")


def frames_of_all(client):
    return client.monitor("bt --all")[0]


@check("a vmlinux that is cut off or written in place ends nobody's session, and is said to")
def _():
    commands = ["symbols", "threads", "vcpus", "vcpu 110", "modules", "info", "bt --all"]
    for how in ("emptied", "cut off", "overwritten"):
        with tempfile.TemporaryDirectory() as folder:
            vmlinux = shutil.copy(VMLINUX, f"{folder}/vmlinux")
            with Server(symbols=vmlinux) as server, Client(server.address) as client, \
                    Client(server.address) as other:
                # Its tables are mapped, and most of them were not read yet.
                client.monitor("bt 103")
                if how == "emptied":
                    os.truncate(vmlinux, 0)
                elif how == "cut off":
                    os.truncate(vmlinux, 4096)
                else:
                    with open(vmlinux, "r+b") as file:
                        file.write(bytes(os.path.getsize(vmlinux)))
                cut_at_once = frames_of_all(client)
                time.sleep(1.1)
                for command in commands:
                    expect_equal(client.monitor(command)[1] is not None, True, command)
                expect_equal(client.monitor("info")[0].count(f"{vmlinux} was written"), 1, how)
                # What is in doubt is left out: what is still said is what was said before.
                expect_not_in("0x0000000000000000", cut_at_once)
                expect_equal(other.ask("qAttached"), "1", f"{how}: another client's answer")
                server.stop()
                expect_equal(server.rest().count("is not used any more"), 1, "on stderr")


run_checks()
