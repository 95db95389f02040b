#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor modules on dumps whose kernel lays modules out as each generation has done it, names in
frames there, and a file that is put where those kernels say, which drgn does as well."""

import json
import os
import subprocess
import tempfile

from program import SOURCE, run_program
from recipes import MAKER
from tap import Skip, check, expect_equal, expect_in, need_tool, run_checks

CODE, FREED = 0xffffffffc0400000, 0xffffffffc0700000
# Recipe: kernel, read-only data and data. In the older ones all is one region.
LAYOUTS = {
    "310": ("310", CODE + 0x1000, CODE + 0x2000),
    "405": ("405", CODE + 0x1000, CODE + 0x2000),
    "500": ("405", CODE + 0x1000, CODE + 0x2000),
    "502": ("502", CODE + 0x1000, CODE + 0x2000),
    "508": ("508", CODE + 0x1000, CODE + 0x2000),
    "604": ("604", 0xffffffffc0600000, 0xffffffffc0500000),
    "614": ("614", 0xffffffffc0600000, 0xffffffffc0500000),
}
OF_SECTION, OF_FILE, OF_MODULE = "aa" * 20, "bb" * 20, "cc" * 20
folder = tempfile.TemporaryDirectory()


def make(layout, statements, *options):
    """A dump with this layout, and some statements more; returns its kernel and itself."""
    kernel = f"tests/kernel/modules-{LAYOUTS[layout][0]}"
    if not os.path.exists(f"{kernel}/modern"):
        raise Skip(f"{kernel}/modern was not built: cmocka is missing")
    recipe, dump = (os.path.join(folder.name, layout + end) for end in (".recipe", ""))
    with open(recipe, "w", encoding="ascii") as file:
        file.write(f'include "layout-{layout}.recipe"\n{statements}')
    subprocess.run([MAKER, *options, "-I", kernel, "-I", os.path.join(SOURCE, "tests/kernel"),
                    recipe, dump], check=True, timeout=20)
    return f"{kernel}/modern", dump


def run_on(layout, line, statements="", symbols=()):
    """What the monitor command says of such a dump."""
    kernel, dump = make(layout, statements)
    options = [word for path in symbols for word in ("--symbols", path)]
    done = run_program("--symbols", kernel, *options, "--exec", line, dump)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{layout}: status and standard error")
    return done.stdout


def module_of(layout, statements=""):
    lines = run_on(layout, "modules --json", statements).splitlines()
    expect_equal(len(lines), 1, f"{layout}: modules")
    row = json.loads(lines[0])
    expect_equal((row["name"], row["state"]), ("lay", "live"), f"{layout}: the module")
    return row


def expect_regions(layout, row):
    _, rodata, data = LAYOUTS[layout]
    regions = [(CODE, CODE + 0x3000, True)]
    if data != CODE + 0x2000:
        regions = [(CODE, CODE + 0x1000, True), (data, data + 0x1000, False),
                   (rodata, rodata + 0x1000, False)]
    expect_equal([(int(region["start"], 16), int(region["end"], 16), region["code"])
                  for region in row["ranges"]], regions, f"{layout}: regions")
    expect_equal((row["size"], int(row["module"], 16)), (0x3000, data), f"{layout}: size, place")


for number in LAYOUTS:
    @check(f"modules --json: regions, sections and build-id as in {number}")
    def _(layout=number):
        _, rodata, data = LAYOUTS[layout]
        row = module_of(layout)
        expect_regions(layout, row)
        expect_equal([(section["name"], int(section["address"], 16), section["loaded"])
                      for section in row["sections"]],
                     [(".note.gnu.build-id", rodata + 0x100, True), (".text", CODE, True),
                      (".init.text", FREED, False), (".rodata", rodata, True),
                      (".data", data, True)], f"{layout}: sections")
        expect_equal(row["build_id"], OF_SECTION, f"{layout}: build-id")


@check("modules --json: without sections the build-id is that of the notes, then struct module's")
def _():
    for layout in LAYOUTS:
        row = module_of(layout, "put module at mod: sect_attrs = 0\n")
        expect_equal((row["build_id"], row["sections"]), (OF_FILE, []), f"{layout}: of the notes")
        expect_regions(layout, row)
        row = module_of(layout, "put module at mod: sect_attrs = 0 notes_attrs = 0\n")
        expect_equal(row.get("build_id"), OF_MODULE if int(layout) >= 508 else None,
                     f"{layout}: of struct module")


def frame_in_module(layout, statements=""):
    """That of a task which was switched out in the module."""
    line = "put inactive_task_frame at init_stk + 0x3e00: ret_addr = code + 0x88\n"
    return json.loads(run_on(layout, "bt 1 --json", line + statements))["frames"][0]


@check("bt: names of modules in every layout")
def _():
    for layout in LAYOUTS:
        frame = frame_in_module(layout)
        expect_equal((frame.get("name"), frame.get("offset"), frame.get("module")),
                     ("lay_release", 8, "lay"), f"{layout}: the frame")


@check("read and vtop: symbols of modules by name")
def _():
    for layout in LAYOUTS:
        _, _, data = LAYOUTS[layout]
        for name in ("lay_data", "lay:lay_data"):
            got = json.loads(run_on(layout, f"read {name} 8 --json",
                                    f"virt {data + 0x800:#x}: 0x1122334455667788\n"))
            expect_equal((got["address"], got["bytes"]),
                         (f"{data + 0x800:#x}", "8877665544332211"), f"{layout}: {name}")
        got = json.loads(run_on(layout, "vtop lay:lay_open --json"))
        expect_equal((got["address"], got["physical"]), (f"{CODE + 0x10:#x}", "0x19000010"),
                     f"{layout}: vtop")


def refused(line, statements=""):
    kernel, dump = make("614", statements)
    done = run_program("--symbols", kernel, "--exec", line, dump)
    expect_equal((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1), line)
    return done.stderr


@check("read: a name that says too little is refused with what there is of it")
def _():
    expect_in("there is no module 'kvm'", refused("read kvm:lay_data 8"))
    expect_in("module lay has no symbol 'init_task'", refused("read lay:init_task 8"))
    expect_in("module lay has no symbol ''", refused("read lay: 8"))
    expect_in("there is no module ''", refused("read :lay_data 8"))
    twice = "put elf64_sym at symtab + 48: st_name = 1\n"
    for name in ("lay_open", "lay:lay_open"):
        said = refused(f"read {name} 8", twice)
        for part in ("2 symbols", f"{CODE + 0x10:#x}", f"{CODE + 0x80:#x}"):
            expect_in(part, said)
    percpu = "put module at mod: percpu = data + 0x800 percpu_size = 16\n"
    for name in ("lay_data", "lay:lay_data"):
        expect_in("'lay_data' of module lay is a per-CPU variable", refused(f"vtop {name}", percpu))


@check("modules: lists that are damaged are said to be, and the rest is there")
def _():
    name = "virt section_name: 8\n"
    for layout, damage, why in [
            ("310", "put module_sect_attrs at sections: nsections = 0xffffffff\n", "4294967295"),
            ("310", name, "read the name of the module_sect_attr"),
            ("614", name, "read the name of the bin_attribute"),
            ("614", "put module_sect_attrs at sections: grp.bin_attrs = 8\n", "0x8")]:
        row = module_of(layout, damage)
        expect_regions(layout, row)
        expect_equal((row["sections"], row["build_id"]), ([], OF_FILE), f"{layout}: {damage}")
        text = run_on(layout, "modules", damage)
        expect_in(why, text)
        expect_in("lay  live", text)
        expect_equal(frame_in_module(layout, damage)["name"], "lay_release", f"{layout}: a name")


# ---- a file of the module ----

SOURCE_OF_MODULE = """
__attribute__((section(".modinfo"), used)) static const char modinfo[] = "name=lay";
__attribute__((section(".gnu.linkonce.this_module"), used)) char this_module[1024] = "";
int lay_data = 1;
int lay_open(void) { return lay_data; }
"""


def make_file():
    """The folder with the module's file."""
    compiler, linker = need_tool("cc"), need_tool("ld")
    files = os.path.join(folder.name, "files")
    source, module = os.path.join(folder.name, "lay.c"), os.path.join(files, "lay.ko")
    if os.path.exists(module):
        return files
    os.makedirs(files, exist_ok=True)
    with open(source, "w", encoding="ascii") as file:
        file.write(SOURCE_OF_MODULE)
    subprocess.run([compiler, "-g", "-c", "-fno-pic", "-o", source + ".o", source], check=True)
    subprocess.run([linker, "-r", f"--build-id=0x{OF_SECTION}", "-o", module, source + ".o"],
                   check=True)
    return files


