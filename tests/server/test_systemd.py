#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that listen already: by number, by systemd's environment, by systemd's own starter; and what
contrib/systemd holds, as systemd's own tools see it; the container file."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time

from program import DUMP, PROGRAM, RUN_S, SOURCE, VMLINUX, run_program
from rsp import Client
from tap import Skip, check, expect, expect_equal, expect_in, need_tool, run_checks

folder = tempfile.TemporaryDirectory()
UNITS = f"{SOURCE}/contrib/systemd"
MOST_EXPOSURE = 10  # tenths


def path_of(name):
    return os.path.join(folder.name, name)


def unix_socket(name):
    made = socket.socket(socket.AF_UNIX)
    made.bind(path_of(name))
    made.listen()
    return made


def ends_well(process):
    process.terminate()
    expect_equal(process.wait(RUN_S), 0, "the status")


def answers(address):
    with Client(address) as client:
        expect_equal(client.ask("qAttached"), "1", "an answer")


@check("fd:N: a socket of either kind, which stays at the end; others that were passed on do not")
def _():
    with unix_socket("given") as given, socket.create_server(("127.0.0.1", 0)) as port:
        numbers = [made.fileno() for made in (given, port)]
        listen = [word for number in numbers for word in ("-l", f"fd:{number}")]
        process = subprocess.Popen([PROGRAM, "-s", VMLINUX, *listen, DUMP], pass_fds=numbers, text=True,
                                   stderr=subprocess.PIPE)
        with process:
            said = []
            while not said or "target remote" not in said[-1]:
                said.append(process.stderr.readline())
                expect(said[-1], f"it ended: {said}")
            expect_in(f"listening on unix:{path_of('given')}\n", said)
            expect_in("listening on 127.0.0.1:%d\n" % port.getsockname()[1], said)
            answers(f"unix:{path_of('given')}")
            answers("127.0.0.1:%d" % port.getsockname()[1])
            ends_well(process)
        expect(stat.S_ISSOCK(os.stat(path_of("given")).st_mode), "the socket is gone")


@check("fd:N that is no socket that listens is refused by its name")
def _():
    for words in ["fd:77", "fd:0", "fd:x", "fd:"]:
        done = run_program("-l", words, DUMP)
        expect_equal(done.returncode, 1, "the status")
        expect_in(f"listen at '{words}'", done.stderr)
    with socket.socket() as idle:
        done = run_program("-l", f"fd:{idle.fileno()}", DUMP, pass_fds=[idle.fileno()])
        expect_in("that is no descriptor of a stream socket that listens", done.stderr)


@check("LISTEN_FDS says where to listen if nothing else does, and to nobody else")
def _():
    with unix_socket("environment") as given:
        # The number that systemd begins with.
        launch = f"exec 3<&{given.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\""
        process = subprocess.Popen(["sh", "-c", launch, PROGRAM, "-q", "-s", VMLINUX, DUMP], text=True,
                                   pass_fds=[given.fileno()], stderr=subprocess.PIPE)
        with process:
            expect_in("environment", process.stderr.readline())
            answers(f"unix:{path_of('environment')}")
            # The next process that reads the dump goes on with it.
            children = open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii").read()
            os.kill(int(children.split()[0]), signal.SIGKILL)
            answers(f"unix:{path_of('environment')}")
            ends_well(process)
        for pid, count, says in [("1", "1", "listening on 127.0.0.1:"), ("$$", "99", "more than 16")]:
            launch = f"LISTEN_FDS={count} LISTEN_PID={pid} exec \"$0\" \"$@\""
            process = subprocess.Popen(["sh", "-c", launch, PROGRAM, "-q", "-s", VMLINUX,
                                        *(["-l", "127.0.0.1:0"] if pid == "1" else []), DUMP],
                                       text=True, stderr=subprocess.PIPE)
            with process:
                expect_in(says, process.stderr.readline())
                process.terminate()


@check("systemd-socket-activate starts it with the first client")
def _():
    path = path_of("activated")
    starter = subprocess.Popen([need_tool("systemd-socket-activate"), "-l", path, PROGRAM, "-q",
                                "-s", VMLINUX, DUMP], stderr=subprocess.DEVNULL)
    with starter:
        end = time.monotonic() + RUN_S
        while not os.path.exists(path):
            expect(time.monotonic() < end, "there is no socket")
            time.sleep(0.01)
        answers(f"unix:{path}")
        answers(f"unix:{path}")
        # It has become the server.
        ends_well(starter)


def installed(name):
    """The unit as it is installed, for a dump."""
    instance = path_of(name.replace("@", "@var-crash-dump").removesuffix(".in"))
    with open(f"{UNITS}/{name}", encoding="utf-8") as template, \
            open(instance, "w", encoding="utf-8") as out:
        out.write(template.read().replace("@bindir@", os.path.dirname(PROGRAM)))
    return instance


@check("the units: systemd finds no fault in them, and little exposure")
def _():
    analyze = need_tool("systemd-analyze")
    service = installed("vmcore-gdbserver@.service.in")
    unit = installed("vmcore-gdbserver@.socket")
    done = subprocess.run([analyze, "security", "--offline=yes", "--no-pager", service], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=RUN_S)
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    if not level and "offline" in done.stdout:
        raise Skip("this systemd-analyze has no --offline")
    expect(level, done.stdout)
    expect(float(level.group(1)) * 10 < MOST_EXPOSURE, done.stdout)
    done = subprocess.run([analyze, "verify", "--man=no", "--generators=no", unit, service], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=RUN_S)
    faults = [line for line in done.stdout.splitlines() if "vmcore-gdbserver" in line]
    expect_equal(faults, [], "what systemd says of the units")


@check("the container's packages to build with are the quick start's")
def _():
    with open(f"{SOURCE}/contrib/quickstart.sh", encoding="utf-8") as file:
        wanted = re.search('^build_packages="([^"]*)"', file.read(), re.MULTILINE).group(1).split()
    with open(f"{SOURCE}/contrib/Containerfile", encoding="utf-8") as file:
        named = re.search("--no-install-recommends (.*?)\nCOPY", file.read(), re.DOTALL).group(1)
    expect_equal([name for name in wanted if name not in named.split()], [], "packages that are missing")


@check("the group that may connect is made by systemd-sysusers")
def _():
    tool = need_tool("systemd-sysusers")
    os.makedirs(path_of("root/etc"))
    done = subprocess.run([tool, f"--root={path_of('root')}", f"{UNITS}/vmcore-gdbserver.conf"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=RUN_S)
    if done.returncode and os.geteuid():
        raise Skip("this takes root")
    expect_equal(done.returncode, 0, f"the status ({done.stdout})")
    with open(path_of("root/etc/group"), encoding="ascii") as file:
        expect_in("vmcore:", file.read())


run_checks()
