# SPDX-License-Identifier: GPL-2.0-or-later
"""The debug packages as they come: --symbols PACKAGE, and folders of them.

The demo, cut in vmlinux and kvm.ko, in packages of each distribution's layout. All that it says has
to be what it says with the files themselves.
"""

import functools
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from kvm_module import KERNEL_ID, MODULE_ID, made, make_all
from kvm_module import path as demo_path
from package_files import deb, deb_of, rpm, tar
from program import PROGRAM, VMLINUX, Server, monitor, run_program
from recipes import make_changed_dump
from rsp import Client
from tap import (Skip, check, expect, expect_equal, expect_in, expect_not_in, need_tool,
                 run_checks)

RELEASE = "3.10.0-693.el7.x86_64"
OTHER_RELEASE = "3.10.0-1160.el7.x86_64"
RED_HAT = f"usr/lib/debug/lib/modules/{RELEASE}"
folder = tempfile.TemporaryDirectory()
kept = {}


def path(*parts):
    return os.path.join(folder.name, *parts)


def fresh():
    return tempfile.mkdtemp(dir=folder.name)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def vmlinux():
    make_all()
    return read(demo_path("vmlinux"))


def kvm():
    make_all()
    return read(os.path.join(made["right"], "kvm.ko"))


def other_kvm():
    make_all()
    return read(os.path.join(made["other"], "kvm.ko"))


# What the distributions' packages look like: where the vmlinux lies, before or behind the modules.
def red_hat(release=RELEASE):
    top = f"usr/lib/debug/lib/modules/{release}"
    return [("usr/lib/debug/.build-id/11/11.debug", None, f"../../lib/modules/{release}/vmlinux"),
            (f"{top}/kernel/arch/x86/kvm/kvm.ko.debug", kvm()),
            (f"{top}/kernel/fs/ext4/ext4.ko.debug", other_kvm()),
            (f"{top}/vdso/vdso64.so.debug", b"\x7fELF"),
            (f"{top}/vmlinux", vmlinux())]


def debian(release=RELEASE):
    top = f"usr/lib/debug/lib/modules/{release}"
    return [(f"usr/lib/debug/boot/System.map-{release}", b"0 A zero\n"),
            (f"usr/lib/debug/boot/vmlinux-{release}", vmlinux()),
            (f"{top}/kernel/fs/ext4/ext4.ko", other_kvm()),
            (f"{top}/kernel/arch/x86/kvm/kvm.ko", kvm()),
            (f"{top}/vmlinux", None, f"../../../boot/vmlinux-{release}")]


def suse(release=RELEASE):
    top = f"usr/lib/debug/lib/modules/{release}"
    return [(f"usr/lib/debug/boot/vmlinux-{release}.debug", vmlinux()),
            (f"{top}/kernel/arch/x86/kvm/kvm.ko.zst.debug", kvm())]


KINDS = {
    f"kernel-debuginfo-{RELEASE}.rpm": lambda: rpm(red_hat()),
    f"old-debuginfo-{RELEASE}.rpm": lambda: rpm(red_hat(), "bz2"),
    f"linux-image-{RELEASE}-dbg_1_amd64.deb": lambda: deb(debian()),
    f"linux-image-unsigned-{RELEASE}-dbgsym.ddeb": lambda: deb(debian(), "gz"),
    "kernel-default-debuginfo-3.10.0.rpm": lambda: rpm(suse(), "gz"),
}


def package(name):
    """In a folder of its own; made once."""
    if name not in kept:
        kept[name] = write(os.path.join(fresh(), name), KINDS[name]())
    return kept[name]


def any_package():
    return package(f"kernel-debuginfo-{RELEASE}.rpm")


@functools.cache
def need_libarchive():
    done = run_program("-q", "--symbols", any_package(), "--exec", "info", demo_path("vmcore"))
    if "which this program was built without" in done.stderr:
        raise Skip("this program was built without libarchive")


def run(*words, symbols=(), dump=None, cache=None, **how):
    """With a temporary folder of its own, which is empty again at the end."""
    need_libarchive()
    place = fresh()
    options = [word for name in symbols for word in ("--symbols", name)]
    if cache:
        options += ["--symbol-cache", cache]
    done = run_program(*options, *words, dump or demo_path("vmcore"),
                       env={**os.environ, "TMPDIR": place}, **how)
    expect_equal(os.listdir(place), [], "what is left in the temporary folder")
    return done


def ask(line, *symbols, **how):
    done = run("-q", "--exec", line, symbols=symbols, **how)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{line}: status and standard error")
    return done.stdout


