# SPDX-License-Identifier: GPL-2.0-or-later
"""Debug adapters that may be on this machine, and how each is started."""

import glob
import os
import re
import shutil
import subprocess

from tap import Skip, need_tool

# The version of npm's that the tests know.
CDT = "cdt-gdb-adapter@1.7.0"
# Where fetch-adapters.sh puts what no package installs.
FOLDER = os.environ.get("VMCORE_ADAPTERS_DIR") or os.path.abspath("adapters")


class Adapter:
    """One of them: how it is started, and what differs between them."""

    def __init__(self, command, monitor, env=None, memory_references=True):
        self.command = command
        self.memory_references = memory_references
        self.env = dict(os.environ, **(env or {}))
        # What a monitor command is in its console.
        self.monitor = monitor


def lldb_dap():
    """In PATH, or as fetch-adapters.sh has unpacked it. Up to 19 (and lldb 14's lldb-vscode) it may
    fail to attach, or hang, where the machine is busy."""
    monitor = "`process plugin packet monitor {}"
    path = os.environ.get("VMCORE_LLDB_DAP") or shutil.which("lldb-dap")
    if path:
        return Adapter([path], monitor=monitor)
    found = sorted(glob.glob(f"{FOLDER}/lldb/usr/lib/llvm-*/bin/lldb-dap"))
    if not found:
        raise Skip("lldb-dap is missing (tests/server/fetch-adapters.sh unpacks one)")
    llvm = os.path.dirname(os.path.dirname(found[-1]))
    # Its libraries, and its Python module, are where it was unpacked.
    return Adapter([found[-1]], monitor=monitor, env={
        "LD_LIBRARY_PATH": f"{FOLDER}/lldb/usr/lib/x86_64-linux-gnu:{llvm}/lib",
        "PYTHONPATH": f"{llvm}/lib/python3/dist-packages"})


def cdt_gdb_adapter():
    """npm's, which drives gdb's machine interface."""
    node, _ = need_tool("node"), need_tool("gdb")
    script = f"{FOLDER}/node_modules/cdt-gdb-adapter/dist/debugTargetAdapter.js"
    if not os.path.exists(script):
        raise Skip(f"{CDT} is missing (tests/server/fetch-adapters.sh installs it)")
    return Adapter([node, script], monitor=">monitor {}")


def gdb_dap(words):
    """gdb's own, with the words that a configuration gives it."""
    gdb = os.environ.get("VMCORE_GDB_DAP") or need_tool("gdb")
    text = subprocess.run([gdb, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    version = int(re.search(r"(\d+)\.\d", text.splitlines()[0]).group(1))
    if version < 14:
        raise Skip(f"gdb {version} has no debug adapter, 14 has")
    # Of a client with windows of memory gdb 16 refuses all registers where one that is a pointer is
    # not known; 18 does not.
    return Adapter([gdb, "-nx", *words], monitor="monitor {}", memory_references=version >= 17)
