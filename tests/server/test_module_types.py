#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM's types where the vmlinux has none of them and the kernel keeps no BTF of modules, as before
5.11: from the debug file of kvm.ko, whichever way that is found.

The demo again, cut in two: its vmlinux without the debug information of kvm.o, and that as kvm.ko.
All that it says has to be what the demo says of itself.
"""

import http.server
import os
import subprocess
import tempfile
import threading

from gdb_run import gdb
from program import SOURCE, Server, monitor, run_program
from recipes import MAKER
from tap import Skip, check, expect_equal, expect_in, expect_not_in, need_tool, run_checks

DEMO = os.path.join(SOURCE, "contrib/demo")
OBJECTS = "contrib/demo"
KERNEL_ID, MODULE_ID, OTHER_ID = "11" * 20, "22" * 20, "33" * 20

# include/linux/module.h, include/linux/sysfs.h: as they were until 5.7.
ATTRIBUTES = """
struct attribute { const char *name; unsigned short mode; };
struct bin_attribute { struct attribute attr; unsigned long size; void *private; };
struct module_attribute { struct attribute attr; void *show, *store, *setup, *test, *free; };
struct module_sect_attr { struct module_attribute mattr; char *name; unsigned long address; };
struct module_sect_attrs {
    void *grp[4]; unsigned int nsections; struct module_sect_attr attrs[0];
};
struct module_notes_attrs { void *dir; unsigned int notes; struct bin_attribute attrs[0]; };
struct module_sect_attrs *use_sections;
struct module_notes_attrs *use_notes;
"""

STATEMENTS = f"""
set heap direct + 0x3d000000
zero heap 12k
set notes heap + 0x1000
set name heap + 0x2000
set note heap + 0x2100
set data_name heap + 0x2200
virt name: ".note.gnu.build-id"
virt note: u32 4 20 3 "GNU\\0" fill 0x22 20
virt data_name: ".data.kvm"
put module_sect_attrs at heap: nsections = 1
put module_sect_attr at &module_sect_attrs(heap).attrs: mattr.attr.name = data_name
\tname = data_name address = 0xffffffffc09d4000
put module_notes_attrs at notes: notes = 1
put bin_attribute at &module_notes_attrs(notes).attrs: attr.name = name private = note size = 36
put module at kvm_module: sect_attrs = heap notes_attrs = notes
"""

folder = tempfile.TemporaryDirectory()
made = {}


def path(*parts):
    return os.path.join(folder.name, *parts)


def run(*words):
    subprocess.run(words, check=True, timeout=20, stdin=subprocess.DEVNULL)


def link(name, kvm):
    """A vmlinux of the demo's objects, with this one for kvm.o."""
    objects = [f"{OBJECTS}/{part}.o" for part in ("text", "text-kvm", "data")]
    run(need_tool("ld"), "-nostdlib", "-static", "-z", "max-page-size=4096", "-z", "noexecstack",
        f"--build-id=0x{KERNEL_ID}", "-T", f"{DEMO}/vmlinux.lds", "-o", path(name), *objects, kvm,
        path("attributes.o"))


def module(name, build_id):
    """kvm.ko in a folder of this name."""
    os.makedirs(path(name))
    run(need_tool("ld"), "-r", f"--build-id=0x{build_id}", "-o", path(name, "kvm.ko"),
        f"{OBJECTS}/kvm.o")
    return path(name)


def make_all():
    """The dump, its vmlinux (vmlinux, which knows KVM for the recipe; bare, which does not) and the
    module's files, once."""
    if made:
        return
    with open(path("attributes.c"), "w", encoding="ascii") as file:
        file.write(ATTRIBUTES)
    run(need_tool("gcc"), "-g", "-gdwarf-4", "-c", "-fno-pic", "-mcmodel=kernel", "-o",
        path("attributes.o"), path("attributes.c"))
    run(need_tool("objcopy"), "--strip-debug", f"{OBJECTS}/kvm.o", path("kvm-bare.o"))
    link("vmlinux", f"{OBJECTS}/kvm.o")
    with open(path("recipe"), "w", encoding="ascii") as file:
        file.write(f'include "seed.recipe"\n{STATEMENTS}')
    run(MAKER, "-I", DEMO, "-I", folder.name, path("recipe"), path("vmcore"))
    os.rename(path("vmlinux"), path("whole"))
    link("vmlinux", path("kvm-bare.o"))
    made["right"] = module("right", MODULE_ID)
    made["other"] = module("other", OTHER_ID)


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
