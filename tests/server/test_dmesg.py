# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor dmesg on the demo's old log buffer, and on damaged ones."""

import json
import tempfile

from program import Server, monitor
from recipes import make_dump
from rsp import Client
from tap import check, expect, expect_equal, expect_in, run_checks

folder = tempfile.TemporaryDirectory()
LOCKUP = "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0"
PANIC = "Kernel panic - not syncing: Hard LOCKUP"


def with_first_text(text, size):
    """A dump whose first record has another text, given as the recipe's words."""
    return make_dump(folder.name, f"log-{size}",
                     f"put log at __log_buf + 0: text_len = {size}\nvirt __log_buf+16: {text}\n")


@check("the records with their times, as dmesg prints them")
def _():
    expect_equal(monitor("dmesg"), f"[  280.912345] {LOCKUP}\n[  280.912399] {PANIC}\n", "text")


@check("--json: one object a record, with time, level, facility and text")
def _():
    records = [json.loads(line) for line in monitor("dmesg --json").splitlines()]
    expect_equal(records, [
        {"time": "280.912345", "ns": 280912345678, "level": 0, "level_name": "emerg",
         "facility": 0, "text": LOCKUP},
        {"time": "280.912399", "ns": 280912399999, "level": 0, "level_name": "emerg",
         "facility": 0, "text": PANIC}], "records")


@check("the further lines of a record are indented; controls cannot paint the terminal")
def _():
    dump = with_first_text('"a" u8 10 "b" u8 9 "c" u8 27 "[2J" u8 0 "d" u8 10', 12)
    expect_equal(monitor("dmesg", dump=dump).split("\n")[:2],
                 ["[  280.912345] a", " " * 15 + "b\tc\\x1b[2J\\x00d"], "lines")
    text = json.loads(monitor("dmesg --json", dump=dump).splitlines()[0])["text"]
    expect_equal(text, "a\nb\tc\x1b[2J\ufffdd\n", "text in JSON")


@check("a log that is not there is one sentence; what can be read comes before it")
def _():
    dump = make_dump(folder.name, "nowhere", "virt log_buf: 0xffffdead00000000\n")
    with Server(dump=dump) as server, Client(server.address) as client:
        client.no_acks()
        printed, reply = client.monitor("dmesg")
        expect_in("read the log: ", printed)
        expect_equal(reply, "E01", "the reply")
        printed, reply = client.monitor("threads")
        expect_equal(reply, "OK", "what is asked next")


@check("it comes in a client, too")
def _():
    with Server() as server, Client(server.address) as client:
        client.no_acks()
        printed, reply = client.monitor("dmesg")
    expect(printed.endswith(PANIC + "\n") and reply == "OK", printed + reply)


run_checks()
