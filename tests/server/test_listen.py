# SPDX-License-Identifier: GPL-2.0-or-later
"""Where it can listen, the command it can start, and how it ends."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time

from program import DUMP, PROGRAM, RUN_S, VMLINUX, Server, run_on_demo
from rsp import Client, frame
from tap import Skip, check, expect, expect_equal, expect_in, expect_not_in, run_checks

folder = tempfile.TemporaryDirectory()


def path_of(name):
    return os.path.join(folder.name, name)


def expect_served(address):
    with Client(address) as client:
        expect_equal(client.ask("qAttached"), "1", f"qAttached at {address}")


def expect_refusal(address, *parts):
    done = run_on_demo("--quiet", "--listen", address)
    expect_equal((done.returncode, done.stdout), (1, ""), "status and standard output")
    for part in parts:
        expect_in(part, done.stderr)


def run_command(command, *options, **how):
    return run_on_demo("--quiet", *options, "--run", command, **how)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def wait_for(path):
    """Until the file is there, and whole: written under another name."""
    end = time.monotonic() + RUN_S
    while not os.path.exists(path):
        expect(time.monotonic() < end, f"{path} does not come")
        time.sleep(0.01)


# ---- TCP ----

def resolves(name):
    try:
        return bool(socket.getaddrinfo(name, 0))
    except socket.gaierror:
        return False


@check("port 0 picks a free port on this machine only, and start-up says where and how to attach")
def _():
    addresses = ["127.0.0.1:0", ":0"]
    # A minimal system may have no /etc/hosts.
    if resolves("localhost"):
        addresses.append("localhost:0")
    for address in addresses:
        with Server(listen=[address]) as server:
            host, port = server.address.rsplit(":", 1)
            expect(host in ("127.0.0.1", "[::1]") and int(port) > 0, server.address)
            expect_served(server.address)
            attach = f":{port}" if host == "127.0.0.1" else server.address
            expect_equal(server.next_line(),
                         f"  gdb -ex 'target remote {attach}' {VMLINUX}", "the line to paste")
            said = "\n".join(server.said)
    for part in ["kernel    Linux 3.10.0-693.el7.x86_64", "dump      ELF", "date      2017-11-23",
                 "panic     Kernel panic - not syncing: Hard LOCKUP", "cpus      2, 2 online",
                 "tasks     6; current: 110 CPU 0/KVM on CPU 0", "symbols   symtab"]:
        expect_in(part, said)


@check("--quiet says where it listens and nothing else")
def _():
    with Server("--quiet") as server:
        expect_equal(server.said, [f"listening on {server.address}"], "what it says")
        expect_served(server.address)


@check("IPv6")
def _():
    if not has_ipv6():
        raise Skip("IPv6 is missing")
    with Server(listen=["[::1]:0"]) as server:
        expect(server.address.startswith("[::1]:"), server.address)
        expect_served(server.address)


@check("a port in use is refused by its number, before the dump is opened")
def _():
    with Server() as server:
        expect_refusal(server.address, server.address, "in use", "--listen :0")
        done = subprocess.run([PROGRAM, "-l", server.address, "/nonexistent/dump"], text=True,
                              capture_output=True, check=False, timeout=RUN_S)
        expect_in("in use", done.stderr)
        expect_served(server.address)


@check("the port can be had again at once after clients were there")
def _():
    with Server() as server, Client(server.address) as client:
        client.ask("?")
        address = server.address
    with Server(listen=[address]) as server:
        expect_served(server.address)


@check("the default address")
def _():
    # Whether somebody has that port, the answer is about that port.
    process = subprocess.Popen([PROGRAM, "-q", "-s", VMLINUX, DUMP], stderr=subprocess.PIPE,
                               text=True, stdin=subprocess.DEVNULL)
    with process:
        line = process.stderr.readline()
        process.terminate()
    expect_in("127.0.0.1:1234", line)


@check("a host that is not ours or that nobody knows")
def _():
    expect_refusal("192.0.2.1:0", "192.0.2.1", "Cannot assign")
    expect_refusal("no.such.host.invalid:0", "no.such.host.invalid")


# ---- Unix sockets ----

@check("a Unix socket is its owner's only and goes at the end")
def _():
    path = path_of("socket")
    with Server(listen=[f"unix:{path}"]) as server:
        expect_equal(server.address, f"unix:{path}", "the address")
        expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "the mode")
        expect_equal(server.next_line(), f"  gdb -ex 'target remote {path}' {VMLINUX}",
                     "the line to paste")
        expect_served(server.address)
        expect_refusal(f"unix:{path}", path, "another server")
        expect_served(server.address)
    expect(not os.path.exists(path), "the socket is left")


@check("a socket that was left is replaced; any other file stays")
def _():
    path = path_of("left")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with Server(listen=[f"unix:{path}"]) as server:
        expect_served(server.address)
    with open(path, "w", encoding="ascii") as file:
        file.write("precious")
    expect_refusal(f"unix:{path}", path, "no socket")
    with open(path, encoding="ascii") as file:
        expect_equal(file.read(), "precious", "the file")
    link = path_of("link")
    os.symlink(path_of("nowhere"), link)
    expect_refusal(f"unix:{link}", link)
    expect(os.path.islink(link), "the link was removed")


@check("a Unix socket that cannot be made")
def _():
    expect_refusal("unix:" + "x" * 108, "107 characters")
    expect_refusal("unix:/nonexistent/folder/socket", "/nonexistent/folder", "No such file")


@check("a server whose queue is full is not taken for one that is gone")
def _():
    path = path_of("busy")
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(path)
            expect_refusal(f"unix:{path}", "another server")


@check("several addresses at once")
def _():
    path = path_of("second")
    with Server(listen=["127.0.0.1:0", f"unix:{path}", "127.0.0.1:0"]) as server:
        expect_equal(len(set(server.addresses)), 3, "addresses")
        for address in server.addresses:
            expect_served(address)


# ---- guests ----

@check("--guests: the demo's VM has an address of its own, and physical addresses by QEMU's packets")
def _():
    with Server("--guests") as server:
        match = re.match(r"listening on (127\.0\.0\.1:\d+) for vm-103$", server.next_line())
        expect(match is not None, f"no guest is served: {server.said}")
        with Client(match.group(1)) as client, Client(server.address) as host:
            expect_equal(client.ask("qqemu.PhyMemMode"), "0", "the mode at first")
            expect(client.ask("Qqemu.PhyMemMode:2").startswith("E"), "a mode that is none")
            expect_equal(client.ask("Qqemu.PhyMemMode:1"), "OK", "physical addresses")
            expect_equal(client.ask("qqemu.PhyMemMode"), "1", "the mode")
            expect_equal(host.ask("qqemu.PhyMemMode"), "0", "the host's own mode")
            expect_equal(host.ask("Qqemu.PhyMemMode:1"), "OK", "the host's physical addresses")
            expect_equal(client.ask("qC"), "QC1", "the first vCPU")


@check("unixdir: a socket for each target, in a folder that goes at the end")
def _():
    path = path_of("folder")
    with Server("--guests", listen=[f"unixdir:{path}"]) as server:
        expect_equal(sorted(os.listdir(path)), ["host", "vm-103"], "the sockets")
        expect_served(f"unix:{path}/vm-103")
        expect_served(server.address)
    expect(not os.path.exists(path), "the folder is left")


@check("--guests: no port above the last, and nothing to follow a Unix socket")
def _():
    for address, part in [("127.0.0.1:65535", "no port 1 above"), (f"unix:{path_of('one')}",
                                                                  "unixdir:PATH")]:
        done = run_on_demo("--quiet", "--guests", "--listen", address)
        expect_equal(done.returncode, 1, "status")
        expect_in(part, done.stderr)


# ---- stdio ----

def start_on_pipes(*options):
    return subprocess.Popen([PROGRAM, "-q", "-s", VMLINUX, "-l", "stdio", *options, DUMP],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@check("stdio: answers on standard output, ends with its client")
def _():
    with start_on_pipes() as process:
        process.stdin.write(frame("qAttached"))
        process.stdin.flush()
        expect_equal(process.stdout.read(6), b"+" + frame("1"), "the reply")
        process.stdin.close()
        expect_equal(process.wait(RUN_S), 0, "the status")
        expect_equal(process.stdout.read() + process.stderr.read(), b"", "what else it said")


@check("stdio: packets from a file, and SIGTERM")
def _():
    with open(path_of("packets"), "w+b") as packets:
        packets.write(frame("qAttached") + b"+" + frame("Hg6e"))
        packets.seek(0)
        done = run_on_demo("-q", "-l", "stdio", stdin=packets)
    expect_equal((done.returncode, done.stdout), (0, "+$1#31+$OK#9a"), "status and replies")
    with start_on_pipes() as process:
        process.stdin.write(frame("?"))
        process.stdin.flush()
        process.stdout.read(1)
        process.terminate()
        expect_equal(process.wait(RUN_S), 0, "the status")


@check("stdio: the pipe's blocking mode is given back")
def _():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen([PROGRAM, "-q", "-s", VMLINUX, "-l", "stdio", DUMP],
                                   stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        with process:
            ours.sendall(frame("qAttached"))
            expect_equal(ours.recv(1), b"+", "the reply begins")
            process.terminate()
        expect(os.get_blocking(theirs.fileno()), "it does not block any more")


@check("stdio beside a port")
def _():
    with Server(listen=["stdio", "127.0.0.1:0"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as server:
        expect_served(server.address)
        server.process.stdin.write(frame("qAttached").decode())
        server.process.stdin.flush()
        expect_equal(server.process.stdout.read(5), "+$1#3", "the reply")


# ---- --run ----

@check("--run: the address is in {} and $VMCORE_GDBSERVER, and the command's status is passed on")
def _():
    done = run_command('echo {}; echo {} $VMCORE_GDBSERVER; exit 3')
    expect_equal(done.returncode, 3, "the status")
    first, second, third = done.stdout.split()
    expect(first == second == third, done.stdout)
    expect_in(f"listening on {first}", done.stderr)
    path = path_of("run")
    done = run_command("echo {}; ls -l {}", "-l", f"unix:{path}")
    expect_equal((done.returncode, done.stdout.splitlines()[0]), (0, path), "status and {}")
    expect(not os.path.exists(path), "the socket is left")


@check("--run: the command can talk to the server")
def _():
    here = os.path.dirname(os.path.abspath(__file__))
    done = run_command(f"PYTHONPATH={here} python3 -B -c \"import os; from rsp import Client; "
                       "print(Client(os.environ['VMCORE_GDBSERVER']).ask('qC'))\"")
    expect_equal((done.returncode, done.stdout), (0, "QC6e\n"), "status and reply")


@check("--run: a command that is killed or does not exist")
def _():
    expect_equal(run_command("kill -KILL $$").returncode, 128 + signal.SIGKILL, "killed")
    expect_equal(run_command("kill -INT $$").returncode, 128 + signal.SIGINT, "interrupted")
    done = run_command("no-such-command-here")
    expect_equal(done.returncode, 127, "no command")
    expect_in("no-such-command-here", done.stderr)


@check("--run: the command inherits the standard descriptors, no other, and signals as they were")
def _():
    done = run_command("ls /proc/self/fd; grep -E 'Sig(Blk|Ign):' /proc/self/status")
    *descriptors, _, blocked, _, ignored = done.stdout.split()
    # 3 is ls's own, to read the folder.
    expect_equal(descriptors, ["0", "1", "2", "3"], "descriptors")
    for number in [signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD]:
        for what in [blocked, ignored]:
            expect(not int(what, 16) & 1 << number - 1, f"signal {number} is blocked or ignored")


@check("--run: Ctrl-C is the command's, SIGTERM ends both")
def _():
    ready = path_of("ready")
    # The shell stays in between, as it does for a command with a pipe.
    command = f"trap 'echo interrupted' INT; echo $$ >{ready}.new; mv {ready}.new {ready}; " \
              "sleep 60 & wait; wait; echo never"
    process = subprocess.Popen([PROGRAM, "-q", "-s", VMLINUX, "-r", command, DUMP], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    with process:
        wait_for(ready)
        os.killpg(process.pid, signal.SIGINT)
        expect_equal(process.stdout.readline(), "interrupted\n", "the command")
        expect(process.poll() is None, "Ctrl-C ended the server")
        process.terminate()
        expect_equal(process.wait(RUN_S), 0, "the status")
        with open(ready, encoding="ascii") as file:
            shell = int(file.read())
        end = time.monotonic() + RUN_S
        while os.path.exists(f"/proc/{shell}") and time.monotonic() < end:
            time.sleep(0.01)
        expect(not os.path.exists(f"/proc/{shell}"), "the command is left")
        os.killpg(process.pid, signal.SIGKILL)


# ---- the end ----

@check("SIGTERM and SIGINT end it with status 0, with clients or without")
def _():
    for number in [signal.SIGTERM, signal.SIGINT]:
        for attached in [False, True]:
            with Server() as server:
                clients = [Client(server.address) for _ in range(3 if attached else 0)]
                for client in clients:
                    client.ask("?")
                expect_equal(server.stop(number), 0, f"signal {number}: the status")
                expect_not_in("Sanitizer", server.rest())
                for client in clients:
                    expect(client.closed_by_server(), "a client is left waiting")
                    client.close()


run_checks()
