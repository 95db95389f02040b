#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""README's `ssh -L`: a server on the loopback address, reached by an sshd of the test's own."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

from program import RUN_S, Server
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks

folder = tempfile.TemporaryDirectory()


def who():
    """Who logs in: sshd that is not root's lets its own user in alone."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def identity(user):
    """How a program is started as that user."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if not os.geteuid() else {}


def need_sshd():
    path = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Skip("sshd is missing (openssh-server)")
    return path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as end:
        return end.getsockname()[1]


def await_port(port, process, log):
    end = time.monotonic() + RUN_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    with open(log, encoding="utf-8", errors="replace") as text:
        raise Skip(f"it does not start here: {text.read().strip()[-300:]}")


@contextlib.contextmanager
def running(command, log, port, **how):
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **how)
    try:
        await_port(port, process, log)
        yield
    finally:
        process.terminate()
        process.wait(RUN_S)


@contextlib.contextmanager
def forwarded(to):
    """The port that ssh -L leads to the server's."""
    sshd, ssh, user = need_sshd(), need_tool("ssh"), who()
    home = tempfile.mkdtemp(dir=folder.name)
    for name in ("host", "key"):
        subprocess.run([need_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f",
                        f"{home}/{name}"], check=True, timeout=RUN_S)
    shutil.copy(f"{home}/key.pub", f"{home}/authorized")
    if os.geteuid() == 0:
        os.chmod(folder.name, 0o755)
        for path in [home, *(os.path.join(home, name) for name in os.listdir(home))]:
            os.chown(path, user.pw_uid, user.pw_gid)
    port, own = free_port(), free_port()
    login = [sshd, "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", f"{home}/host",
             "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "StrictModes=no",
             "-o", "UsePAM=yes", "-o", f"AuthorizedKeysFile={home}/authorized"]
    number = to.rsplit(":", 1)[1]
    client = [ssh, "-N", "-F", "/dev/null", "-i", f"{home}/key", "-p", str(port),
              "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
              "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
              "-L", f"{own}:localhost:{number}", f"{user.pw_name}@127.0.0.1"]
    with running(login, f"{home}/sshd.log", port, **identity(user)), \
            running(client, f"{home}/ssh.log", own, **identity(user)):
        yield f"127.0.0.1:{own}"


@check("who started the server comes by ssh -L")
def _():
    environment = {**os.environ, "SUDO_UID": str(who().pw_uid)} if not os.geteuid() else None
    with Server(env=environment) as server, forwarded(server.address) as address, \
            Client(address) as client:
        expect_equal(client.ask("qAttached"), "1", "an answer")


@check("who logs in under another name is told the name, and the option that lets them in")
def _():
    if os.geteuid():
        raise Skip("this takes root")
    with Server(env={key: value for key, value in os.environ.items() if key != "SUDO_UID"}) as server:
        with forwarded(server.address) as address, Client(address) as client:
            said = client.ask("qSupported")
            expect(said.startswith("E."), f"it was answered: {said}")
            expect_in(f"user {who().pw_uid} may not connect", said)
            expect_in("--any-user", said)
    with Server("--any-user") as server, forwarded(server.address) as address, \
            Client(address) as client:
        expect_equal(client.ask("qAttached"), "1", "an answer")


run_checks()
