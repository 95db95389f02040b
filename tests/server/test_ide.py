# SPDX-License-Identifier: GPL-2.0-or-later
"""What --ide prints for front ends of gdb, carried out as they would (debug adapters: test_dap.py)."""

import json
import os
import re
import shlex
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from mi import Mi
from printed import ide_text, nvim_configurations, settings, vscode_configurations
from program import DUMP, SOURCE, VMLINUX, Server, run_program
from recipes import MODERN, make_module_dump
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks

FILES = {"vscode": "launch.json", "nvim": "nvim-dap.lua", "emacs": "vmcore.el",
         "clion": "vmcore.run.xml", "eclipse": "eclipse.txt"}
VCPU_THREAD = 'thread-id="4"'


@check("contrib/ide/ is what the program prints: make docs writes it")
def _():
    for name, file in FILES.items():
        with open(os.path.join(SOURCE, "contrib/ide", file), encoding="utf-8") as text:
            expect_equal(text.read(), run_program("--print-docs", f"ide-{name}").stdout, file)


@check("configurations name the address that clients come to, and are refused where there is none")
def _():
    here = os.path.realpath(".")
    for listen, told in [((), "localhost:1234"), (("--listen", ":2345"), "localhost:2345"),
                         (("--listen", "0.0.0.0:99"), "localhost:99"),
                         (("--listen", "[::]:99"), "localhost:99"),
                         (("--listen", "dumps.example:99"), "dumps.example:99"),
                         (("--listen", "unix:a b"), f"{here}/a b"),
                         (("--listen", "unixdir:/run/x"), "/run/x/host")]:
        text = ide_text("vscode", *listen)
        expect_equal(vscode_configurations(text)["cppdbg"]["miDebuggerServerAddress"], told, "address")
        expect_in(f'"target remote {told}"', ide_text("emacs", *listen))
    for listen in ("stdio", ":0", "localhost:00", "nothing", "unix:a\nb"):
        done = run_program("--ide", "nvim", "--listen", listen, "--symbols", VMLINUX, DUMP)
        expect_equal((done.returncode, done.stdout), (1, ""), f"status and output of {listen!r}")
        expect_equal(done.stderr.count("\n"), 1, "lines of the error")
        expect_in("--ide", done.stderr)
    for words, part in [(("--ide", "word"), "vscode, nvim, emacs"),
                        (("--ide", "nvim", "--exec", "info"), "leave out --exec")]:
        done = run_program(*words, DUMP)
        expect_equal(done.returncode, 1, "status")
        expect_in(part, done.stderr)


@check("paths with blanks and quotes arrive at gdb as they are")
def _():
    with tempfile.TemporaryDirectory() as folder:
        odd = os.path.join(folder, 'a "b\' c\\d')
        os.mkdir(odd)
        vmlinux = os.path.join(odd, "vmlinux")
        os.link(VMLINUX, vmlinux) if os.stat(VMLINUX).st_dev == os.stat(folder).st_dev else \
            subprocess.run(["cp", VMLINUX, vmlinux], check=True)
        text = ide_text("vscode", symbols=vmlinux)
        expect_equal(vscode_configurations(text)["cppdbg"]["program"], vmlinux, "program")
        text = ide_text("nvim", symbols=vmlinux)
        expect_equal(nvim_configurations(text)["vmcore_gdb"][1]["program"], vmlinux, "program")
        text = ide_text("clion", symbols=vmlinux)
        expect_equal(xml.fromstring(text)[0].get("symbolFile"), vmlinux, "symbolFile")


