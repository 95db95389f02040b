#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are not simply there: downloaded from Debian's debuginfod, and compressed ones.

    check_fetched_files.py MANIFEST DUMP_NAME SERVER

A debuginfod on this machine serves the kernel's debug package. The server, which the dump itself
tells all that it needs, must be listening before the vmlinux has come, and give it to the client
that connects afterwards; the modules come when they are asked for, and must be the files of the
package, byte by byte. Modules as other distributions ship them (.ko.xz, .ko.zst, .ko.gz) are served
unpacked, and those with compressed debug sections give the same frames, or say why not.
"""

import contextlib
import filecmp
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

from local_debuginfod import debuginfod
from oracle import Failure, json_lines, run, skip
from rsp_client import RspClient
from server_process import Server

WAIT_S, POLL_S = 60, 0.2
# The library with the names of modules without a file; once those are others it has a number.
NAMES = "/from-dump/modules-without-file"


class Client(RspClient):
    """One that reads documents, and what monitor commands print."""

    def document(self, name):
        text, reply = "", "m"
        while reply[0] == "m":
            reply = self.command(f"qXfer:{name}:read::{len(text):x},4000")
            if reply[0] not in "ml":
                raise Failure(f"{name}: {reply}")
            text += reply[1:]
        return text

    def monitor(self, line):
        reply, printed = self.command("qRcmd," + line.encode().hex()), ""
        while reply[0] == "O" and reply != "OK":
            printed += bytes.fromhex(reply[1:]).decode()
            reply = self.packet()
        return printed

    def libraries(self):
        return re.findall(r'<library name="([^"]*)"', self.document("libraries"))

    def read_file(self, name):
        reply = self.command(f"vFile:open:{name.encode().hex()},0,0")
        if not reply.startswith("F") or reply.startswith("F-"):
            raise Failure(f"open {name}: {reply}")
        file, data = reply[1:], b""
        while True:
            _, _, part = self.command(f"vFile:pread:{file},8000,{len(data):x}").partition(";")
            if not part:
                self.command(f"vFile:close:{file}")
                return data
            data += re.sub(rb"\}(.)", lambda match: bytes([match.group(1)[0] ^ 0x20]),
                           part.encode("latin-1"), flags=re.DOTALL)


@contextlib.contextmanager
def connected(server):
    client = Client(server.host, server.port)
    try:
        yield client
    finally:
        client.close()


def has_file(url, debug_id):
    try:
        urllib.request.urlopen(f"{url}/buildid/{debug_id}/debuginfo").close()
    except OSError:
        return False
    return True


def wait_for(what, condition):
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(POLL_S)
    raise Failure(f"{what}: not within {WAIT_S} s")


def pcs(client):
    """Where all threads' frames are."""
    lines = client.monitor("bt --all --json").splitlines()
    return [[frame.get("pc") for frame in json.loads(line)["frames"]] for line in lines]


def check_download(files, vmlinux, modules, kernel, server, folder):
    if not shutil.which("debuginfod"):
        skip("debuginfod is missing")
    cache = os.path.join(folder, "cache")
    debug_id = re.search(r"Build ID: (\w+)", run(["readelf", "-n", vmlinux], "readelf").decode())
    cached = os.path.join(cache, debug_id.group(1), "debuginfo")
    with debuginfod(os.path.dirname(vmlinux), modules) as url:
        # No proxy leads to this machine.
        os.environ.update(DEBUGINFOD_URLS=url, DEBUGINFOD_CACHE_PATH=cache, no_proxy="*")
        # It looks through its folders first.
        wait_for("the scan", lambda: has_file(url, debug_id.group(1)))
        # Two modules as they are loaded: those with debug information take their place.
        loaded = os.path.join(folder, "loaded")
        os.makedirs(loaded)
        for name in ("kvm-amd", "irqbypass"):
            # Newer Debian compresses them.
            found = glob.glob(f"{kernel}/lib/modules/**/{name}.ko*", recursive=True)
            found += glob.glob(f"{kernel}/usr/lib/modules/**/{name}.ko*", recursive=True)
            if not found:
                yield f"the kernel's package has no {name}"
                return
            shutil.copy(found[0], loaded)
        with Server([server, "--symbols", loaded], files) as serving:
            if "asked of debuginfod" not in "\n".join(serving.start_up):
                yield "the start-up message does not say that the vmlinux is asked for"
            with connected(serving) as first:
                wait_for("the vmlinux", lambda: cached in first.monitor("symbols vmlinux"))
                with connected(serving) as second:
                    name = second.document("exec-file")
                    if name != os.path.realpath(cached):
                        yield f"a client that connects afterwards gets {name}"
                if not filecmp.cmp(cached, vmlinux, shallow=False):
                    yield "what was downloaded is not the vmlinux"
                before, places = first.libraries(), pcs(first)
                old = os.path.join(loaded, "irqbypass.ko")
                size = len(first.read_file(old))
                if len([name for name in before if name.startswith(loaded)]) != 2 or \
                        NAMES not in before:
                    yield f"the libraries are {before} at first"
                names = first.read_file(NAMES)
                first.monitor("symbols --fetch kvm kvm-amd irqbypass")

                def have_come():
                    lines = first.monitor("symbols kvm kvm-amd irqbypass --json").splitlines()
                    rows = [json.loads(line) for line in lines]
                    return all(row.get("debug_info") for row in rows) and rows
                for row in wait_for("the modules", have_come):
                    name = row["object"].replace("_", "-") + ".ko"
                    real, = glob.glob(f"{modules}/**/{name}", recursive=True)
                    with open(real, "rb") as file:
                        served = first.read_file(row["file"]) if row["file"] in first.libraries() \
                            else b""
                        if served != file.read():
                            yield f"{row['object']}: what is served is not {real}"
                after = first.libraries()
                if len(after) != len(before) + 1 or NAMES in after or f"{NAMES}-2" not in after:
                    yield f"there were {before}, there are {after}"
                elif b"[kvm].text" in first.read_file(f"{NAMES}-2") or b"[kvm].text" not in names:
                    yield "kvm has a file, and its names are among those without, or never were"
                if first.read_file(NAMES) != names:
                    yield "names of modules without a file are others for those who had them"
                if len(first.read_file(old)) != size:
                    yield f"{old} is another file for those who had it"
                if pcs(first) != places:
                    yield "frames are elsewhere than before"
    del os.environ["DEBUGINFOD_URLS"]
    os.environ["DEBUGINFOD_CACHE_PATH"] = os.path.join(folder, "none")


