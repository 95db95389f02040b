# SPDX-License-Identifier: GPL-2.0-or-later
"""--write-types: what the debug files of a kernel and of its modules tell, in one small file that does
in their place.

The demo in two, its vmlinux and kvm.ko: with the file alone all has to be as with them.
"""

import os
import re
import shutil
import subprocess
import tempfile

from gdb_run import gdb
from kvm_module import KERNEL_ID, MODULE_ID, make_all
from kvm_module import path as demo_path
from program import Server, run_program
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

RELEASE = "3.10.0-693.el7.x86_64"
folder = tempfile.TemporaryDirectory()


def path(*parts):
    return os.path.join(folder.name, *parts)


def write_types(name, *symbols):
    options = [word for file in symbols for word in ("--symbols", file)]
    return run_program("--write-types", path(name), *options)


def store():
    """The file, made once."""
    make_all()
    if not os.path.exists(path("store.types.tar.xz")):
        done = write_types("store.types.tar.xz", demo_path("vmlinux"), demo_path("right"))
        expect_equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "what it said")
        os.makedirs(path("unpacked"))
        subprocess.run(["tar", "xf", path("store.types.tar.xz"), "-C", path("unpacked")], check=True,
                       timeout=20)
    return path("store.types.tar.xz")


def unpacked(name):
    store()
    [found] = [os.path.join(root, name) for root, _, files in os.walk(path("unpacked"))
               if name in files]
    return found


def ask(line, *options):
    done = run_program("-q", *options, "--exec", line, demo_path("vmcore"))
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


def ask_files(line):
    return ask(line, "-s", demo_path("vmlinux"), "-s", demo_path("right"))


LINES = ("threads --json", "vms --json", "vcpus --json", "vcpu 110 --json", "bt --all --regs",
         "walk 110 gva 8000 --json", "dmesg")


def without_variables(text):
    """Where a function's variables lie is not in the file."""
    return re.sub(r"(\[kvm(?:_intel)?\])  \w+=.*", r"\1", text)


@check("with the file alone every register, frame and vCPU is as with the debug files")
def _():
    for line in LINES:
        expect_equal(ask(line, "-s", store()), without_variables(ask_files(line)), line)


@check("in a folder it is found by build-id, and kept in the symbol cache by build-ids")
def _():
    store()
    os.makedirs(path("team"))
    os.makedirs(path("cache"))
    shutil.copy(store(), path("team", "some-name.types.tar.xz"))
    wanted = ask("vcpus --json", "-s", store())
    expect_equal(ask("vcpus --json", "-s", path("team"), "--symbol-cache", path("cache")), wanted,
                 "from the folder")
    for build_id in (KERNEL_ID, MODULE_ID):
        expect(os.path.exists(path("cache", ".build-id", build_id[:2], build_id[2:] + ".debug")),
               f"{build_id} is not kept")


@check("unpacked its files serve, too")
def _():
    store()
    expect_equal(ask("vcpus --json", "-s", path("unpacked")), ask("vcpus --json", "-s", store()),
                 "vcpus")


@check("other tools read what is in it")
def _():
    for name, build_id in ((f"vmlinux-{RELEASE}", KERNEL_ID), ("kvm.ko", MODULE_ID)):
        said = subprocess.run([need_tool("readelf"), "-nSW", unpacked(name)], check=True,
                              timeout=20, capture_output=True, text=True)
        expect_in(f"Build ID: {build_id}", said.stdout)
        expect_in(" .BTF ", said.stdout)
        expect_not_in(" .debug_info ", said.stdout)
        expect_equal(said.stderr, "", "readelf's warnings")
    sizes = [subprocess.run([need_tool("pahole"), "-F", kind, "--sizes", file], check=True,
                            timeout=20, capture_output=True, text=True).stdout
             for kind, file in (("btf", unpacked(f"vmlinux-{RELEASE}")), ("dwarf", demo_path("vmlinux")))]
    # Holes, which are the last number, are counted in other ways; an anonymous one is in both.
    sizes = [sorted(line.split()[:2] for line in text.splitlines() if "task_struct" in line or
                    "list_head" in line or "thread" in line) for text in sizes]
    expect(sizes[0], "pahole shows nothing")
    expect_equal(sizes[0], sizes[1], "structures by pahole")


@check("gdb without any file gets names, types and frames by it")
def _():
    with Server("--symbols", store(), dump=demo_path("vmcore"), symbols=store()) as server:
        done = gdb("p ((struct kvm_vcpu *)$kvm_vcpu)->vcpu_id", "bt 3", attach=server.address)
        expect_in("$1 = ", done)
        expect_in("kvm_mmu_load", done)


@check("what cannot be made of is refused, and no file is left")
def _():
    make_all()
    vmlinux, kvm = demo_path("vmlinux"), demo_path("right", "kvm.ko")
    subprocess.run([need_tool("objcopy"), "--strip-debug", vmlinux, path("bare")], check=True,
                   timeout=20)
    with open(path("text"), "w", encoding="ascii") as file:
        file.write("no ELF file, but long enough to be looked at")
    with open(vmlinux, "rb") as file:
        head = file.read(20000)
    with open(path("cut"), "wb") as file:
        file.write(head)
    os.makedirs(path("empty"), exist_ok=True)
    for files, said in (([kvm], "there is no vmlinux with debug information"),
                        ([path("empty")], "there is no vmlinux with debug information"),
                        ([path("bare")], "it has no DWARF to take types from"),
                        ([vmlinux, demo_path("other", "kvm.ko"), kvm], "it is another build of kvm"),
                        ([path("text")], "it is no ELF file"),
                        ([path("cut")], "it is cut off"),
                        ([path("nothing")], "No such file")):
        done = write_types("no.types.tar.xz", *files)
        expect(done.returncode != 0, f"{files}: status")
        expect_in("--write-types: ", done.stderr)
        expect_in(said, done.stderr)
        expect_equal(done.stderr.count("\n"), 1, "lines")
        expect(not os.path.exists(path("no.types.tar.xz")), f"{files}: a file is left")


@check("nothing is overwritten, and the name says what it is")
def _():
    make_all()
    with open(path("there.types.tar.xz"), "w", encoding="ascii") as file:
        file.write("precious")
    expect_in("is there already", write_types("there.types.tar.xz", demo_path("vmlinux")).stderr)
    with open(path("there.types.tar.xz"), encoding="ascii") as file:
        expect_equal(file.read(), "precious", "the file")
    expect_in("call it ", write_types("types.tar.xz", demo_path("vmlinux")).stderr)


@check("it takes debug files and nothing else")
def _():
    expect_in("needs a vmlinux with debug information", write_types("no.types.tar.xz").stderr)
    done = run_program("--write-types", path("no.types.tar.xz"), "-s", path("x"), demo_path("vmcore"))
    expect_in("--write-types looks at debug files alone", done.stderr)


run_checks()
