#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may connect, and what a client has to say first."""

import contextlib
import os
import pwd
import socket
import stat
import tempfile
import time

from program import DUMP, VMLINUX, Server, run_program
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, run_checks

SUPPORTED = b"$qSupported:multiprocess+#c6"
WAIT_S, FIRST_PACKET_S = 20, 10
# Who has become another user may not be able to read Python's own files.
"localhost".encode("idna")
folder = tempfile.TemporaryDirectory()
# Others must reach what lies in it.
os.chmod(folder.name, 0o755)


def another_user():
    if os.geteuid() != 0:
        raise Skip("only root can connect as another user")
    return pwd.getpwnam("nobody")


def connect(address):
    if address.startswith("unix:"):
        end = socket.socket(socket.AF_UNIX)
        end.settimeout(WAIT_S)
        end.connect(address[len("unix:"):])
        return end
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), WAIT_S)


def all_from(end):
    """What comes up to the end, or to the whole reply of a server that waits for more."""
    said = b""
    with contextlib.suppress(ConnectionError, socket.timeout):
        while part := end.recv(4096):
            said += part
            if said.startswith(b"+$PacketSize"):
                break
    return said.decode()


def exchange(address, first=b"+" + SUPPORTED):
    with contextlib.closing(connect(address)) as end:
        end.sendall(first)
        return all_from(end)


def as_user(user, address, groups=()):
    """What a process of that user hears."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups(list(groups))
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            said = exchange(address)
        except BaseException as error:  # pylint: disable=broad-except
            said = f"error: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@check("on the loopback address: who started it and root; others are told why not")
def _():
    user = another_user()
    refusal = f"E.user {user.pw_uid} may not connect"
    for address in ("127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"):
        try:
            with Server(listen=(address,)) as server:
                where = server.address
                if "ffff" in where:
                    where = "127.0.0.1:" + where.rsplit(":", 1)[1]
                for _ in range(2):
                    said = as_user(user, where)
                    expect_in(refusal, said)
                    expect_in("--any-user", said)
                    expect(said.startswith("+$E.") and said[-3] == "#", said)
                expect_in("PacketSize", exchange(where))
                server.stop()
                expect_equal(server.rest().count("a client was refused"), 1, "on stderr")
        except AssertionError:
            if not socket.has_ipv6 or address.startswith("127") or os.path.exists("/proc/net/if_inet6"):
                raise
    with Server("--any-user") as server:
        expect_in("PacketSize", as_user(user, server.address))


@check("a server that sudo started is its user's, too")
def _():
    user = another_user()
    path = f"unix:{folder.name}/sudo"
    with Server(listen=("127.0.0.1:0", path), env=dict(os.environ, SUDO_UID=str(user.pw_uid))) as server:
        for address in server.addresses:
            expect_in("PacketSize", as_user(user, address))
            expect_in("PacketSize", exchange(address))
    with Server(env=dict(os.environ, SUDO_UID="4294967295")) as server:
        expect_in("E.user", as_user(user, server.address))


@check("Unix sockets: by who connects, whatever the file's mode; --group lets its members in")
def _():
    user, path = another_user(), f"{folder.name}/socket"
    with Server(listen=(f"unix:{path}",)) as server:
        expect_equal(stat.S_IMODE(os.lstat(path).st_mode), 0o600, "its mode")
        expect_in("error: [Errno 13]", as_user(user, server.address))
        os.chmod(path, 0o666)
        expect_in(f"E.user {user.pw_uid} may not connect", as_user(user, server.address))
    with Server("--group", "daemon", listen=(f"unix:{path}",)) as server:
        expect_equal(stat.S_IMODE(os.lstat(path).st_mode), 0o660, "its mode")
        expect_in("PacketSize", as_user(user, server.address, [os.lstat(path).st_gid]))
        os.chmod(path, 0o666)
        expect_in("--group", as_user(user, server.address))
    done = run_program("-s", VMLINUX, "--group", "no-such-group", DUMP)
    expect_in("--group: there is no group 'no-such-group'", done.stderr)


@check("before the first packet nothing may come that no debugger sends; 10 s are enough for that",
       seconds=60)
def _():
    with Server() as server:
        since = time.monotonic()
        silent, half = connect(server.address), connect(server.address)
        half.sendall(b"+$qSupp")
        with Client(server.address) as client:
            expect_equal(client.ask("qAttached"), "1", "an answer")
            for bad in (b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n" + SUPPORTED,
                        b"\x16\x03\x01" + SUPPORTED, b"+\n" + SUPPORTED, b"GET / HTTP/1.0\r\n\r\n"):
                expect_equal(exchange(server.address, bad), "", f"what is said to {bad[:8]!r}")
            for good in (SUPPORTED, b"+-\x03" + SUPPORTED):
                expect_in("PacketSize", exchange(server.address, good))
            for end in (silent, half):
                with contextlib.closing(end):
                    expect_equal(all_from(end), "", "what a silent client hears")
            expect(time.monotonic() - since > FIRST_PACKET_S - 1, "it was ended at once")
            # One that has talked may be silent for as long as it likes.
            expect_equal(client.ask("qAttached"), "1", "an answer")


@check("--max-clients: one more is told so, and those that are there go on")
def _():
    with Server("--max-clients", "2") as server:
        with Client(server.address) as one, Client(server.address) as two:
            expect_equal((one.ask("qAttached"), two.ask("qAttached")), ("1", "1"), "answers")
            expect_in("E.this server has 2 clients and takes no more: see --max-clients",
                      exchange(server.address))
            expect_equal(one.ask("qAttached"), "1", "an answer")
        until = time.monotonic() + WAIT_S
        while "PacketSize" not in exchange(server.address) and time.monotonic() < until:
            time.sleep(0.05)
        expect_in("PacketSize", exchange(server.address))
    for bad in ("0", "many", "65537"):
        expect_in("--max-clients: '", run_program("--max-clients", bad, DUMP).stderr)


@check("an address that other machines reach is warned of; nothing is put where others can write")
def _():
    with Server(listen=("0.0.0.0:0",)) as server:
        expect_in("whoever reaches 0.0.0.0:", server.next_line())
    with Server() as server:
        server.stop()
        expect("whoever reaches" not in server.rest(), "a warning for the loopback address")
    for name, option in (("sockets", "--listen=unixdir:"), ("cache", "--symbol-cache=")):
        path = f"{folder.name}/{name}"
        os.mkdir(path)
        os.chmod(path, 0o777)
        done = run_program("-s", VMLINUX, option + path, DUMP)
        expect_equal(done.returncode, 1, f"{option}: the status")
        expect_in(f"others can write to the folder {path}", done.stderr)
        if os.geteuid() == 0:
            os.chmod(path, 0o700)
            os.chown(path, 12345, -1)
            expect_in("belongs to user 12345", run_program("-s", VMLINUX, option + path, DUMP).stderr)


@check("at the end only its own socket is removed")
def _():
    path = f"{folder.name}/own"
    with Server(listen=(f"unix:{path}",)) as server:
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            server.stop()
        expect(stat.S_ISSOCK(os.lstat(path).st_mode), "another's socket was removed")


run_checks()
