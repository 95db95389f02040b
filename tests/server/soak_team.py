# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that come, go, write notes, point, follow, lie and flood, for SOAK_SECONDS (an hour), while
reads of the dump fail now and then, and the process that reads it is killed at random.

    make check-team SOAK_SECONDS=300

No note that was acknowledged may be lost, nobody's session may end but those of who lies, and memory
must stay flat. Phases of half a minute: one of failing reads, which needs --no-confinement, one of
kills.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from program import DUMP, SOURCE, VMLINUX, Server, run_program
from rsp import Client, connect, frame
from tap import expect, fail

SECONDS = int(os.environ.get("SOAK_SECONDS", "3600"))
PHASE_S = 30
SEED = os.environ.get("SOAK_SEED", str(int(time.time())))
TIDS = [1, 2, 103, 110, 10000000, 10000001]
GDB_SAYS = ("qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;vContSupported+;QThreadEvents+;"
            "no-resumed+;xmlRegisters=i386")
# What the reader may grow by over a phase, beside what it has a minute after its start.
GROWTH = 64 << 20


class Soak:
    """What all clients of a phase share."""

    def __init__(self, address, count):
        self.address = address
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.notes = []
        self.counts = {}
        self.findings = []
        self.threads = [threading.Thread(target=self.run, args=(role, n), daemon=True)
                        for n in range(count) for role in ROLES]

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def run(self, role, number):
        own = random.Random(f"{SEED}-{role.__name__}-{number}-{time.time()}")
        while not self.over.is_set():
            try:
                role(self, own)
            except (OSError, EOFError, AssertionError) as error:
                # A liar is turned away; of others it is a finding.
                if role in HONEST and not self.over.is_set():
                    with self.lock:
                        self.findings.append(f"{role.__name__}: {error!r}")
                    return

    def client(self):
        client = Client(self.address)
        client.socket.settimeout(60)
        client.ask(GDB_SAYS)
        client.no_acks()
        return client


def writer(soak, own):
    """Writes notes, and remembers those that were acknowledged."""
    with soak.client() as client:
        client.monitor(f"iam writer{own.randrange(5)}")
        for _ in range(own.randrange(1, 20)):
            text = f"{own.randrange(1 << 60):x}"
            about = own.choice(["", "110 ", "110#2 ", "&init_task ", "vm-103 "])
            _, reply = client.monitor(f"note {about}{text}")
            if reply == "OK":
                with soak.lock:
                    soak.notes.append(text)
                soak.count("notes")
            if soak.over.is_set():
                return
            time.sleep(own.random() / 5)


def pointer(soak, own):
    with soak.client() as client:
        for _ in range(own.randrange(1, 30)):
            client.monitor(f"point {own.choice(TIDS)} look at {own.random()}")
            client.monitor("clients")
            soak.count("points")
            time.sleep(own.random() / 3)
            if soak.over.is_set():
                return


def follower(soak, own):
    """Waits, is shown something or interrupts; each continue has one stop."""
    with soak.client() as client:
        client.ask("?")
        client.monitor("follow")
        for _ in range(own.randrange(1, 20)):
            client.send(frame("c"))
            if own.random() < 0.4:
                time.sleep(own.random() / 5)
                client.send(b"\x03")
            while (reply := client.reply()).startswith(b"O"):
                pass
            expect(reply[:1] in (b"T", b"E"), f"no stop: {reply!r}")
            soak.count("stops")
            if soak.over.is_set():
                return


def visitor(soak, own):
    with soak.client() as client:
        for _ in range(own.randrange(1, 10)):
            client.ask(f"Hg{own.choice(TIDS):x}")
            client.ask("g")
            client.ask("mffffffff81800000,40")
            client.monitor(own.choice(["bt", "threads", "notes", "what init_task", "bt --all"]))
            soak.count("looks")