@check("a module's file is put where the kernel says that its sections are")
def _():
    files = make_file()
    for layout, (_, rodata, data) in LAYOUTS.items():
        text = run_on(layout, "lldb-script", symbols=[files])
        expect_in(f'add "{files}/lay.ko"', text)
        for section, address in [(".text", CODE), (".data", data),
                                 (".note.gnu.build-id", rodata + 0x100)]:
            expect_in(f" {section} {address:#x}", text)


DRGN = """
import json, sys
import drgn
prog = drgn.Program()
prog.set_core_dump(sys.argv[2])
prog.load_debug_info([sys.argv[1]])
try:
    prog.load_debug_info([sys.argv[3]])
except drgn.MissingDebugInfoError as error:
    json.dump(str(error), sys.stdout)
else:
    json.dump([prog[name].address_ for name in ("lay_open", "lay_data")], sys.stdout)
"""
# What drgn wants besides: the kernel where it was linked, and the build-id in the list of notes.
FOR_DRGN = f"""
virt file_note + 16: fill 0x{OF_SECTION[:2]} 20
segment _text+slide image 8m
vmcoreinfo: text "PAGESIZE=4096"
"""

for number in ["310", "405", "508", "604", "614"]:
    @check(f"drgn reads the layout of {number} as well, and puts the file there")
    def _(layout=number):
        found = subprocess.run(["sh", os.path.join(SOURCE, "tests/real/find_python.sh")],
                               stdout=subprocess.PIPE, text=True, check=False)
        if found.returncode:
            raise Skip("no Python on this machine can import drgn")
        kernel, dump = make(layout, FOR_DRGN, "-D", "slide=0")
        done = subprocess.run([found.stdout.strip(), "-c", DRGN, kernel, dump,
                               os.path.join(make_file(), "lay.ko")],
                              stdout=subprocess.PIPE, text=True, check=True, timeout=20)
        answer = json.loads(done.stdout)
        if isinstance(answer, str):
            raise Skip("this drgn does not know it: " + " ".join(answer.split()))
        expect_equal(answer, [CODE, LAYOUTS[layout][2]], "lay_open, lay_data")


run_checks()
