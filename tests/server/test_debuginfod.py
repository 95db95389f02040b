# SPDX-License-Identifier: GPL-2.0-or-later
"""Debug files from debuginfod: a real one on this machine, and servers that fail in every way.

The demo cannot be read without its vmlinux, so a run without one has to get it first. Modules are
only needed by who asks for them: what a server is told to fetch comes while it serves.
"""

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from program import PROGRAM, SOURCE, VMLINUX, Server, children_of, run_program
from recipes import MODERN, make_changed_dump, make_module, make_module_dump
from rsp import Client
from tap import (Skip, check, expect, expect_equal, expect_in, expect_not_in, need_tool,
                 run_checks)

sys.path.append(os.path.join(SOURCE, "tests/real"))
from local_debuginfod import debuginfod  # noqa: E402

START_S, POLL_S = 15, 0.1
MODULE_ID = "0123456789abcdef" * 2 + "01234567"
folder = tempfile.TemporaryDirectory()
made = {}


def path(*parts):
    return os.path.join(folder.name, *parts)


def need_client():
    """Whether the program can ask at all."""
    done = run_on_dump({"DEBUGINFOD_URLS": "http://127.0.0.1:9"})
    if "built without libdebuginfod" in done.stderr:
        raise Skip("this program was built without libdebuginfod")


