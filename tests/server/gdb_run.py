# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock gdb, run in batch mode."""

import subprocess

from program import VMLINUX, Server
from tap import need_tool

GDB_S = 90


def gdb_command(*commands, attach, vmlinux=VMLINUX):
    settings = ["set confirm off", "set pagination off", "set width 0", "set style enabled off",
                # Of a server with sanitizers on a machine that has other things to do.
                "set remotetimeout 60"]
    line = [need_tool("gdb"), "-nx", "-q", "-batch"]
    for command in [*settings, f"target remote {attach}", *commands]:
        line += ["-ex", command]
    return line + ([vmlinux] if vmlinux else [])


def gdb(*commands, **how):
    """What gdb prints, errors among it in their place."""
    done = subprocess.run(gdb_command(*commands, **how), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=GDB_S)
    return done.stdout


def gdb_on_demo(*commands, **how):
    with Server() as server:
        return gdb(*commands, attach=server.address, **how)