@check("where there is no vmlinux none is named, and what to do is said")
def _():
    with tempfile.TemporaryDirectory() as folder:
        dump = make_module_dump(folder, "plain", "ab" * 20)
        for name in FILES:
            text = ide_text(name, dump=dump, symbols=None)
            expect_in("No vmlinux is here", text)
            expect_not_in("substitute-path", text)
        found = vscode_configurations(ide_text("vscode", dump=dump, symbols=None))
        expect("program" not in found["lldb-dap"] and "program" not in found["gdbtarget"], f"{found}")
        expect_equal(found["cppdbg"]["program"], "/path/to/vmlinux", "a file that it wants")
        with Server(dump=dump, symbols=MODERN) as server:
            text = ide_text("nvim", "--listen", server.address, dump=dump, symbols=None)
            command, row = nvim_configurations(text)["vmcore_gdb"]
            expect("program" not in row, f"{row}")
            with Front(command[1:-1], [f'-target-select remote {row["target"]}']) as mi:
                expect_in("swapper/0", mi.ask("-thread-info"))


def look(mi):
    """What each front end begins with."""
    expect_in(f"current-{VCPU_THREAD}", mi.ask("-thread-info"))
    frames = re.findall(r'func="(\w+)"', mi.ask("-stack-list-frames --thread 4"))
    expect_equal(frames[:3], ["vmx_set_cr3", "kvm_mmu_load", "vcpu_enter_guest"], "functions")


