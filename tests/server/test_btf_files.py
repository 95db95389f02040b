# SPDX-License-Identifier: GPL-2.0-or-later
"""Types from files of BTF alone, which pahole makes: all that is said has to be what is said with the
vmlinux that they are made of; what is of another kernel is refused.

The demo, whose kernel has no BTF. Names come from its vmlinux without debug information.
"""

import lzma
import os
import struct
import subprocess
import tarfile
import tempfile

from kvm_module import make_all
from kvm_module import path as demo_path
from program import VMLINUX, monitor, run_program
from tap import (check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks)

VMCORE = os.path.abspath("contrib/demo/vmcore")
RELEASE = "3.10.0-693.el7.x86_64"
folder = tempfile.TemporaryDirectory()


def path(*parts):
    return os.path.join(folder.name, *parts)


def fresh(*names):
    """A new folder with copies of these files under these names: (NAME, FILE)."""
    new = tempfile.mkdtemp(dir=folder.name)
    for name, source in names:
        write(os.path.join(new, name), read(source))
    return new


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def encode(name, source, base=None):
    """What pahole makes of the DWARF in @source, once."""
    if not os.path.exists(path(name)):
        words = [need_tool("pahole"), "-J", f"--btf_encode_detached={path(name)}"]
        subprocess.run(words + (["--btf_base", base] if base else []) + [source], check=True,
                       timeout=20, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path(name)


def kernel_btf():
    return encode("kernel.btf", VMLINUX)


def names_only():
    if not os.path.exists(path("names")):
        subprocess.run([need_tool("objcopy"), "--strip-debug", VMLINUX, path("names")], check=True,
                       timeout=20)
    return path("names")


def ask(line, *symbols, vmcore=VMCORE, names=None):
    options = [word for name in (names or names_only(), *symbols) for word in ("-s", name)]
    return run_program("-q", *options, "-x", line, vmcore)


def answer(line, *symbols, **more):
    done = ask(line, *symbols, **more)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


# ---- a reader of BTF of its own (Documentation/bpf/btf.rst), to change one ----

SIZES = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0),
         15: (0, 12), 17: (4, 0), 19: (0, 12)}


def moved(data, struct_name, member, bytes_on):
    """The BTF @data with this member that much further on."""
    data = bytearray(data)
    header, types, types_len, strings, strings_len = struct.unpack_from("<5I", data, 4)
    names = bytes(data[header + strings:header + strings + strings_len])

    def text(at):
        return names[at:names.index(b"\0", at)].decode()

    at = header + types
    while at < header + types + types_len:
        name, info, _ = struct.unpack_from("<3I", data, at)
        kind, count = info >> 24 & 0x1f, info & 0xffff
        if kind == 4 and text(name) == struct_name:
            for i in range(at + 12, at + 12 + 12 * count, 12):
                if text(struct.unpack_from("<I", data, i)[0]) == member:
                    where = struct.unpack_from("<I", data, i + 8)[0]
                    struct.pack_into("<I", data, i + 8, where + 8 * bytes_on)
                    return bytes(data)
        once, each = SIZES.get(kind, (0, 0))
        at += 12 + once + each * count
    raise AssertionError(f"there is no {member} in {struct_name}")


# ---- the kernel's ----

@check("a file of BTF, named: everything is as with the vmlinux")
def _():
    for line in ("threads --json", "vms --json", "vcpus --json", "vcpu 110 --json",
                 "walk 110 gva 8000 --json", "modules --json", "dmesg"):
        expect_equal(answer(line, kernel_btf()), monitor(line), line)
    frames = [text.replace("  fp  ", "  cfi ") for text in
              (answer("bt --all", kernel_btf()), monitor("bt --all"))]
    expect_equal(frames[0], frames[1], "frames")


@check("info says where types come from, and what they were proven by")
def _():
    # init_task, its three processes, and what its VMCOREINFO says of the types that there are.
    expect_in(f"types from BTF of {kernel_btf()} (init_task, 3 tasks and ",
              answer("info", kernel_btf()))


@check("compressed, in a folder by the release's name, in an archive of one: the same")
def _():
    packed = write(path("kernel.btf.xz"), lzma.compress(read(kernel_btf())))
    archive = path("some.btf.tar.xz")
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(kernel_btf(), f"{RELEASE}.btf")
    wanted = monitor("threads")
    for symbols in (packed, archive, fresh((f"{RELEASE}.btf", kernel_btf())),
                    fresh((f"{RELEASE}.btf.tar.xz", archive)), fresh(("vmlinux.btf", kernel_btf())),
                    fresh(("vmlinux", kernel_btf()))):
        expect_equal(answer("threads", symbols), wanted, symbols)


