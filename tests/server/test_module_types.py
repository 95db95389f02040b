#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM's types where the vmlinux has none of them and the kernel keeps no BTF of modules, as before
5.11: from the debug file of kvm.ko, whichever way that is found.

The demo again, cut in two: its vmlinux without the debug information of kvm.o, and that as kvm.ko.
All that it says has to be what the demo says of itself.
"""

import http.server
import os
import threading

from gdb_run import gdb
from kvm_module import MODULE_ID, OTHER_ID, made, make_all, path
from program import Server, monitor, run_program
from tap import Skip, check, expect_equal, expect_in, expect_not_in, run_checks


def ask(line, *symbols):
    make_all()
    options = [word for name in symbols for word in ("--symbols", name)]
    done = run_program("-q", "--symbols", path("vmlinux"), *options, "--exec", line,
                       path("vmcore"))
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


@check("without the module's file: that is said, with its build-id")
def _():
    text = ask("vms")
    expect_in("no virtual machines: types of module kvm: no file of module kvm with build-id", text)
    expect_in(MODULE_ID, text)
    expect_not_in("[kvm]  vcpu=", ask("bt"))


@check("a file of another build of the module is not believed")
def _():
    text = ask("vms", made["other"])
    expect_in("those found are of other builds", text)
    expect_in(OTHER_ID, ask("symbols", made["other"]))


@check("with the module's file all is as with a vmlinux that knows KVM")
def _():
    make_all()
    for line in ("vms --json", "vcpus --json", "vcpu 110 --json", "mmu 110 --json",
                 "walk 110 gva 8000 --json", "ept 110 --summary --json", "threads --json"):
        expect_equal(ask(line, made["right"]), monitor(line), line)


@check("a debugger has the vCPU in its thread's registers and name, and its structure")
def _():
    make_all()
    with Server("--symbols", made["right"], dump=path("vmcore"),
                symbols=path("vmlinux")) as server:
        done = gdb("p/x $kvm_vcpu", "info threads",
                   "p ((struct kvm_vcpu *)$kvm_vcpu)->arch.mmu.root_hpa", attach=server.address,
                   vmlinux=path("vmlinux"))
        expect_in("$1 = 0xffff88043ea73280", done)
        expect_in("vm 103 vcpu 0", done)
        expect_in("$2 = 87064576", done)


class OneFile(http.server.BaseHTTPRequestHandler):
    """debuginfod with kvm.ko alone."""

    def do_GET(self):
        found = self.path == f"/buildid/{MODULE_ID}/debuginfo"
        data = b""
        if found:
            with open(os.path.join(made["right"], "kvm.ko"), "rb") as file:
                data = file.read()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@check("a file that comes from debuginfod while VMs are unknown: they are known from then on")
def _():
    make_all()
    with http.server.HTTPServer(("127.0.0.1", 0), OneFile) as web:
        threading.Thread(target=web.serve_forever, args=(0.1,), daemon=True).start()
        words = ["vms", "symbols --fetch kvm", "vms --json"]
        lines = [word for line in words for word in ("--exec", line)]
        done = run_program("-q", "--symbols", path("vmlinux"), *lines, path("vmcore"),
                           env={"PATH": os.environ["PATH"], "no_proxy": "*",
                                "DEBUGINFOD_URLS": f"http://127.0.0.1:{web.server_port}",
                                "DEBUGINFOD_CACHE_PATH": path("cache")})
        web.shutdown()
    if "built without libdebuginfod" in done.stdout + done.stderr:
        raise Skip("this program was built without libdebuginfod")
    expect_in("no virtual machines", done.stdout)
    expect_in(monitor("vms --json"), done.stdout)


run_checks()
