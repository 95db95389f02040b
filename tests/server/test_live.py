#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--live, on the demo dump in the place of /proc/kcore: what is different on a machine that runs."""

import json
import os

from program import DUMP, VMLINUX, run_program
from tap import check, expect, expect_equal, expect_in, run_checks


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
