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

from program import DUMP, SOURCE, Server
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
        with Server(env=env) as server, Client(server.address) as client:
            good = all_answers(client)
        for number in MOMENTARY:
            with Server(env=env) as server, Client(server.address) as client:
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


run_checks()