def refused(*symbols, **how):
    """The one sentence with which it ends."""
    done = run("-q", "--exec", "info", symbols=symbols, **how)
    expect_equal((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1),
                 f"status and output ({done.stderr})")
    return done.stderr


def missing(*symbols, **how):
    """The line of info that says why there are no types; the dump is served all the same."""
    said = ask("info", *symbols, **how)
    return next(line + "\n" for line in said.splitlines() if line.startswith("missing "))


@functools.cache
def right(line):
    return monitor(line)


def expect_the_demo(*symbols, **how):
    for line in ("vms --json", "vcpus --json", "threads --json"):
        expect_equal(ask(line, *symbols, **how), right(line), line)
    expect_in("vmx_set_cr3", ask("bt", *symbols, **how))


for NAME in KINDS:
    @check(f"{NAME}: vmlinux and kvm.ko out of it, without a trace")
    def _(name=NAME):
        given = package(name)
        expect_the_demo(given)
        row = json.loads(ask("info --json", given))
        expect_equal((row["vmlinux"], row["from_package"]), (f"{given}/vmlinux", given), "the file")
        expect_in(f"vmlinux {given}/vmlinux\n", ask("info", given))
        row = json.loads(ask("symbols kvm --json", given))
        expect_equal((row["file"], row["from_package"], row["compressed"], row["debug_info"]),
                     (f"{given}/kvm.ko", given, False, True), "the module's file")
        rows = map(json.loads, ask("modules --json", given).splitlines())
        row = next(row for row in rows if row["name"] == "kvm")
        expect_equal(row["from_package"], given, "the module's package")

    @check(f"{NAME}: in a folder with others")
    def _(name=NAME):
        place = fresh()
        given = shutil.copy(package(name), place)
        for number, files in enumerate([debian(OTHER_RELEASE), red_hat("6.1.0-other"),
                                        [("usr/share/doc/README", b"nothing\n")]]):
            write(os.path.join(place, f"a{number}.deb"), deb(files, "gz"))
            write(os.path.join(place, f"b{number}.rpm"), rpm(files, "gz"))
        write(os.path.join(place, "c.rpm"), b"\xed\xab\xee\xdb, and no more")
        write(os.path.join(place, "d.rpm"), b"no package\n")
        os.mkdir(os.path.join(place, "e.rpm"))
        expect_the_demo(place)
        expect_equal(json.loads(ask("info --json", place))["from_package"], given, "the package")

    @check(f"{NAME}: kept by build-id, and not read again")
    def _(name=NAME):
        place, cache = fresh(), fresh()
        given = shutil.copy(package(name), place)
        expect_the_demo(given, cache=cache)
        files = {os.path.join(cache, f".build-id/{i[:2]}/{i[2:]}.debug"): data
                 for i, data in [(KERNEL_ID, vmlinux()), (MODULE_ID, kvm())]}
        for file, data in files.items():
            expect_equal(read(file), data, file)
        found = [os.path.join(at, file) for at, _, names in os.walk(cache) for file in names]
        texts = [file for file in found if file.endswith(".files")]
        expect_equal((len(texts), sorted(set(found) - set(texts))), (1, sorted(files)), "files")
        expect_equal(os.stat(texts[0]).st_mode & 0o777, 0o666 & ~os.umask(os.umask(0o22)), "mode")
        # The same file for all that stat() tells, which could not be read.
        before = os.stat(given)
        with open(given, "r+b") as file:
            file.seek(200)
            file.write(b"\xff" * (before.st_size - 200))
        os.utime(given, ns=(before.st_atime_ns, before.st_mtime_ns))
        expect_the_demo(given, cache=cache)
        row = json.loads(ask("info --json", given, cache=cache))
        expect_equal((row["vmlinux"], row["from_package"]), (sorted(files)[0], given), "the file")
        row = json.loads(ask("symbols kvm --json", given, cache=cache))
        expect_equal((row["file"], row["from_package"]), (sorted(files)[1], given), "the module's")
        expect_in(f"taken out of {given}\n", ask("symbols kvm", given, cache=cache))
        expect_in(f", taken out of {given}\n", ask("info", given, cache=cache))
        # Another program finds them by what they are called.
        text = subprocess.run([need_tool("readelf"), "-n", sorted(files)[0]], text=True,
                              stdout=subprocess.PIPE, check=True).stdout
        expect_in(f"Build ID: {KERNEL_ID}", text)


