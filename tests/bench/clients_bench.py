#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""crash's and drgn's backtraces of all tasks, over the server and of the file itself: seconds from start to
end, their ratio, and how many round trips it takes.

    clients_bench.py --build BUILD --vmlinux VMLINUX DUMP

The least of three runs, one way after the other. For round trips each client runs once more, through a proxy
that counts how often it sends after it has received.
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from bench_common import serve

HERE = os.path.dirname(os.path.abspath(__file__))
STARTER = os.path.join(HERE, "..", "..", "contrib", "drgn", "vmcore-drgn")
RUNS = 3
TIMEOUT_S = 600
FOREACH_BT = """from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    try:
        print(task.pid.value_(), prog.stack_trace(task))
    except Exception as error:
        print(task.pid.value_(), type(error).__name__)
"""


class Proxy:
    """Passes bytes on between clients and the server."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = [False]
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, asks, asked), daemon=True).start()

    def _pump(self, source, sink, asks, asked):
        while data := source.recv(1 << 20):
            if asks and not asked[0]:
                self.trips += 1
            asked[0] = asks
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def run(command, text, environment=None):
    """Seconds, and how many lines it prints."""
    start = time.monotonic()
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=TIMEOUT_S, env=environment, check=False)
    return time.monotonic() - start, done.stdout.count("\n")


def crash_address(server_lines, port):
    """crash's arguments of the line that the server prints, at another port."""
    words = next(line for line in server_lines if line.startswith("  crash ")).split()
    words[2] = f"127.0.0.1:{port},{words[2].partition(',')[2]}"
    return words


def compare(title, served, file, proxied, proxy, text=None):
    pairs = [(run(served, text), run(file, text)) for _ in range(RUNS)]
    ours, theirs = (min(pair[n][0] for pair in pairs) for n in (0, 1))
    before = proxy.trips
    run(proxied, text)
    print(f"  {title:34} {ours:8.2f} s {theirs:8.2f} s {ours / theirs:8.2f} {proxy.trips - before:8}"
          f"   {pairs[0][0][1]} and {pairs[0][1][1]} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=".")
    parser.add_argument("--vmlinux", required=True)
    parser.add_argument("dump")
    args = parser.parse_args()
    server = serve(args.build, args.dump, "--symbols", args.vmlinux)
    proxy = Proxy(server.port)
    print(f"{'':36} {'served':>10} {'file':>10} {'ratio':>8} {'trips':>8}")
    try:
        if shutil.which("crash"):
            lines = [server.process.stderr.readline(), server.process.stderr.readline()]
            served, proxied = crash_address(lines, server.port), crash_address(lines, proxy.port)
            text = "set scroll off\nforeach bt\nexit\n"
            options = ["-s", "--no_crashrc"]
            compare("crash: start, foreach bt", served + options, ["crash", args.vmlinux, args.dump, *options],
                    proxied + options, proxy, text)
            compare("crash: start alone", served + options, ["crash", args.vmlinux, args.dump, *options],
                    proxied + options, proxy, "exit\n")
        else:
            print("  crash is missing")
        if shutil.which("drgn"):
            with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
                script.write(FOREACH_BT)
                script.flush()
                starter = ["/usr/bin/python3", STARTER, "-q", "-s", args.vmlinux]
                compare("drgn: start, stacks of all tasks",
                        [*starter, f"127.0.0.1:{server.port}", script.name],
                        ["drgn", "-q", "-c", args.dump, "-s", args.vmlinux, script.name],
                        [*starter, f"127.0.0.1:{proxy.port}", script.name], proxy)
        else:
            print("  drgn is missing")
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
