# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a client waits for a server in a machine that may get little of its host's processors:
as long as the server gets on, by what the machine says of it, and not by the clock on the wall."""

# Of the machine's time (qemu_machine.Machine.stopwatch()): after so long without a byte it is asked.
ASK_S = 60
# So often without any progress: then it hangs.
STILL = 4
# Of the processor, within the machine, since the client began to wait. The longest answer takes some
# 20 s where nothing else runs, and the server has a handful of clients.
SPENT_S = 600
SLICE_S = 5  # of one wait for the socket


class Hang(Exception):
    """The machine lives, and the server in it does not answer."""


class _Wait:
    """One wait for the next bytes."""

    def __init__(self, machine):
        self._machine = machine
        self._passed = machine.stopwatch()
        self._first = self._last = None
        self._still = 0

    def _look(self):
        """The server's state, and what it has had of the processor, in seconds. That the machine
        answers at all is the portal's business: PortalError says that it does not."""
        text = self._machine.run("cat /proc/$(cat /run/server.pid)/stat || echo ' ) gone'")
        fields = text.rsplit(")", 1)[1].split()
        if fields[0] == "gone":
            raise Hang("the server is gone")
        return fields[0], (int(fields[11]) + int(fields[12])) / 100

    def go_on(self):
        """Whether to wait on is asked after each slice; Hang if not."""
        if self._passed() < ASK_S:
            return
        state, spent = self._look()
        self._passed = self._machine.stopwatch()
        if self._last is None:
            self._first = self._last = spent
            return
        # Who waits for the processor is not to blame.
        self._still = 0 if spent > self._last or state == "R" else self._still + 1
        self._last = spent
        if self._still >= STILL:
            raise Hang(f"no reply, and the server has done nothing for {STILL * ASK_S} s of the "
                       f"machine's time: it is in state {state}")
        if spent - self._first > SPENT_S:
            raise Hang(f"no reply after {spent - self._first:.0f} s of the processor")


class PatientSocket:
    """In the place of a client's socket."""

    def __init__(self, sock, machine):
        self._sock = sock
        self._machine = machine
        sock.settimeout(SLICE_S)

    def recv(self, size):
        wait = _Wait(self._machine)
        while True:
            try:
                return self._sock.recv(size)
            except TimeoutError:
                wait.go_on()

    def sendall(self, data):
        # Requests are small: what is sent waits in the socket, not here.
        self._sock.sendall(data)

    def settimeout(self, _seconds):
        """Nobody waits by the clock here."""

    def close(self):
        self._sock.close()