@check("the cache serves without the package, where a dump tells its build-id")
def _():
    cache = fresh()
    own = re.search("Build ID: ([0-9a-f]+)", subprocess.run(
        [need_tool("readelf"), "-n", VMLINUX], text=True, stdout=subprocess.PIPE,
        check=True).stdout).group(1)
    dump = make_changed_dump(folder.name, "with-id", 'text "PAGESIZE=4096"',
                             f'text "PAGESIZE=4096"\n\ttext "BUILD-ID={own}"', "")
    kept["with-id"] = dump, own
    given = write(path("one.deb"), deb([(f"usr/lib/debug/boot/vmlinux-{RELEASE}", read(VMLINUX))]))
    expect_in("vmx_set_cr3", ask("bt", given, dump=dump, cache=cache))
    os.remove(given)
    done = run("-q", "--exec", "bt", dump=dump, cache=cache)
    expect_equal((done.returncode, done.stdout), (0, monitor("bt")), "the frames")
    # A file that was damaged since is taken out anew.
    file = os.path.join(cache, f".build-id/{own[:2]}/{own[2:]}.debug")
    write(file, read(file)[:1000])
    write(given, deb([(f"usr/lib/debug/boot/vmlinux-{RELEASE}", read(VMLINUX))]))
    expect_in("vmx_set_cr3", ask("bt", given, dump=dump, cache=cache))
    expect_equal(read(file), read(VMLINUX), "the file")


@check("another build's package: both build-ids; another release's: both releases")
def _():
    if "with-id" not in kept:
        raise Skip("there is no dump that tells its build-id")
    dump, own = kept["with-id"]
    for cache in (None, path("misfits")):
        if cache:
            os.makedirs(cache)
        for _ in range(2):
            expect_in(f"{any_package()}: it belongs to another kernel: its build-id is {KERNEL_ID}, "
                      f"the dump's {own}\n", refused(any_package(), dump=dump, cache=cache))
            given = write(path("release.rpm"), rpm(red_hat(OTHER_RELEASE)))
            expect_in(f"{given}: it belongs to another kernel: its release is {OTHER_RELEASE}, "
                      f"the dump's {RELEASE}\n", refused(given, cache=cache))
    # In a folder it is passed over, and named with what is missing.
    text = missing(os.path.dirname(any_package()), dump=dump)
    expect_in(f"no vmlinux was found for kernel {RELEASE} (build-id {own})", text)
    expect_in(f"Refused: {any_package()}: it belongs to another kernel", text)


@check("another build's vmlinux is not written out to its end")
def _():
    if "with-id" not in kept:
        raise Skip("there is no dump that tells its build-id")
    # The vmlinux, and what no file may have written here.
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, 16 << 20))
    given = write(path("long.deb"),
                  deb([(f"usr/lib/debug/boot/vmlinux-{RELEASE}", vmlinux() + bytes(30 << 20))]))
    expect_in("its build-id is " + KERNEL_ID, refused(given, dump=kept["with-id"][0],
                                                      preexec_fn=limit))


@check("a package without a vmlinux is one for its modules")
def _():
    make_all()
    files = [file for file in red_hat() if not file[0].endswith("vmlinux")]
    given = write(path("modules.rpm"), rpm(files))
    expect_in(f"Refused: {given}: there is no vmlinux in it.", missing(given))
    expect_the_demo(given, demo_path("vmlinux"))
    expect_the_demo(demo_path("vmlinux"), given)
    common = write(path("common.rpm"), rpm([("usr/src/debug/kernel/fork.c", b"int main;\n")]))
    expect_in(f"Refused: {common}: there is no vmlinux in it.", missing(common))
    expect_the_demo(common, any_package())


@check("modules of another build, or damaged, are not taken; two of one name are told apart")
def _():
    make_all()
    top = RED_HAT + "/kernel/kvm.ko.debug"
    for bad in (other_kvm(), b"\x7fELF", b"", b"\xfd7zXZ\0 and no more"):
        given = write(path("bad.rpm"), rpm([(top, bad), (f"{RED_HAT}/vmlinux", vmlinux())]))
        expect_in("no file of module kvm with build-id", ask("symbols kvm", given))
        given = write(path("two.rpm"), rpm([(top, bad), (RED_HAT + "/extra/kvm.ko.debug", kvm()),
                                            (f"{RED_HAT}/vmlinux", vmlinux())]))
        expect_the_demo(given)


