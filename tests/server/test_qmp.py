#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--live=qmp:SOCKET with peers that are no QEMU, or do not behave: one sentence, soon."""

import json
import os
import socket
import tempfile
import threading

from program import run_program
from tap import check, expect, expect_equal, expect_in, run_checks

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""},
                    "capabilities": []}}
MTREE = ('FlatView #0\r\n AS "memory", root: system\r\n'
         "  0000000000000000-000000000000ffff (prio 0, ram): pc.ram\r\n\r\n")


class Peer:
    """Listens at a socket, and answers commands by what a table says: a value to return, a string
    that begins with "!" for an error, bytes that are sent as they are, or a function."""

    def __init__(self, answers, greeting=GREETING):
        self._folder = tempfile.TemporaryDirectory(prefix="vmcore-test-")
        self.path = os.path.join(self._folder.name, "qmp")
        self._answers = answers
        self._greeting = greeting
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self.asked = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as lines:
                if self._greeting is not None:
                    self._send(connection, self._greeting)
                for line in lines:
                    self._answer(connection, json.loads(line))
        except OSError:
            pass

    @staticmethod
    def _send(connection, what):
        connection.sendall(what if isinstance(what, bytes) else json.dumps(what).encode() + b"\r\n")

    def _answer(self, connection, command):
        name = command["execute"]
        if name == "human-monitor-command":
            name = command["arguments"]["command-line"]
        self.asked.append(name)
        answer = self._answers.get(name, "!not here")
        if callable(answer):
            answer = answer(command)
        if answer is None:
            return
        if isinstance(answer, bytes):
            self._send(connection, answer)
        elif isinstance(answer, str) and answer.startswith("!"):
            self._send(connection, {"error": {"class": "GenericError", "desc": answer[1:]},
                                    "id": command["id"]})
        else:
            self._send(connection, {"return": answer, "id": command["id"]})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self._folder.cleanup()


GOOD = {"qmp_capabilities": {}, "query-target": {"arch": "x86_64"}, "info mtree -f": MTREE,
        "query-status": {"running": False, "status": "paused"}, "query-memdev": [], "qom-list": [],
        "info registers -a": "\r\nCPU#0\r\nEAX=00000000\r\n",
        "xp /8gx 0x0": "0000000000000000:" + " 0x0000000000000000" * 8 + "\r\n"}


def xp(command):
    line = command["arguments"]["command-line"]
    words = int(line.split()[1].strip("/gx"))
    return "0000000000000000:" + " 0x0000000000000000" * words + "\r\n"


def refused(answers, part, greeting=GREETING):
    """The server must say so in one sentence."""
    with Peer(answers, greeting) as peer:
        done = run_program(f"--live=qmp:{peer.path}", "--exec", "info")
    expect_equal((done.returncode, done.stdout), (1, ""), f"{part}: status and output")
    expect_equal(len(done.stderr.splitlines()), 1, f"sentences: {done.stderr!r}")
    expect_in(part, done.stderr)
    return peer


@check("a path where nobody listens, and one that is none")
def _():
    for path, part in (("/nonexistent/qmp", "No such file"), ("/dev/null", "/dev/null"),
                       ("x" * 200, "path of a socket")):
        done = run_program(f"--live=qmp:{path}", "--exec", "info")
        expect_equal((done.returncode, done.stdout), (1, ""), f"{path}: status and output")
        expect_in(part, done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "left")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        expect_in("nobody listens", run_program(f"--live=qmp:{path}", "--exec", "info").stderr)


@check("what greets otherwise, or not at all")
def _():
    refused({}, "does not speak QMP", greeting=b"220 mail.example\r\n")
    refused({}, "does not speak QMP", greeting=b"[1, 2]\r\n")
    refused({}, "does not speak QMP", greeting=b'{"QMP": ' + b"[" * 1000 + b"\r\n")
    refused({}, "does not greet", greeting={"return": {}})
    refused({}, "no greeting within 5 s", greeting=b"")


@check("commands that are refused, answered with something else, or not at all")
def _():
    refused({}, "refuses 'qmp_capabilities': not here")
    refused({"qmp_capabilities": None}, "has not answered 'qmp_capabilities' within 5 s")
    refused({**GOOD, "query-target": {"arch": "aarch64"}}, "the machine is 'aarch64', not x86_64")
    refused({**GOOD, "query-target": [3]}, "of an unknown architecture")
    refused({**GOOD, "info mtree -f": {"text": 1}}, "with no text")
    refused({**GOOD, "info mtree -f": "unknown command\r\n"}, "'info mtree -f'")
    refused({**GOOD, "xp /8gx 0x0": "Cannot access memory\r\n"}, "does not print the memory at 0x0")
    refused({**GOOD, "query-status": {"running": "perhaps"}}, "whether its machine runs")


@check("what never ends: a line, events, answers to nothing")
def _():
    refused({"qmp_capabilities": b"x" * (5 << 20)}, "a line of more than")
    event = json.dumps({"event": "RTC_CHANGE"}).encode() + b"\r\n"
    refused({"qmp_capabilities": event * 20000}, "messages without end")
    refused({"qmp_capabilities": b'{"return": {}, "id": 77}\r\n' * 20000}, "messages without end")


@check("a machine without a kernel: what of it was asked for changes nothing")
def _():
    def answer(command):
        return xp(command)
    answers = dict(GOOD)
    for first in range(0, 0x10000, 0x1000):
        answers[f"xp /512gx 0x{first:x}"] = answer
    peer = refused(answers, "find the kernel")
    allowed = {"qmp_capabilities", "query-target", "query-status", "query-memdev", "qom-list",
               "add-fd", "pmemsave", "info mtree -f", "info registers -a"}
    others = {name for name in peer.asked if name not in allowed and not name.startswith("xp /")}
    expect(not others, f"it was asked for {others}")


run_checks()
