# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of tests/real with a server in it that looks at that very machine."""

import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))

import qemu_machine  # noqa: E402
from boot_scenario import gdb_on_stub  # noqa: E402
from portal import Portal, line_options  # noqa: E402

BOOT_S = 180
START_S = 240
# Modules of no use, to be loaded and unloaded.
MORE_MODULES = ["virtio", "virtio_ring", "virtio_balloon", "virtio_mmio", "virtio_input", "virtio_mem"]
# For memory that is plugged in later.
ROOM_FOR_MEMORY = ["-m", "640,slots=2,maxmem=2G"]
SERVER = "vmcore-gdbserver"
SOCKET = "/run/vmcore-gdbserver.sock"


class Setup:
    """What is booted; each has its environment variable, and a default among the real dumps.

        VMCORE_LIVE_KERNEL     a folder with boot/vmlinuz-* and, for gdb, usr/lib/debug/boot/vmlinux-*
        VMCORE_LIVE_INITRAMFS  the root file system that make-initramfs.sh has made for it
        VMCORE_LIVE_SOURCE     what --live should take: /proc/kcore or /dev/mem
    """

    def __init__(self, environ=os.environ):
        real = environ.get("VMCORE_REAL_DIR", "")
        self.server = environ["VMCORE_GDBSERVER"]
        self.kernel = environ.get("VMCORE_LIVE_KERNEL", os.path.join(real, "kernel"))
        self.initramfs = environ.get("VMCORE_LIVE_INITRAMFS",
                                     os.path.join(real, "initramfs.cpio.gz"))
        self.source = environ.get("VMCORE_LIVE_SOURCE", "/proc/kcore")

    def missing(self):
        """What keeps the machine from being booted here, or None."""
        for tool in ("qemu-system-x86_64", "cpio", "gzip", "ldd", "strip",
                     os.environ.get("CC", "gcc").split()[0], "timeout"):
            if shutil.which(tool) is None:
                return f"{tool} is missing"
        if not self.vmlinuz() or not os.path.exists(self.initramfs):
            return f"there is no kernel in {self.kernel}, or no {self.initramfs}"
        return None

    def more_modules(self):
        """Files of modules that nothing needs; there may be none."""
        return [path for name in MORE_MODULES for path in
                glob.glob(os.path.join(self.kernel, "lib", "modules", "**", f"{name}.ko*"),
                          recursive=True)]

    def vmlinuz(self):
        found = glob.glob(os.path.join(self.kernel, "boot", "vmlinuz-*"))
        return found[0] if found else None

    def vmlinux(self):
        found = glob.glob(os.path.join(self.kernel, "usr", "lib", "debug", "boot", "vmlinux-*"))
        return found[0] if found else None


class LiveMachine:
    """Use as a context manager: booted, its guests run, and the portal is open.

    run() and try_run() are shell commands in it, as root; qemu is the Machine."""

    socket = SOCKET

    def __init__(self, setup, append="", lifetime_s=qemu_machine.LIFETIME_S, programs=()):
        """Of this machine, programs are there too, in /bin."""
        self.setup = setup
        self._programs = programs
        self._append = append
        self._lifetime_s = lifetime_s
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vmcore-live-"))
            initrd = os.path.join(folder, "initrd")
            subprocess.run(["sh", os.path.join(HERE, "make-live-initramfs.sh"),
                            self.setup.initramfs, self.setup.server, initrd, *self._programs,
                            *self.setup.more_modules()],
                           check=True, timeout=600)
            lines, path, options = line_options()
            stack.callback(shutil.rmtree, lines)
            qemu_machine.LIFETIME_S = self._lifetime_s
            machine = stack.enter_context(qemu_machine.Machine(
                self.setup.vmlinuz(), initrd,
                "console=ttyS0 panic=0 rdinit=/live-init memhp_default_state=online_movable "
                f"{self._append}".strip(),
                os.path.join(folder, "machine"), [*options, *ROOM_FOR_MEMORY]))
            self.qemu = machine
            self._console = os.path.join(folder, "machine.console")
            self.processor_s, self.stopwatch = machine.processor_s, machine.stopwatch
            self.portal = Portal(path, stopwatch=self.stopwatch)
            stack.callback(self.portal.close)
            self.run, self.try_run = self.portal.run, self.portal.try_run
            machine.await_console("phase no-vmcoreinfo", BOOT_S)
            self.portal.await_ready(BOOT_S)
            if self.setup.source == "/dev/mem" and not self._reads_dev_mem():
                self._allow_dev_mem(machine)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _reads_dev_mem(self):
        """Whether /dev/mem has RAM above the first MiB."""
        return self.try_run("dd if=/dev/mem of=/dev/null bs=4096 skip=4096 count=1")[0] == 0

    def _allow_dev_mem(self, machine):
        """Makes a kernel with STRICT_DEVMEM as one without: QEMU's debugger stub, which needs no
        permission, lets the function that refuses answer 1 (mov $1,%eax; ret), by physical
        addresses, as CPUs may be anywhere."""
        text = self.run("grep -E ' (_text|devmem_is_allowed)$' /proc/kallsyms; "
                        "grep 'Kernel code' /proc/iomem")
        at = {name: int(word, 16) for word, name in
              re.findall(r"^([0-9a-f]+) \w (\w+)$", text, re.MULTILINE)}
        start = int(re.search(r"^ *([0-9a-f]+)-[0-9a-f]+ : Kernel code", text, re.MULTILINE)[1], 16)
        place = start + at["devmem_is_allowed"] - at["_text"]
        gdb_on_stub(machine, "-ex", "maintenance packet Qqemu.PhyMemMode:1", "-ex",
                    f"set {{unsigned char[6]}}{place:#x} = {{0xb8, 1, 0, 0, 0, 0xc3}}",
                    "-ex", "maintenance packet Qqemu.PhyMemMode:0")
        machine.command("cont")

    def start_server(self, *options, under=""):
        """Starts a server in the background, under another program if that is named, and waits
        until it listens; what it said."""
        self.run(f"{under} {SERVER} --patience 60 {' '.join(options)} >/run/server.log 2>&1 & "
                 "echo $! >/run/server.pid")
        self.run("for i in $(seq 3000); do grep -q '^listening' /run/server.log && exit; "
                 "kill -0 $(cat /run/server.pid) || break; sleep 0.1; done; "
                 "cat /run/server.log; exit 1", START_S)
        return self.run("cat /run/server.log")

    def stop_server(self):
        """Ends it as an administrator would; its exit status is lost to the shell that began it."""
        self.run("kill $(cat /run/server.pid); for i in $(seq 600); do grep -q '^State:.[^Z]' "
                 "/proc/$(cat /run/server.pid)/status 2>/dev/null || exit 0; sleep 0.1; done; exit 1")

    @contextlib.contextmanager
    def forwarded(self, where=SOCKET):
        """A port of this machine that leads to the server's socket."""
        listener = self.portal.forward(where)
        try:
            yield "127.0.0.1:%d" % listener.getsockname()[1]
        finally:
            listener.close()

    def console(self):
        """The last lines that the machine's console has said."""
        with open(self._console, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]