def check_compressed(files, kernel, server, folder):
    """Modules as they are loaded, packed."""
    for name, command, end in [("kvm", "xz", ".xz"), ("kvm-amd", "zstd", ".zst"),
                               ("irqbypass", "gzip", ".gz")]:
        found = glob.glob(f"{kernel}/lib/modules/**/{name}.ko", recursive=True)
        if not found or not shutil.which(command):
            continue
        packed = os.path.join(folder, "packed", f"{name}.ko{end}")
        os.makedirs(os.path.dirname(packed), exist_ok=True)
        with open(packed, "wb") as file:
            subprocess.run([command, "-c", found[0]], stdout=file, check=True)
        with open(found[0], "rb") as file:
            real = file.read()
        with Server([server, "--symbols", os.path.dirname(packed)], files) as serving, \
                connected(serving) as client:
            served = packed.removesuffix(end)
            if served not in client.libraries():
                yield f"{packed} is no library: {client.libraries()}"
            elif client.read_file(served) != real:
                yield f"{served} is not what was packed"
            row = json.loads(client.monitor(f"symbols {name} --json"))
            if (row["file"], row["compressed"], row["symbols"]) != (packed, True, True):
                yield f"symbols: {row}"


def check_sections(files, vmlinux, modules, server, folder):
    """Debug sections compressed in each way: the frames of vCPUs, with what DWARF says."""
    real, = glob.glob(f"{modules}/**/kvm.ko", recursive=True)
    # Beside the vmlinux in its place lie modules that can be read.
    alone = os.path.join(folder, "alone", "vmlinux")
    os.makedirs(os.path.dirname(alone))
    os.symlink(vmlinux, alone)

    vcpus = json_lines(run([server, "-x", "vcpus --json", *files], server), server)
    tids = [vcpu["tid"] for vcpu in vcpus if "tid" in vcpu]
    plain = os.path.join(folder, "plain", "kvm.ko")
    os.makedirs(os.path.dirname(plain))
    shutil.copy(real, plain)

    def frames(module):
        command = [server, "--symbols", os.path.dirname(module), "--symbols", alone,
                   "-x", "symbols kvm --json"]
        for tid in tids:
            command += ["-x", f"bt {tid} --inline --json"]
        command += files
        row, *threads = json_lines(run(command, server), server)
        if row["file"] != module:
            raise Failure(f"it takes {row['file']}")
        return row, threads
    _, expected = frames(plain)
    if "inlined" not in json.dumps(expected):
        yield f"there is nothing to compare in the frames of {tids}"
    for kind, words in [("zlib-gabi", None), ("zlib-gnu", "GNU's old format"), ("zstd", "zstd")]:
        copy = os.path.join(folder, kind, "kvm.ko")
        os.makedirs(os.path.dirname(copy))
        try:
            run(["objcopy", f"--compress-debug-sections={kind}", real, copy], "objcopy")
        except Failure:
            continue  # an older objcopy
        row, seen = frames(copy)
        if words and not row["debug_info"]:
            if words not in row["debug_info_why"] or "objcopy" not in row["debug_info_why"]:
                yield f"{kind}: {row}"
            if [[frame.get("pc") for frame in thread["frames"]] for thread in seen] != \
                    [[frame.get("pc") for frame in thread["frames"]] for thread in expected]:
                yield f"{kind}: frames are missing"
        elif seen != expected:
            yield f"{kind}: the frames are others"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    manifest, name, server = sys.argv[1:]
    base = os.path.dirname(os.path.abspath(manifest))
    with open(manifest, encoding="utf-8") as file:
        entry, = [dump for dump in json.load(file)["dumps"] if dump["name"] == name]
    files = [os.path.join(base, path) for path in entry["files"]]
    vmlinux = os.path.join(base, entry["vmlinux"])
    # BASE/kernel/usr/lib/debug/boot/vmlinux-RELEASE
    modules = os.path.join(os.path.dirname(vmlinux), "../lib/modules")
    kernel = os.path.join(os.path.dirname(vmlinux), "../../../..")
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        try:
            wrong += check_compressed(files, kernel, server, folder)
            wrong += check_sections(files, vmlinux, modules, server, folder)
            wrong += check_download(files, vmlinux, modules, kernel, server, folder)
        except (Failure, ValueError, OSError) as error:
            wrong.append(error)
    for line in wrong:
        print(f"{name}: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