def look_at_source(mi):
    """Lines of the demo's source, where it is: the mapping's end is the source's folder."""
    with open(os.path.join(SOURCE, "contrib/demo/data.c"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    mi.ask('-interpreter-exec console "list data.c:1,5"')
    listed = "".join(line for line in mi.said if line.startswith("~"))
    expect_in(json.dumps(lines[1])[1:-1], listed)


def with_source(text):
    """The text with the folder that its comments say is to be replaced."""
    expect_in("replace /path/to/linux", text)
    return text.replace("/path/to/linux", os.path.join(SOURCE, "contrib/demo"))


class Front(Mi):
    """gdb as a front end starts it: with words of its own, and commands before it is attached."""

    def __init__(self, words, commands, vmlinux=None):
        self._commands = commands
        super().__init__(None, vmlinux=vmlinux, words=words)

    def attach(self):
        for command in self._commands:
            self.ask(command)


def console(command):
    return f"-interpreter-exec console {json.dumps(command)}"


@check("vscode: C/C++ and Native Debug, by the commands that they make of it")
def _():
    with Server() as server:
        found = vscode_configurations(with_source(ide_text("vscode", "--listen", server.address)))
        row = found["cppdbg"]
        expect(row["stopAtConnect"] and row["request"] == "launch", f"{row}")
        commands = [console(setup["text"]) for setup in row["setupCommands"]]
        commands += [f'-file-exec-and-symbols {row["program"]}',
                     f'-target-select remote {row["miDebuggerServerAddress"]}']
        with Front([], commands) as mi:
            look(mi)
            look_at_source(mi)
            expect_in("enabled", mi.ask("-gdb-show index-cache enabled") + "enabled")
        row = found["gdb"]
        expect(row["remote"] and row["stopAtConnect"] and row["request"] == "attach", f"{row}")
        expect_equal(list(row["pathSubstitutions"].values()), [f"{SOURCE}/contrib/demo"], "folders")
        commands = [f'-file-exec-and-symbols {row["executable"]}',
                    *(f"-gdb-set substitute-path {a} {b}" for a, b in row["pathSubstitutions"].items()),
                    f'-target-select remote {row["target"]}']
        with Front(row["debugger_args"], commands) as mi:
            look(mi)
            look_at_source(mi)


@check("nvim and emacs: gdb with the words that they give it")
def _():
    with Server() as server:
        text = with_source(ide_text("nvim", "--listen", server.address))
        command, row = nvim_configurations(text)["vmcore_gdb"]
        expect_equal((command[0], command[-1], row["target"]), ("gdb", "--interpreter=dap", server.address),
                     "the command and the address")
        with Front(command[1:-1], [f'-target-select remote {row["target"]}'], row["program"]) as mi:
            look(mi)
            look_at_source(mi)
        text = with_source(ide_text("emacs", "--listen", server.address))
        line, connect = (json.loads(re.search(rf'\({name} ("(?:[^"\\]|\\.)*")', text).group(1))
                         for name in ("gdb", "gud-basic-call"))
        words = shlex.split(line)
        expect_equal(words[:2], ["gdb", "-i=mi"], "the command")
        with Front(words[2:], [console(connect)]) as mi:
            look(mi)
            look_at_source(mi)


@check("eclipse and clion: what is set, and where")
def _():
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        text = with_source(ide_text("eclipse", "--listen", server.address))
        file = os.path.join(folder, "commands")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)  # the rest is comments
        host, port = re.search(r"host name (\S+), port number (\d+)", text).groups()
        vmlinux = re.search(r"C/C\+\+ Application: (.*)", text).group(1)
        with Front(["-x", file], [f"-file-exec-and-symbols {vmlinux}",
                                  f"-target-select remote {host}:{port}"]) as mi:
            look(mi)
            look_at_source(mi)
        text = with_source(ide_text("clion", "--listen", server.address))
        row = xml.fromstring(text)[0]
        expect_equal((row.get("remoteCommand"), row.get("symbolFile")), (server.address, VMLINUX),
                     "address and file")
        paths = row.find("pathMapping").attrib
        expect_equal(paths, {"remote": ".", "local": f"{SOURCE}/contrib/demo"}, "folders")
        with Front([word for line in settings(text) for word in ("-iex", line)],
                   [f'-target-select remote {row.get("remoteCommand")}'], row.get("symbolFile")) as mi:
            look(mi)
            look_at_source(mi)


# Emacs reads the script itself through a buffer, whose name begins with a space.
EMACS = """
(load "%s")
(setq gdb-show-main nil)
(defun said ()
  (mapconcat (lambda (buffer)
               (if (string-prefix-p "*" (buffer-name buffer))
                   (with-current-buffer buffer (buffer-string)) ""))
             (buffer-list) "\n"))
(defun ask (command text)
  (let ((end (+ (float-time) 30)) (found nil))
    (when command (gud-basic-call command))
    (while (and (not found) (< (float-time) end))
      (accept-process-output nil 0.05)
      (setq found (string-match-p (regexp-quote text) (said))))
    (princ (format "%%s: %%s\n" text (if found "seen" (said))))
    (unless found (kill-emacs 1))))
(vmcore)
(ask nil "vmx_set_cr3")
(ask "bt 3" "vcpu_enter_guest")
(ask "finish" "vcpu 0, in kernel")
(ask "info threads" "swapper/1")
(ask "list data.c:1,5" "SPDX-License-Identifier")
(princ (format "state: %%s\n" gdb-inferior-status))
(ask "kill" "killed")
(dolist (process (process-list))
  (set-process-query-on-exit-flag process nil)
  (delete-process process))
(kill-emacs 0)
"""


@check("emacs itself runs what is printed")
def _():
    emacs = need_tool("emacs")
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        printed, script = (os.path.join(folder, name) for name in ("vmcore.el", "script.el"))
        with open(printed, "w", encoding="utf-8") as out:
            out.write(with_source(ide_text("emacs", "--listen", server.address)))
        with open(script, "w", encoding="utf-8") as out:
            out.write(EMACS % printed)
        done = subprocess.run([emacs, "-Q", "--batch", "-l", script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=110)
        for text in ("vmx_set_cr3", "vcpu_enter_guest", "vcpu 0, in kernel", "swapper/1",
                     "SPDX-License-Identifier", "killed"):
            expect_in(f"{text}: seen", done.stdout)
        expect_not_in("state: running", done.stdout)
        expect_equal(done.returncode, 0, "status")


@check("the source's package is told by what the kernel says of itself")
def _():
    for name in FILES:
        expect_in("kernel-3.10.0-693.el7.src.rpm", ide_text(name))


run_checks()