def liar(soak, own):
    """Bytes that are no packets, packets that end in the middle, names that are none."""
    socket = connect(soak.address)
    with socket:
        kind = own.randrange(4)
        if kind == 0:
            socket.sendall(own.randbytes(own.randrange(1, 3000)))
        elif kind == 1:
            socket.sendall(b"$qSupported:" + own.randbytes(200).replace(b"#", b"_"))
        elif kind == 2:
            for line in ("iam \x1b[2J", "note " + "x" * 9000, "point --to", "note 99#99999999999 x"):
                socket.sendall(frame("qRcmd," + line.encode().hex()))
        else:
            socket.sendall(b"+$c#00$c#63\x03\x03" * 50)
        socket.settimeout(0.5)
        try:
            socket.recv(1 << 16)
        except OSError:
            pass
    soak.count("lies")
    time.sleep(own.random() / 2)


def flooder(soak, own):
    """Asks for much, and reads nothing."""
    socket = connect(soak.address)
    with socket:
        socket.settimeout(1)
        try:
            for _ in range(own.randrange(2000)):
                socket.sendall(frame("qRcmd," + b"threads --json".hex()))
        except OSError:
            pass
        time.sleep(own.random())
    soak.count("floods")


HONEST = (writer, pointer, follower, visitor)
ROLES = (*HONEST, liar, flooder)


def reader_of(server):
    """The process that reads the dump."""
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as file:
        pids = [int(pid) for pid in file.read().split()]
    for pid in pids:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read().strip() == "vmcore-reader":
                return pid
    return server.process.pid


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def phase(folder, kills, seconds, notes, totals):
    order = f"{folder}/order"
    env = dict(os.environ, LD_PRELOAD=f"{folder}/failing_reads.so", FAILING_READS=order)
    options = ["--notes", f"{folder}/notes", "--cache-size", "1M"]
    with Server(*options, *([] if kills else ["--no-confinement"]), env=None if kills else env) as server:
        soak = Soak(server.address, 3)
        for thread in soak.threads:
            thread.start()
        end = time.monotonic() + seconds
        first = None
        own = random.Random(SEED + str(end))
        while time.monotonic() < end and not soak.findings:
            time.sleep(own.uniform(1, 6))
            if kills:
                os.kill(reader_of(server), own.choice([signal.SIGSEGV, signal.SIGKILL, signal.SIGBUS]))
                totals["kills"] = totals.get("kills", 0) + 1
                time.sleep(2)
            else:
                with open(order, "w", encoding="ascii") as file:
                    file.write("5")
                time.sleep(own.random())
                os.remove(order)
                totals["failures"] = totals.get("failures", 0) + 1
            if first is None:
                first = resident(reader_of(server))
        last = resident(reader_of(server))
        soak.over.set()
        for thread in soak.threads:
            thread.join(20)
        if soak.findings:
            fail("\n".join(soak.findings[:10]))
        expect(last < first + GROWTH, f"memory grows: {first >> 20} MiB, then {last >> 20} MiB")
        if kills:
            server.stop()
            server.rest()
    notes += soak.notes
    for what, number in soak.counts.items():
        totals[what] = totals.get(what, 0) + number


def main():
    notes, totals = [], {}
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/notes")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", f"{folder}/failing_reads.so",
                        f"{SOURCE}/tests/server/failing_reads.c"], check=True, timeout=60)
        end = time.monotonic() + SECONDS
        kills = False
        while time.monotonic() < end:
            phase(folder, kills, min(PHASE_S, max(5, end - time.monotonic())), notes, totals)
            kills = not kills
            # 10,000 notes are shown: a new file for each so many.
            done = run_program("--symbols", VMLINUX, "--notes", f"{folder}/notes", "-x", "notes --json", DUMP)
            kept = {json.loads(line)["text"] for line in done.stdout.splitlines()}
            lost = [text for text in notes if text not in kept]
            expect(not lost, f"{len(lost)} notes are lost of {len(notes)}: {lost[:3]}")
            print(f"# {int(end - time.monotonic())} s left: {totals}, {len(kept)} notes", flush=True)
            if len(kept) > 5000:
                for name in os.listdir(f"{folder}/notes"):
                    os.remove(f"{folder}/notes/{name}")
                notes.clear()
    print(f"no finding; seed {SEED}")


if __name__ == "__main__":
    sys.exit(main())
