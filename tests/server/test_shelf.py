# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of dumps: what is found in it, the index, and attaching."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from program import DUMP, PROGRAM, VMLINUX, Server, run_program
from rsp import Client
from tap import check, expect, expect_equal, expect_in, expect_not_in, fail, need_tool, run_checks

GDB_SAYS = ("multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exec-events+;"
            "vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386")

folder = tempfile.TemporaryDirectory()


def age(path, seconds=3600):
    then = time.time() - seconds
    os.utime(path, (then, then))


def put(shelf, name, content=None, seconds=3600):
    path = os.path.join(shelf, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if content is None:
        shutil.copy(DUMP, path)
    else:
        with open(path, "wb") as file:
            file.write(content)
    age(path, seconds)
    return path


def make_shelf():
    """The layouts of kdump, Debian's kdump-tools, libvirt and ABRT; and what is no dump."""
    shelf = tempfile.mkdtemp(dir=folder.name)
    put(shelf, "127.0.0.1-2026-12-01-10:00:00/vmcore")
    put(shelf, "202612011102/dump.202612011102")
    put(shelf, "libvirt/qemu/dump/3-web-2026-12-01-10:00:00")
    put(shelf, "abrt/vmcore-127.0.0.1-2026-12-01-10:00:00/vmcore")
    put(shelf, "202612011102/dmesg.202612011102", b"[    0.000000] Linux\n" * 1000)
    put(shelf, "broken/vmcore", b"KDUMP   " + b"x" * 8192)
    put(shelf, "a/b/c/d/e/vmcore")
    os.symlink(DUMP, os.path.join(shelf, "link"))
    os.mkfifo(os.path.join(shelf, "pipe"))
    return shelf, tempfile.mkdtemp(dir=folder.name)


def dumps(shelf, cache, *options):
    done = run_program("--symbols", VMLINUX, "--symbol-cache", cache, *options, "-x", "dumps --json", shelf)
    expect_equal(done.returncode, 0, f"status ({done.stderr})")
    return {os.path.relpath(row["path"], shelf): row
            for row in map(json.loads, done.stdout.splitlines())}, done.stderr


def index_of(cache):
    names = [name for name in os.listdir(cache) if name.endswith(".index")]
    expect_equal(len(names), 1, f"indexes: {os.listdir(cache)}")
    return os.path.join(cache, names[0])


@check("dumps are found in all layouts, with their facts; what is none is not, or says why")
def _():
    shelf, cache = make_shelf()
    found, said = dumps(shelf, cache)
    good = {"127.0.0.1-2026-12-01-10:00:00/vmcore", "202612011102/dump.202612011102",
            "libvirt/qemu/dump/3-web-2026-12-01-10:00:00",
            "abrt/vmcore-127.0.0.1-2026-12-01-10:00:00/vmcore"}
    expect_equal({name for name, row in found.items() if row["state"] == "good"}, good, "dumps")
    expect_equal({name for name, row in found.items() if row["state"] != "good"}, {"broken/vmcore"},
                 "others")
    expect_equal({found[name]["release"] for name in good}, {"3.10.0-693.el7.x86_64"}, "release")
    expect_in("broken/vmcore", found["broken/vmcore"]["why"])
    expect_equal(said.count("looks at"), 5, "looks")
    # All is known now.
    again, said = dumps(shelf, cache)
    expect_equal((again, said), (found, ""), "the same from the index")


@check("the index is checked: what is not whole, and what has changed, is looked at again")
def _():
    shelf, cache = make_shelf()
    found, _ = dumps(shelf, cache)
    index = index_of(cache)
    with open(index, "rb") as file:
        whole = file.read()
    expect_equal(os.stat(index).st_mode & 0o777, 0o600, "rights")
    lines = whole.splitlines(keepends=True)
    for damaged in (b"", b"\0" * 100, b"something else\n" + whole, whole[:-20], whole.replace(b"3.10.0", b"9.99.9"),
                    lines[0] + b"".join(reversed(lines[1:])), lines[0] + b"\n" * 1000, lines[0] + lines[1] * 2,
                    whole.replace(b"\t1\t", b"\t7\t")):
        with open(index, "wb") as file:
            file.write(damaged)
        again, said = dumps(shelf, cache)
        expect_equal({(name, row["state"], row.get("release")) for name, row in again.items()},
                     {(name, row["state"], row.get("release")) for name, row in found.items()}, "dumps")
        expect_not_in("9.99.9", str(again))
    ids = {name: row["id"] for name, row in again.items()}
    put(shelf, "broken/vmcore", None, 60)
    put(shelf, "202612011103/vmcore")
    shutil.rmtree(os.path.join(shelf, "abrt"))
    now, said = dumps(shelf, cache)
    expect_equal(said.count("looks at"), 2, f"looks: {said}")
    expect_equal(now["broken/vmcore"]["state"], "good", "the one that has changed")
    expect("abrt/vmcore-127.0.0.1-2026-12-01-10:00:00/vmcore" not in now, "one that has gone")
    for name, row in now.items():
        if name in ids:
            expect_equal(row["id"], ids[name], "an id stays")
        else:
            expect(row["id"] not in ids.values(), "an id is nobody else's")
    if os.getuid() == 0:
        os.chown(index, 65534, 65534)
        _, said = dumps(shelf, cache)
        expect_in("is not read", said)
    os.unlink(index)
    os.symlink("/etc/passwd", index)
    dumps(shelf, cache)
    expect(not os.path.islink(index), "the index is a file of its own")


def children(server):
    done = subprocess.run(["pgrep", "-f", "from-shelf"], stdout=subprocess.PIPE, text=True, check=False)
    return len(done.stdout.split())


@check("info os dumps, attach ID: the client is handed over, several to one server, which ends when idle")
def _():
    shelf, cache = make_shelf()
    before = children(None)
    with Server("--symbol-cache", cache, "--idle", "2", dump=shelf) as server, \
            Client(server.address) as a, Client(server.address) as b:
        for client in (a, b):
            client.ask("qSupported:" + GDB_SAYS)
            client.no_acks()
            expect_equal((client.ask("!"), client.ask("?")), ("OK", "W00"), "no process")
        printed, reply = a.monitor("bt")
        expect_in("no dump is open", printed + reply)
        for _ in range(100):
            table = ElementTree.fromstring(a.document("osdata", "dumps"))
            items = [{c.get("name"): c.text for c in item} for item in table]
            if sum(1 for item in items if item["release"]) == 4:
                break
            time.sleep(0.3)
        else:
            fail(f"they are never looked at: {items}")
        wanted = [item for item in items if item["release"]][0]
        bad = [item for item in items if "broken" in item["path"]][0]
        expect_in("broken/vmcore", a.ask(f"vAttach;{int(bad['id']):x}"))
        expect_in("there is no such dump", a.ask("vAttach;7fff"))
        for packet in ("vAttach;", "vAttach;x", "vAttach;0", "vAttach;fffffffffffffffff"):
            expect(a.ask(packet).startswith("E"), packet)
        stop = a.ask(f"vAttach;{int(wanted['id']):x}")
        expect(stop.startswith("T05thread:6e;"), stop)
        expect_in("vmx_set_cr3", a.monitor("bt")[0])
        expect(b.ask(f"vAttach;{int(wanted['id']):x}").startswith("T05thread:6e;"), "the other")
        rows = [json.loads(line) for line in a.monitor("clients --json")[0].splitlines()]
        expect_equal([row["program"] for row in rows], ["gdb", "gdb"], "clients of one server")
        expect_equal(a.ask("vFile:setfs:" + format(int(wanted["id"]), "x")), "F0", "files")
        # A new dump appears.
        with Client(server.address) as c:
            c.ask("qSupported:" + GDB_SAYS)
            put(shelf, "new/vmcore")
            time.sleep(1.2)
            text = c.document("osdata", "dumps").decode()
            expect_in("new/vmcore", text)
        expect(children(server) > before, "a process of its own")
        a.close()
        b.close()
        for _ in range(60):
            if children(server) == before:
                break
            time.sleep(0.2)
        else:
            fail("the server of a dump stays open")


@check("stock gdb: list, attach, backtrace with the files of one store for all")
def _():
    shelf, cache = make_shelf()
    known, _ = dumps(shelf, cache)
    good = [row["id"] for row in known.values() if row["state"] == "good"][0]
    with Server("--symbol-cache", cache, dump=shelf) as server:
        done = subprocess.run(
            [need_tool("gdb"), "-nx", "-q", "-batch", "-ex", "set remotetimeout 60", "-ex",
             "set pagination off", "-ex", f"target extended-remote {server.address}", "-ex", "info os dumps",
             "-ex", "attach 99", "-ex", f"attach {good}", "-ex", "bt", "-ex", "monitor clients", "-ex", "detach"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=90)
        expect_in("3.10.0-693.el7.x86_64", done.stdout)
        expect(re.search(r"#0 .*vmx_set_cr3", done.stdout), done.stdout)
        expect(re.search(r"#6 .*SyS_ioctl", done.stdout), done.stdout)
        plain = subprocess.run([need_tool("gdb"), "-nx", "-q", "-batch", "-ex", f"target remote {server.address}"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, check=False, timeout=90)
        expect_in("extended-remote", plain.stdout)


@check("who keeps the dumps, or serves one, may die: others go on, or are told")
def _():
    shelf, cache = make_shelf()
    known, _ = dumps(shelf, cache)
    good = [row["id"] for row in known.values() if row["state"] == "good"][0]
    with Server("--symbol-cache", cache, dump=shelf) as server, Client(server.address) as a:
        a.ask("qSupported:" + GDB_SAYS)
        expect(a.ask(f"vAttach;{good:x}").startswith("T05"), "attached")
        with Client(server.address) as b:
            b.ask("qSupported:" + GDB_SAYS)
            for pid in subprocess.run(["pgrep", "-x", "vmcore-keeper"], stdout=subprocess.PIPE, text=True,
                                      check=False).stdout.split():
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if shelf.encode() in file.read():
                        os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.3)
            expect_in("has ended", b.ask(f"vAttach;{good:x}"))
        expect_in("vmx_set_cr3", a.monitor("bt")[0])


@check("what a folder has not is refused; one that is none of a dump's is empty")
def _():
    empty = tempfile.mkdtemp(dir=folder.name)
    cache = tempfile.mkdtemp(dir=folder.name)
    done = run_program("--symbol-cache", cache, "-x", "dumps", empty)
    expect_equal((done.stdout, done.returncode), ("no dumps\n", 0), "an empty one")
    done = run_program("--symbol-cache", cache, "-x", "bt", empty)
    expect_in("it is a folder of dumps, which has 'dumps'", done.stderr)
    for words in (["--guests"], ["--guest", "1"], ["--run", "true"], [DUMP]):
        done = run_program(*words, empty) if words != [DUMP] else run_program(empty, DUMP)
        expect(done.returncode != 0 and "is a folder" in done.stderr, done.stderr)
    expect(subprocess.run([PROGRAM, "--idle", "0", empty], stderr=subprocess.PIPE, check=False).returncode,
           "--idle 0")


run_checks()
