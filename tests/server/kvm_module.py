# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo, cut in two: its vmlinux without the debug information of kvm.o, and that as kvm.ko."""

import os
import subprocess
import tempfile

from program import SOURCE
from recipes import MAKER
from tap import need_tool

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
