# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of debug adapters, as an editor is one: the Debug Adapter Protocol over a pipe
(microsoft.github.io/debug-adapter-protocol)."""

import json
import queue
import subprocess
import threading

from tap import expect, fail

# What a machine that is busy may take; an editor would wait for ever.
WAIT_S = 60


class Refused(Exception):
    """The adapter answered a request with an error; the text is its message."""


class Dap:
    """An adapter that is started by COMMAND, a list: a context manager."""

    # Whether the client has windows of memory.
    memory_references = True

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=env)
        self.output = []
        self._messages = queue.Queue()
        self._events = []
        self._answers = {}
        self._sequence = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.capabilities = {}

    # ---- messages ----

    def _read(self):
        try:
            with self.process.stdout as stream:
                while (length := self._length(stream)) is not None:
                    self._messages.put(json.loads(stream.read(length)))
        except ValueError as error:
            self.output.append(f"(what the adapter writes is no message: {error})")
        self._messages.put(None)

    @staticmethod
    def _length(stream):
        """Of the next message; None at the end."""
        length = None
        while (line := stream.readline()).strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        return length

    def _send(self, message):
        self._sequence += 1
        text = json.dumps({"seq": self._sequence, **message}).encode()
        try:
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
            self.process.stdin.flush()
        except OSError as error:
            fail(f"the adapter is gone ({error}); it said:\n{self.said()}")
        return self._sequence

    def said(self):
        return "".join(self.output[-30:])

    def _take(self, what):
        """One more message goes to where it belongs."""
        try:
            message = self._messages.get(timeout=WAIT_S)
        except queue.Empty:
            fail(f"there is no {what} for {WAIT_S} s; it said:\n{self.said()}")
        if message is None:
            fail(f"the adapter ended before {what}; it said:\n{self.said()}")
        if message["type"] == "event" and message["event"] == "output":
            self.output.append(message["body"]["output"])
        elif message["type"] == "event":
            self._events.append(message)
        elif message["type"] == "response":
            self._answers[message["request_seq"]] = message
        else:  # a request of the adapter's: none is needed
            self._send({"type": "response", "request_seq": message["seq"], "success": False,
                        "command": message["command"]})

    def send(self, command, **arguments):
        """Sends a request; returns its number."""
        return self._send({"type": "request", "command": command, "arguments": arguments})

    def answer(self, number):
        """The body of the answer to request NUMBER."""
        while number not in self._answers:
            self._take(f"answer to request {number}")
        message = self._answers.pop(number)
        if not message["success"]:
            body = message.get("body") or {}
            raise Refused(message.get("message") or body.get("error", {}).get("format", ""))
        return message.get("body") or {}

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def event(self, *names, answer=None):
        """The first event of one of these names since the last that was taken: (name, body). There is
        none once the request that leads to it, ANSWER, is refused."""
        while True:
            if not self._answers.get(answer, {"success": True})["success"]:
                self.answer(answer)
            for at, message in enumerate(self._events):
                if message["event"] in names:
                    del self._events[at]
                    return message["event"], message.get("body") or {}
            self._take(f"event {' or '.join(names)}")

    def forget_events(self):
        self._events.clear()

    # ---- a session ----

    def __enter__(self):
        self.capabilities = self.ask("initialize", adapterID="vmcore", clientID="test",
                                     linesStartAt1=True, columnsStartAt1=True, pathFormat="path",
                                     supportsMemoryReferences=self.memory_references)
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def attach(self, request, arguments, breakpoints=()):
        """What an editor does with a configuration, up to the first stop; returns that."""
        number = self.send(request, **arguments)
        self.event("initialized", answer=number)
        if breakpoints:
            self.ask("setFunctionBreakpoints", breakpoints=[{"name": name} for name in breakpoints])
        # gdb's adapter answers the request to attach only after this.
        done = self.send("configurationDone")
        self.answer(number)
        self.answer(done)
        return self.event("stopped")[1]

    def threads(self):
        """{id: name}"""
        return {row["id"]: row["name"] for row in self.ask("threads")["threads"]}

    def frames(self, thread, levels=20):
        return self.ask("stackTrace", threadId=thread, startFrame=0, levels=levels)["stackFrames"]

    def children(self, reference):
        """{name: variable}"""
        rows = self.ask("variables", variablesReference=reference)["variables"]
        return {row["name"]: row for row in rows}

    def expand(self, variable, *names):
        """The member of a member of a structure, as it is unfolded in a window."""
        for name in names:
            expect(variable.get("variablesReference"), f"{variable} cannot be unfolded to {name}")
            children = self.children(variable["variablesReference"])
            expect(name in children, f"there is no {name} in {list(children)}")
            variable = children[name]
        return variable