@check("files that are compressed in the package: vmlinux.xz, kvm.ko.zst.debug")
def _():
    make_all()
    files = [(f"{RED_HAT}/vmlinux.xz", vmlinux(), "xz"), (f"{RED_HAT}/kvm.ko.zst.debug", kvm(), "zstd")]
    given = write(path("packed.deb"), deb([
        (name, subprocess.run([need_tool(tool), "-c"], input=data, stdout=subprocess.PIPE,
                              check=True).stdout) for name, data, tool in files]))
    done = run("-q", "--exec", "info", symbols=[given])
    if "which this program was built without" in done.stderr:
        raise Skip("this program was built without liblzma")
    expect_the_demo(given)
    cache = fresh()
    expect_the_demo(given, cache=cache)
    expect_equal(read(os.path.join(cache, ".build-id/11", KERNEL_ID[2:] + ".debug")), vmlinux(),
                 "what is kept")


@check("cut off anywhere, damaged: one sentence; where a vmlinux is there, a note")
def _():
    make_all()
    for name in (f"kernel-debuginfo-{RELEASE}.rpm", f"linux-image-{RELEASE}-dbg_1_amd64.deb"):
        whole = read(package(name))
        given = path(name)
        # One without its first bytes is not told from any other file.
        for length in (0, 4):
            expect_in(f"{write(given, whole[:length])}: it is ", refused(given))
        for length in (8, 60, 96, 120, len(whole) // 8, len(whole) // 4):
            expect_in(f"{write(given, whole[:length])}: it is ", missing(given))
        write(given, whole[:len(whole) // 8])
        expect_in("it is damaged or cut off", missing(given))
        write(given, whole[:1000] + b"\xff" * (len(whole) // 2))
        expect_in("it is damaged or cut off", missing(given))
        cache = fresh()
        text = ask("info", demo_path("vmlinux"), given, cache=cache)
        expect_in(f"note      {given}: it is damaged or cut off", text)
        expect_equal([file for _, _, files in os.walk(cache) for file in files
                      if file.endswith(".debug")], [], "what is kept")
    # Behind what is wanted nobody looks.
    write(given, whole[:-200])
    ask("bt", given)


@check("what grows out of all proportion, and files of absurd sizes")
def _():
    zeros = bytes(120 << 20)
    given = write(path("bomb.deb"), deb([("usr/share/doc/zeros", zeros), *debian()], "gz"))
    expect(os.path.getsize(given) < 1 << 20, "it packs badly")
    expect_in("it would grow to more than 64 times its size", missing(given))
    given = write(path("bomb.rpm"), rpm([(f"{RED_HAT}/vmlinux", zeros)], "gz"))
    expect_in("it would grow to more than 64 times its size", missing(given))
    # A tar that claims 7 GiB, and gaps that no disk has.
    data = bytearray(tar([(f"./{RED_HAT}/vmlinux", vmlinux())]))
    data[124:136] = b"%011o\0" % (7 << 30)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    expect_in("it is damaged or cut off", missing(write(path("large.deb"), deb_of(bytes(data)))))
    sparse = bytearray(tar([(f"./{RED_HAT}/vmlinux", vmlinux()[:512])]))
    # GNU's old sparse header: one piece, behind a gap of 4 TiB.
    sparse[156:157] = b"S"
    sparse[257:265] = b"ustar  \0"
    sparse[386:410] = b"\x80" + (4 << 40).to_bytes(11, "big") + b"%011o\0" % 512
    sparse[483:495] = b"\x80" + ((4 << 40) + 512).to_bytes(11, "big")
    sparse[148:156] = b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse[:512])
    expect_in("more than 2048 MiB", missing(write(path("gap.deb"), deb_of(bytes(sparse)))))


@check("no path in a package is one on the disk")
def _():
    make_all()
    place = fresh()
    victim = write(os.path.join(place, "vmlinux"), b"mine\n")
    files = [(victim.lstrip("/"), vmlinux()), ("../" * 20 + victim.lstrip("/"), vmlinux()),
             (victim, vmlinux()), ("a/" * 2000 + f"vmlinux-{RELEASE}", vmlinux())]
    for number, (name, data) in enumerate(files):
        cache = fresh()
        given = write(path(f"hostile{number}.deb"), deb([(name, data)]))
        expect_in("vmx_set_cr3", ask("bt", given, cache=cache))
        given = write(path(f"hostile{number}.rpm"), rpm([(name, data)], "gz"))
        expect_in("vmx_set_cr3", ask("bt", given))
        expect_equal(sorted(os.listdir(cache))[0], ".build-id", "what is in the cache")
        expect_equal(len(os.listdir(cache)), 2, "files in the cache")
    expect_equal((os.listdir(place), read(victim)), (["vmlinux"], b"mine\n"), "the folder")
    # Links and names with what a terminal would obey.
    odd = [("usr/lib/debug/vmlinux", None, "/etc/passwd"),
           (f"usr/lib/debug/lib/modules/6.1\x1b[2J/vmlinux-9\x1b[2J", b"x"),
           ("lib/modules/6.1/a\x1b[2Jb.ko", b"x")]
    given = write(path("odd.deb"), deb(odd))
    expect_not_in("\x1b", missing(given))


@check("no room: a sentence that names the folder, and the server goes on where it can")
def _():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    make_all()
    text = missing(any_package(), preexec_fn=limit)
    expect_in(f"Refused: {any_package()}: write what is in it to {folder.name}", text)
    expect_in("File too large", text)
    text = ask("info", demo_path("vmlinux"), any_package(), preexec_fn=limit)
    expect_in(f"note      {any_package()}: write what is in it to ", text)


@check("a temporary folder, or a cache, that is not there")
def _():
    need_libarchive()
    done = run_program("-q", "--symbols", any_package(), "--exec", "info", demo_path("vmcore"),
                       env={**os.environ, "TMPDIR": path("nowhere")})
    expect_in(f"make a file in {path('nowhere')}: No such file", done.stdout)
    text = ask("info", any_package(), cache=path("nowhere"))
    expect_in(f"note      what is taken out of packages is not kept in {path('nowhere')}: No such",
              text)
    expect_in(f"vmlinux {any_package()}/vmlinux", text)


@check("a list in the cache that somebody has changed is not believed further than it goes")
def _():
    place, cache = fresh(), fresh()
    given = shutil.copy(any_package(), place)
    expect_the_demo(given, cache=cache)
    text = next(os.path.join(cache, name) for name in os.listdir(cache) if name.endswith(".files"))
    good = read(text)
    expect_in(f"release {RELEASE}\nvmlinux {KERNEL_ID}\nmodule kvm {MODULE_ID}\nmodule ext4\n",
              good.decode())
    for bad in (b"", b"\0" * 5000, good[:-4], good.replace(KERNEL_ID.encode(), b"../../x"),
                good.replace(b"kvm", b"k/m"), good * 3, good.replace(b"end\n", b"x\nend\n")):
        write(text, bad)
        expect_equal(ask("vcpus --json", given, cache=cache), right("vcpus --json"), "vcpus")
        expect_in(f"release {RELEASE}\nvmlinux {KERNEL_ID}\nmodule kvm", read(text).decode())
    write(text, good.replace(KERNEL_ID.encode(), b"33" * 20).replace(b"22" * 20, b"44" * 20))
    expect_in("vmx_set_cr3", ask("bt", given, cache=cache))


@check("a debugger reads both over the connection, under names in the package")
def _():
    need_libarchive()
    with Server(dump=demo_path("vmcore"), symbols=any_package()) as server, \
            Client(server.address) as client:
        client.no_acks()
        served = client.document("exec-file").decode()
        expect_equal(served, os.path.realpath(any_package()) + "/vmlinux", "exec-file")
        libraries = client.document("libraries").decode()
        expect_in(os.path.realpath(any_package()) + "/kvm.ko", libraries)
        for name in (served, os.path.realpath(any_package()) + "/kvm.ko"):
            reply = client.ask(f"vFile:open:{name.encode().hex()},0,0")
            expect_equal(reply[0], "F", f"open {name}")
            expect_equal(client.ask(f"vFile:pread:{reply[1:]},4,0"), "F4;\x7fELF", "its beginning")
        expect_equal(server.next_line().split()[-1], "vmlinux", "the file that it names")


@check("ended in the middle it leaves nothing", seconds=120)
def _():
    need_libarchive()
    # Some seconds to unpack.
    data = os.urandom(1 << 20).hex().encode() * 12
    given = write(path("slow.deb"), deb([(f"{RED_HAT}/a.ko", data), *debian()]))
    for number in (signal.SIGTERM, signal.SIGINT):
        for wait in (0.05, 0.2, 0.5):
            place, cache = fresh(), fresh()
            # A shell in the background has SIGINT ignored, and so would what is started here.
            with subprocess.Popen([PROGRAM, "-q", "-l", "127.0.0.1:0", "--symbols", given,
                                   "--symbol-cache", cache, demo_path("vmcore")],
                                  env={**os.environ, "TMPDIR": place}, stderr=subprocess.PIPE,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                                   signal.SIG_DFL)) as p:
                try:
                    time.sleep(wait)
                    p.send_signal(number)
                    p.communicate(timeout=60)
                finally:
                    p.kill()
            expect_equal(os.listdir(place), [], "what is left")
            left = [file for _, _, files in os.walk(cache) for file in files
                    if not re.fullmatch(r"[0-9a-f]+\.debug|slow\.deb-[0-9a-f]+\.files", file)]
            expect_equal(left, [], "what is left in the cache")


run_checks()
