# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU machine: started, talked to by QMP and by its console, and always ended."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

# TCG emulates AMD's SVM, so the machine needs no KVM of the host, and can run guests of its own.
# Without cx16: QEMU 7.2's CMPXCHG16B may leave rubbish in the flags, TF among it, and kernels that
# allocate by it then die of debug exceptions (seen with 6.12; the flags held the low half of rax).
MACHINE = [
    "-nodefaults", "-nographic", "-no-reboot",
    "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,cx16=off",
    "-smp", "2", "-m", "640",
    "-device", "vmcoreinfo",
]

LIFETIME_S = 3600  # of QEMU itself: nothing outlives it, even if this process is killed hard

SIGNS_OF_FAILURE = ["init: failed:", "Kernel panic - not syncing: No working init",
                    "Attempted to kill init"]


class MachineError(Exception):
    """The machine did not do what the scenario needs."""


class Machine:
    """Use as a context manager: leaving it ends QEMU, whatever has happened."""

    def __init__(self, kernel, initrd, append, log, extra=()):
        """What the console says goes to log.console, what QEMU itself says to log.qemu."""
        self._dir = tempfile.mkdtemp(prefix="vmcore-test-")
        self.gdb_socket = os.path.join(self._dir, "gdb")
        self._console_text = ""
        self._console_changed = threading.Condition()
        self._console_log = open(f"{log}.console", "wb", buffering=0)
        self._qemu_log = open(f"{log}.qemu", "wb")
        self._process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(LIFETIME_S), "qemu-system-x86_64", *MACHINE,
             "-kernel", kernel, "-initrd", initrd, "-append", append,
             "-chardev", f"socket,id=console,path={self._dir}/console,server=on,wait=on,"
             "mux=on",  # it has escape sequences, of which one makes a line break
             "-serial", "chardev:console",
             "-qmp", f"unix:{self._dir}/qmp,server=on,wait=off",
             "-gdb", f"unix:{self.gdb_socket},server=on,wait=off",
             *extra],
            stdin=subprocess.DEVNULL, stderr=self._qemu_log)

    def __enter__(self):
        try:
            self._console = self._connect("console")
            threading.Thread(target=self._read_console, daemon=True).start()
            self._qmp = self._connect("qmp").makefile("rw", encoding="utf-8")
            self._qmp.readline()  # the greeting
            self.command("qmp_capabilities")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(timeout=20)
        self._console_log.close()
        self._qemu_log.close()
        shutil.rmtree(self._dir)

    def _connect(self, name):
        deadline = time.monotonic() + 20
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(os.path.join(self._dir, name))
                return sock
            except OSError as error:
                sock.close()
                if self._process.poll() is not None:
                    raise MachineError(f"QEMU ended at once: see {self._qemu_log.name}") from error
                if time.monotonic() > deadline:
                    raise MachineError(f"QEMU's {name} socket did not appear") from error
                time.sleep(0.05)

    def _read_console(self):
        while True:
            try:
                data = self._console.recv(4096)
            except OSError:
                data = b""
            with self._console_changed:
                if not data:
                    self._console_changed.notify_all()
                    return
                self._console_log.write(data)
                self._console_text += data.decode("utf-8", "replace")
                self._console_changed.notify_all()

    def await_console(self, text, timeout):
        """Waits until the console has said text, timeout seconds of the machine; returns all that it
        has said."""
        passed = self.stopwatch()
        with self._console_changed:
            while text not in self._console_text:
                if any(sign in self._console_text for sign in SIGNS_OF_FAILURE):
                    raise MachineError(f"the guest gave up:\n{self._console_text[-2000:]}")
                left = timeout - passed()
                if left <= 0 or self._process.poll() is not None:
                    raise MachineError(f"the console did not say {text!r}, but ended with:\n"
                                       f"{self._console_text[-2000:]}")
                self._console_changed.wait(min(left, 1))
            return self._console_text

    def processor_s(self):
        """How many seconds of the host's processors QEMU has had; no limit once it has ended."""
        timeout = self._process.pid
        try:
            with open(f"/proc/{timeout}/task/{timeout}/children", encoding="ascii") as file:
                [qemu] = file.read().split()
            with open(f"/proc/{qemu}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return float("inf")

    def stopwatch(self):
        """Begins to measure time for limits: returns a function that tells how many seconds have
        passed for the machine. A host that has no processor to give makes it pass slowly, down to a
        tenth; so does a machine that has nothing to do."""
        start, had = time.monotonic(), self.processor_s()

        def passed():
            wall = time.monotonic() - start
            return max(min(wall, self.processor_s() - had), wall / 10)
        return passed

    def type_line(self):
        """Enter on the console: sends the guest's init on to its next phase."""
        self._console.sendall(b"\n")

    def press_sysrq(self, key):
        """The serial port's way to say it: a break, and then the key."""
        self._console.sendall(b"\x01b" + key.encode("ascii"))

    def command(self, name, **arguments):
        """A QMP command; returns what it returned. Events in between are dropped."""
        self._qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._qmp.flush()
        for line in self._qmp:
            answer = json.loads(line)
            if "error" in answer:
                raise MachineError(f"QMP {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise MachineError(f"QMP {name}: QEMU closed the connection")

    def monitor(self, line):
        """A command of QEMU's human monitor; returns its text."""
        text = self.command("human-monitor-command", **{"command-line": line})
        return text.replace("\r\n", "\n")

    def await_end(self, timeout):
        """Waits until the guest has powered the machine off."""
        try:
            self._process.wait(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise MachineError("the machine did not power off") from error