def build_id():
    if "id" not in made:
        text = subprocess.run([need_tool("readelf"), "-n", VMLINUX], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        made["id"] = re.search("Build ID: ([0-9a-f]+)", text).group(1)
    return made["id"]


def dump():
    """The demo's, which says its build-id like kernels since 5.9."""
    if "dump" not in made:
        line = 'text "PAGESIZE=4096"'
        made["dump"] = make_changed_dump(folder.name, "with-id", line,
                                         f'{line}\n\ttext "BUILD-ID={build_id()}"', "")
    return made["dump"]


def module_dump():
    if "module_dump" not in made:
        made["module_dump"] = make_module_dump(folder.name, "module-dump", MODULE_ID)
    return made["module_dump"]


def environment(urls, cache, **more):
    """With a cache of its own, and nothing of this user's."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("DEBUGINFOD")}
    if urls:
        clean["DEBUGINFOD_URLS"] = urls
    # No proxy leads to this machine.
    return {**clean, "no_proxy": "*", "DEBUGINFOD_CACHE_PATH": path(cache), **more}


def run_on_dump(env, *arguments):
    return run_program(*(arguments or ("--exec", "info --json")), dump(),
                       env={"PATH": os.environ["PATH"], "DEBUGINFOD_CACHE_PATH": path("none"), **env})


def read_bytes(name):
    with open(name, "rb") as file:
        return file.read()


@contextlib.contextmanager
def serving(answer):
    """A web server, whose every request is handled by the function; gives its address."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.close_connection = True
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def send(request, data, length=None, status=200):
    request.send_response(status)
    if length is not False:
        request.send_header("Content-Length", str(len(data) if length is None else length))
    request.end_headers()
    request.wfile.write(data)


def real_debuginfod(files):
    """Debian's debuginfod, with the files of a folder; gives its address."""
    need_tool("debuginfod")
    return debuginfod(files, env=environment(None, "server"), cwd=folder.name)


def wait_for(what, condition):
    """What the condition returns, as soon as that is true."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(POLL_S)
    raise AssertionError(f"{what} did not happen within {START_S} s")


def said(client, line):
    """What a monitor command prints, or its error."""
    printed, reply = client.monitor(line)
    return printed or reply


def symbols(client, line="symbols one --json"):
    """The module's object."""
    return json.loads(said(client, line))


def children(server):
    """The processes that download: those of the one that does outside what the server may not."""
    return [child for child in children_of(server.process.pid) if child != server.reader]


def download(client):
    return symbols(client).get("debuginfod", {})


@check("a dump that needs its vmlinux gets it from debuginfod, and later from the cache", 60)
def _():
    need_client()
    os.mkdir(path("files"))
    shutil.copy(VMLINUX, path("files"))
    cached = path("real", build_id(), "debuginfo")
    with real_debuginfod(path("files")) as url:
        # It looks through the folder first.
        def get():
            shutil.rmtree(path("real"), ignore_errors=True)
            done = run_on_dump(environment(url, "real"))
            return done if "vmlinux" in json.loads(done.stdout) else None
        done = wait_for("the download", get)
    expect_equal((json.loads(done.stdout)["vmlinux"], done.stderr), (cached, ""), "its vmlinux")
    done = run_on_dump(environment(None, "real"))
    expect_equal((done.stderr, json.loads(done.stdout)["vmlinux"]), ("", cached), "without a server")
    # The process that downloads can be called by hand, too.
    done = subprocess.run([PROGRAM, "--debuginfod-helper", build_id()], stdout=subprocess.PIPE,
                          env=environment("http://127.0.0.1:9", "real"), text=True, check=True)
    expect_equal(done.stdout, f"done {cached}\n", "what it says")


# A note with a build-id, as it lies in memory.
NOTE = 'u32 4 20 3 "GNU\\0" u8' + " 0x77" * 20
# In the image, behind the demo's own, and behind the image.
FREE_PAGE, WRITABLE = 0xffffffff83000000, 0xffffffff84000000


def make_read_only(name, statements):
    """The demo with a protected image, as kernels have it where the notes are."""
    line = "map kernel_map 0 64m 2m global"
    return make_changed_dump(folder.name, name, line, line.replace(" global", " ro global"),
                             statements)


@check("a dump that does not say its build-id has it in the image, where a vDSO's is passed over")
def _():
    need_client()
    # Modules are read into memory that can be written to.
    writable = f"map {WRITABLE:#x} 0x4000000 2m 2m global\nvirt {WRITABLE:#x}: {NOTE}\n"
    vdso = f"virt {FREE_PAGE:#x}: u8 0x7f 0x45 0x4c 0x46\nvirt {FREE_PAGE + 0x1100:#x}: {NOTE}\n"
    wanted = []

    def note(request):
        wanted.append(request.path)
        if len(wanted) > 1:
            send(request, b"", status=404)
        else:
            send(request, read_bytes(VMLINUX))
    with serving(note) as url:
        plain = make_read_only("plain", vdso + writable)
        done = run_program("--exec", "info --json", plain, env=environment(url, "likely"))
        expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
        expect_equal(wanted, [f"/buildid/{build_id()}/debuginfo"], "what was asked for")
        # Of two, both are asked for, for nobody can tell which it is.
        two = make_read_only("two", f"virt {FREE_PAGE:#x}: {NOTE}\n")
        done = run_program("--exec", "info", two, env=environment(url, "neither"))
        expect_in("as it seems", done.stdout)
    expect_equal(wanted[1:], [f"/buildid/{name}/debuginfo" for name in (build_id(), "77" * 20)],
                 "what was asked for then")
    # What it seems to be is no reason to refuse a file, and its own is known for certain then.
    done = run_program("--symbols", VMLINUX, "--exec", "info --json", two)
    expect_equal((done.stderr, json.loads(done.stdout)["build_id"]), ("", build_id()), "with a file")


def answer_with(**how):
    return lambda request: send(request, **how)


def hang(_request):
    time.sleep(START_S)


def trickle(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    while True:
        request.wfile.write(b"x")
        time.sleep(POLL_S)


# libdebuginfod says the same to all of them, and remembers it.
NONE_OR_BUSY = (r"it has no debug file of that build-id, or could not answer; it is asked again from "
                r"\d\d:\d\d:\d\d on, and by 'symbols --fetch'")
OTHER = read_bytes(VMLINUX).replace(bytes.fromhex(build_id()), bytes(20))
FAILURES = {
    "it has none": (answer_with(data=b"", status=404), NONE_OR_BUSY),
    "it is broken": (answer_with(data=b"oh", status=500), NONE_OR_BUSY),
    "it is busy": (answer_with(data=b"oh", status=503), NONE_OR_BUSY),
    "it has had enough": (answer_with(data=b"oh", status=429), NONE_OR_BUSY),
    "it hangs": (hang, "it took too long|it took longer than DEBUGINFOD_MAXTIME"),
    "it sends a byte now and then":
        (trickle, "it took too long|it took longer than DEBUGINFOD_MAXTIME"),
    "it stops in the middle":
        (answer_with(data=read_bytes(VMLINUX)[:5000], length=len(read_bytes(VMLINUX))),
         r"debuginfod: http://127\S+: \w"),
    "it stops in the middle and says that was all":
        (answer_with(data=read_bytes(VMLINUX)[:5000]), "Refused: .*/debuginfo: it is cut off: it has 5000 bytes"),
    "it sends a page of text": (answer_with(data=b"<html>Please log in</html>"),
                                "Refused: .*/debuginfo: it is no ELF file"),
    "it sends another file": (answer_with(data=OTHER, length=False),
                              "Refused: .*/debuginfo: it belongs to another kernel: its build-id is "
                              f"{'00' * 20}, the dump's {build_id()}"),
    "it sends nothing": (answer_with(data=b""), "Looked for"),
}


@check("whatever is wrong with a server, a dump that needs it says so in a sentence", 60)
def _():
    need_client()
    dump()
    said, threads = {}, []

    def run(name, answer):
        with serving(answer) as url:
            cache = re.sub("[^a-z]", "-", name)
            said[name] = run_on_dump(environment(url, cache, DEBUGINFOD_TIMEOUT="1",
                                                 DEBUGINFOD_MAXTIME="2"))
    for name, (answer, _) in FAILURES.items():
        threads.append(threading.Thread(target=run, args=(name, answer)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for name, (_, words) in FAILURES.items():
        done = said[name]
        expect_equal((done.returncode, done.stderr), (0, ""), f"{name}: status and errors")
        expect(re.search(words, done.stdout), f"{name}: {words!r} is not in {done.stdout}")


@check("no server, no name for one, no place to write to: the same")
def _():
    need_client()
    for urls, cache, words in [
            (None, "x", "DEBUGINFOD_URLS, which names the servers to ask, is not set"),
            ("  ", "x", "DEBUGINFOD_URLS, which names the servers to ask, is not set"),
            ("http://user:secret@127.0.0.1:9", "x", "http://127.0.0.1:9.*: it refuses connections"),
            ("nonsense", "x", "debuginfod: .*: "),
            ("http://127.0.0.1:9", "with-id/x",
             "debuginfod: the cache folder .*/with-id/x cannot be written")]:
        done = run_on_dump(environment(urls, cache))
        expect_equal((done.returncode, done.stderr), (0, ""), f"{urls}: status and errors")
        expect(re.search(words, done.stdout), f"{urls}: {words!r} is not in {done.stdout}")
        expect_not_in("secret", done.stdout)


@check("what a server was told to fetch comes while it serves, with progress", 40)
def _():
    need_client()
    data, go_on = read_bytes(make_module(folder.name, MODULE_ID)), threading.Event()

    def slow(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[:len(data) // 2])
        request.wfile.flush()
        go_on.wait(START_S)
        request.wfile.write(data[len(data) // 2:])
    with serving(slow) as url, \
            Server(symbols=MODERN, dump=module_dump(), env=environment(url, "slow")) as server, \
            Client(server.address) as client, Client(server.address) as other:
        expect_equal((symbols(client)["found"], symbols(client)["build_id"]), (False, MODULE_ID),
                     "that it is found, its build-id")
        expect_in("debuginfod was not asked: symbols --fetch one", said(client, "symbols"))
        said(client, "symbols --fetch one")
        half = wait_for("progress", lambda: download(client).get("bytes_done"))
        expect(0 < half < len(data), f"{half} bytes of {len(data)}")
        expect(re.search(r"debuginfod: downloading, \d+% of 0 MiB", said(client, "symbols")),
               said(client, "symbols"))
        expect_in("swapper", said(other, "threads"))
        go_on.set()
        found = wait_for("the end", lambda: symbols(client)["found"] and symbols(client))
        cached = path("slow", MODULE_ID, "debuginfo")
        expect_equal((found["file"], found["debug_info"], found["debuginfod"]),
                     (cached, True, {"state": "done", "file": cached}), "its file")


@check("a server that hangs delays neither clients nor the end, and nothing is left of it", 40)
def _():
    need_client()
    asked, ended = threading.Event(), threading.Event()

    def stuck(request):
        asked.set()
        request.connection.recv(1)
        ended.set()
    with serving(stuck) as url:
        with Server(symbols=MODERN, dump=module_dump(), env=environment(url, "stuck")) as server, \
                Client(server.address) as client:
            text = said(client, "symbols --fetch one")
            expect_in("debuginfod: downloading", text)
            # Asked again, it is not asked for twice.
            expect_in("debuginfod: downloading", said(client, "symbols --fetch one"))
            expect_in("swapper", said(client, "threads"))
            expect_equal(len(children(server)), 1, "processes that download")
            expect(asked.wait(START_S), "nothing is asked for")
            server.stop()
        expect(ended.wait(START_S), "the connection stays open")


@check("a process that is killed in the middle is a failed download, and others go on", 40)
def _():
    need_client()
    with serving(hang) as url, \
            Server(symbols=MODERN, dump=module_dump(), env=environment(url, "killed")) as server, \
            Client(server.address) as client:
        said(client, "symbols --fetch one")
        for child in children(server):
            os.kill(child, signal.SIGKILL)
        wait_for("the failure", lambda: download(client).get("state") == "failed")
        expect_in("ended early", download(client)["why"])
        # It may be asked for again.
        said(client, "symbols --fetch one")
        expect_equal(download(client)["state"], "running", "its state")


@check("a server that was busy is asked again at once by --fetch, and by itself not too soon", 40)
def _():
    need_client()
    data, asked = read_bytes(make_module(folder.name, MODULE_ID)), []

    def busy_once(request):
        asked.append(request.path)
        if len(asked) > 1:
            send(request, data)
        else:
            send(request, b"later", status=503)
    with serving(busy_once) as url, \
            Server(symbols=MODERN, dump=module_dump(), env=environment(url, "busy")) as server, \
            Client(server.address) as client:
        said(client, "symbols --fetch one")
        wait_for("the failure", lambda: download(client).get("state") == "failed")
        expect(re.search(NONE_OR_BUSY, download(client)["why"]), download(client)["why"])
        expect_equal(len(asked), 1, "requests")
        # The helper by itself keeps to what libdebuginfod remembers.
        done = subprocess.run([PROGRAM, "--debuginfod-helper", MODULE_ID], stdout=subprocess.PIPE,
                              env=environment(url, "busy"), text=True, check=True)
        expect(re.search(NONE_OR_BUSY, done.stdout), done.stdout)
        expect_equal(len(asked), 1, "requests")
        said(client, "symbols --fetch one")
        wait_for("the file", lambda: symbols(client)["found"])


@check("what there is not cannot be fetched")
def _():
    need_client()
    with Server(symbols=MODERN, dump=module_dump(), env=environment(None, "x")) as server, \
            Client(server.address) as client:
        for line, words in [("symbols --fetch", "DEBUGINFOD_URLS, which names the servers to ask"),
                            ("symbols nothing", "there is no module 'nothing'"),
                            ("symbols --fetch x --json", "there is no module 'x'")]:
            expect_in(words, said(client, line))
        expect_in(f"or: debuginfod-find debuginfo {MODULE_ID}", said(client, "symbols"))


run_checks()