@check("what a kernel's files are not called in a folder is not looked at")
def _():
    text = answer("info", fresh(("4.18.0-80.el8.x86_64.btf", kernel_btf())))
    expect_in("missing   types", text)
    expect_in(f". Its BTF alone would give them, too: --symbols {RELEASE}.btf\n", text)


@check("without names nothing can be proven, and that is said")
def _():
    done = run_program("-q", "-s", kernel_btf(), "-x", "info", VMCORE)
    expect_in("nothing tells whether it is of this kernel: where init_task is, is not known",
              done.stdout)
    expect_in("missing   types", done.stdout)


# What is moved, and what is said not to agree.
OTHERS = [
    ("task_struct", "comm", 8, "the name of init_task"),
    ("task_struct", "tgid", 4, "by it the thread group's ID of "),
    ("task_struct", "tasks", 8, "by it the list of tasks of init_task"),
    ("task_struct", "stack", 8, "by it the "),
    ("thread_struct", "sp", 8, "by it the thread.sp of "),
    ("list_head", "next", 8, "by it the offset of list_head.next is 8, by the dump's VMCOREINFO 0"),
    ("new_utsname", "release", 65, "by it the release in init_uts_ns would be "),
]


@check("a file of another kernel is refused with what does not agree")
def _():
    for struct_name, member, by, said in OTHERS:
        other = write(path("other.btf"), moved(read(kernel_btf()), struct_name, member, by))
        done = ask("info", other)
        expect(done.returncode != 0, f"{member}: status")
        expect_in(f"{other}: it belongs to another kernel: ", done.stderr)
        expect_in(said, done.stderr)
        expect_equal(done.stderr.count("\n"), 1, "lines")


@check("one in a folder is passed over with a note, and the next is tried")
def _():
    other = write(path("other.btf"), moved(read(kernel_btf()), "task_struct", "comm", 8))
    text = answer("info", fresh((f"{RELEASE}.btf", other)))
    expect_in(f"/{RELEASE}.btf: it belongs to another kernel: ", text)
    expect_in("missing   types", text)
    text = answer("info", fresh((f"{RELEASE}.btf", other), ("vmlinux.btf", kernel_btf())))
    expect_in("/vmlinux.btf (init_task, 3 tasks", text)


@check("damage is one sentence")
def _():
    for data in (read(kernel_btf())[:300], b"\x9f\xeb\x01\x00", b"\x9f\xeb\x01" + bytes(100)):
        done = ask("info", write(path("damaged.btf"), data))
        expect(done.returncode != 0, "status")
        expect_in("damaged.btf: BTF: ", done.stderr)
    done = ask("info", write(path("damaged.btf.tar.xz"), read(path("some.btf.tar.xz"))[:200]))
    expect_in("damaged.btf.tar.xz: it is damaged or cut off", done.stderr)
    with tarfile.open(path("empty.btf.tar.xz"), "w:xz") as tar:
        tar.add(VMLINUX, "vmlinux")
    expect_in("empty.btf.tar.xz: there is no BTF in it", ask("info", path("empty.btf.tar.xz")).stderr)


# ---- a module's ----

def module_parts():
    """Of the demo in two: the vmlinux's BTF, and what kvm.ko adds to it."""
    make_all()
    kernel = encode("bare.btf", demo_path("vmlinux"))
    return kernel, encode("kvm.btf", demo_path("right", "kvm.ko"), kernel)


def ask_parts(line, *symbols):
    subprocess.run([need_tool("objcopy"), "--strip-debug", demo_path("vmlinux"), path("bare")],
                   check=True, timeout=20)
    return answer(line, *symbols, vmcore=demo_path("vmcore"), names=path("bare"))


@check("a module's BTF over the kernel's: KVM is as with a vmlinux that knows it")
def _():
    kernel, kvm = module_parts()
    for line in ("vms --json", "vcpus --json", "vcpu 110 --json", "threads --json"):
        expect_equal(ask_parts(line, kernel, kvm), monitor(line), line)
        expect_equal(ask_parts(line, fresh(("vmlinux.btf", kernel), ("kvm.btf", kvm))),
                     monitor(line), line)


@check("a module's BTF over another kernel's is not believed")
def _():
    kernel, kvm = module_parts()
    expect_in("it builds on the BTF of another kernel",
              ask_parts("vms", write(path("longer.btf"), with_string(read(kernel))), kvm))


def with_string(data):
    """The BTF @data with one more string behind the others."""
    header, _, _, strings, strings_len = struct.unpack_from("<5I", data, 4)
    start = header + strings
    return data[:20] + struct.pack("<I", strings_len + 2) + data[24:start] + \
        data[start:start + strings_len] + b"x\0" + data[start + strings_len:]



run_checks()
