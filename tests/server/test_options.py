# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what it understands, and the sentence for what it does not."""

import os
import re
import subprocess

from program import DUMP, PROGRAM, SOURCE, VMLINUX, run_on_demo, run_program
from tap import check, expect, expect_equal, expect_in, expect_not_in, need_tool, run_checks


def expect_refusal(done, *parts):
    """Status 1, one sentence that holds all parts on standard error, nothing on standard output."""
    expect_equal(done.returncode, 1, f"the exit status (it said {done.stderr!r})")
    lines = done.stderr.splitlines()
    expect(len(lines) == 1 and lines[0].startswith("vmcore-gdbserver: "),
           f"not one sentence: {done.stderr!r}")
    expect_equal(done.stdout, "", "standard output")
    for part in parts:
        expect_in(part, done.stderr)


def expect_output(done):
    expect_equal((done.returncode, done.stderr), (0, ""), "status and standard error")
    return done.stdout


def listed_options(text):
    """The long options named in a text, written with dashes or as mdoc(7) writes them."""
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text.replace("Fl Fl ", "--")))


OPTIONS = {
    "cache-size",
    "debug",
    "exec",
    "help",
    "guest",
    "guests",
    "ide",
    "listen",
    "live",
    "multiprocess",
    "no-extra-cfi",
    "no-context-threads",
    "no-serve-files",
    "patience",
    "quiet",
    "run",
    "symbol-cache", "notes", "idle",
    "symbols",
    "user", "memory-limit", "no-confinement", "any-user", "group", "max-clients",
    "version",
    "write-symbols",
    "write-types",
}


@check("--help names the usage and every option")
def _():
    text = expect_output(run_program("--help"))
    expect(text.startswith("Usage: vmcore-gdbserver [OPTION]... DUMP"), text)
    expect_equal(listed_options(text), OPTIONS, "the options")
    expect(all(len(line) <= 100 for line in text.splitlines()), "a line is too long")
    expect_equal(expect_output(run_program("-h")), text, "-h")


@check("--version")
def _():
    text = expect_output(run_program("--version"))
    expect(re.fullmatch(r"vmcore-gdbserver \d+\.\d+\.\d+\S*\n", text), text)


@check("--debug list names the categories, and each is taken")
def _():
    names = [line.split()[0] for line in expect_output(run_program("--debug", "list")).splitlines()]
    expect_in("packet", names)
    expect_in("all", names)
    for name in names:
        done = run_on_demo("--debug", name, "-x", "info")
        expect_equal(done.returncode, 0, f"--debug {name}: {done.stderr}")
    expect_equal(run_on_demo("--debug", ",".join(names), "-x", "info").returncode, 0, "a list")


@check("what is no option or no value is refused by name")
def _():
    for arguments, parts in [
            (["--bogus", DUMP], ["--bogus", "--help"]),
            (["-z", DUMP], ["-z", "--help"]),
            (["--listen"], ["--listen", "ADDR"]),
            (["-s"], ["--symbols", "PATH"]),
            (["--quiet=yes", DUMP], ["--quiet", "no value"]),
            (["--debug", "nonsense", DUMP], ["nonsense", "list"]),
            (["--cache-size", "lots", DUMP], ["--cache-size", "'lots'"]),
            (["--cache-size", "-1", DUMP], ["--cache-size", "'-1'"]),
            (["--cache-size", "4K", DUMP], ["--cache-size", "'4K'", "1M"]),
            (["--cache-size", "99999999999999999999", DUMP], ["--cache-size", "out of range"]),
            (["--cache-size", "17179869184G", DUMP], ["--cache-size", "out of range"]),
            (["--cache-size", "", DUMP], ["--cache-size"]),
            (["--patience", "1", DUMP], ["--patience", "'1'", "2 to"]),
            (["--patience", "5s", DUMP], ["--patience", "'5s'"]),
            ([], ["no dump is given", "--help"]),
            (["--exec", "info", "--run", "true", DUMP], ["--exec", "--run"]),
            (["--exec", "info", "--listen", ":0", DUMP], ["--exec", "--listen"]),
            (["--print-docs", "poem"], ["poem"])]:
        expect_refusal(run_program(*arguments), *parts)


@check("--cache-size takes units")
def _():
    for size in ["1M", "2048K", "1G", "1048576"]:
        expect_equal(run_on_demo("--cache-size", size, "-x", "info").returncode, 0, size)


@check("an address that cannot be is refused before the dump is read")
def _():
    for address in ["1234", ":70000", ":-1", ":", "unix:", "localhost:http", "unix:" + "x" * 200]:
        expect_refusal(run_program("--listen", address, "/nonexistent/dump"), "listen", address)
    expect_refusal(run_program("-l", "stdio", "-r", "true", "/nonexistent/dump"), "--run")
    expect_refusal(run_program("-l", "stdio", "-l", "stdio", "/nonexistent/dump"), "stdio")


@check("--exec prints the answers in order; a command that is none is status 1, and all are named")
def _():
    text = expect_output(run_on_demo("-x", "read linux_banner 5", "-x", "info"))
    expect(text.index("Linux") < text.index("kernel "), text)
    done = run_on_demo("-x", "nonsense", "-x", "info")
    expect_equal(done.returncode, 1, "the status")
    for part in ["'nonsense'", "help", "info", "threads", "read", "vtop"]:
        expect_in(part, done.stderr)
    expect_in("Linux 3.10.0-693", done.stdout)


@check("--exec: answers and errors come in order when both go to one place")
def _():
    done = subprocess.run([PROGRAM, "-s", VMLINUX, "-x", "info", "-x", "nonsense", DUMP], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=10)
    expect(done.stdout.index("kernel ") < done.stdout.index("nonsense"), done.stdout)


@check("standard output that is full or closed is status 1")
def _():
    for arguments in [["--help"], ["-s", VMLINUX, "-x", "info", DUMP]]:
        with open("/dev/full", "w", encoding="ascii") as full:
            done = run_program(*arguments, stdout=full)
        expect_equal(done.returncode, 1, "/dev/full: the status")
        expect_in("No space left on device", done.stderr)
        done = run_program(*arguments, stdout=None, preexec_fn=lambda: os.close(1))
        expect_equal(done.returncode, 1, "closed: the status")
        expect_in("standard output", done.stderr)


@check("--help, the manual page and the completion name the same options")
def _():
    helped = listed_options(expect_output(run_program("--help")))
    for kind in ["man-options", "completion-bash", "completion-zsh"]:
        text = expect_output(run_program("--print-docs", kind))
        expect_equal(listed_options(text) - {"json"}, helped, kind)


@check("README.md and the manual page name no option that is not there")
def _():
    helped = listed_options(expect_output(run_program("--help")))
    helped |= listed_options(expect_output(run_program("--print-docs", "man-monitor")))
    with open(f"{SOURCE}/doc/vmcore-gdbserver.8.in", encoding="utf-8") as manual:
        expect_equal(listed_options(manual.read()) - helped, set(), "in the manual page")
    with open(f"{SOURCE}/README.md", encoding="utf-8") as readme:
        commands = [line for line in readme if "vmcore-gdbserver" in line and "enable" not in line]
    expect_equal(listed_options("".join(commands)) - helped, set(), "in README.md")


@check("the manual page is clean for mandoc")
def _():
    mandoc = need_tool("mandoc")
    done = subprocess.run([mandoc, "-T", "lint", "-W", "warning", "vmcore-gdbserver.8"], text=True,
                          capture_output=True, check=False, timeout=10)
    expect_equal((done.returncode, done.stdout + done.stderr), (0, ""), "mandoc's opinion")


@check("the completion is good bash and completes options and monitor commands")
def _():
    bash = need_tool("bash")
    def complete(*words):
        script = ('. contrib/vmcore-gdbserver; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_vmcore_gdbserver; echo "${COMPREPLY[@]}"')
        done = subprocess.run([bash, "-c", script, "bash", "vmcore-gdbserver", *words], text=True,
                              capture_output=True, check=False, timeout=10)
        expect_equal((done.returncode, done.stderr), (0, ""), "bash's opinion")
        return done.stdout.split()
    subprocess.run([bash, "-n", "contrib/vmcore-gdbserver"], check=True, timeout=10)
    expect_equal(complete("--cac"), ["--cache-size"], "--cac")
    expect_equal(complete("-x", "th"), ["threads"], "-x th")
    expect_equal(complete("--listen", "st"), ["stdio"], "--listen st")
    expect_not_in("--print-docs", complete("--"))


@check("the completion of fish completes options and monitor commands")
def _():
    fish = need_tool("fish")
    def complete(line):
        script = f"source contrib/vmcore-gdbserver.fish; complete -C 'vmcore-gdbserver {line}'"
        done = subprocess.run([fish, "-N", "-c", script], text=True, capture_output=True, check=False,
                              timeout=30)
        expect_equal((done.returncode, done.stderr), (0, ""), "fish's opinion")
        return [found.split("\t")[0] for found in done.stdout.splitlines()]
    expect_equal(complete("--cac"), ["--cache-size"], "--cac")
    expect_equal(complete("-x th"), ["threads"], "-x th")
    expect_equal(complete("--listen st"), ["stdio"], "--listen st")
    expect_in("root", complete("--group roo"))
    expect_not_in("--print-docs", complete("--"))


@check("the completion of zsh completes options and monitor commands")
def _():
    zsh = need_tool("zsh")
    # What would be typed at a terminal: zsh completes nothing elsewhere.
    def complete(line):
        script = f"""
            zmodload zsh/zpty
            zpty shell {zsh} -f -i
            say() {{ zpty -w shell "$1"; }}
            say 'PS1=; fpath=({os.getcwd()}/contrib $fpath); autoload -U compinit; compinit -u -D'
            say 'zstyle ":completion:*" list-colors no=; setopt no_beep; echo ready''; stty -echo'
            zpty -r shell all '*ready*ready*'
            zpty -w -n shell $'vmcore-gdbserver {line}\\t'
            zpty -w -n shell $'\\C-aprint -r -- FOU"ND" \\C-e E"ND"\\n'
            zpty -r shell all '*FOUND*END*'
            print -r -- $all"""
        done = subprocess.run([zsh, "-f", "-c", script], text=True, capture_output=True, check=False,
                              timeout=30, env={**os.environ, "TERM": "dumb"})
        found = re.findall(r"FOUND vmcore-gdbserver (.*?) *END", done.stdout)
        expect(found, f"zsh said: {done.stdout!r} {done.stderr!r}")
        return found[-1].strip()
    expect_equal(complete("--cac"), "--cache-size", "--cac")
    expect_equal(complete("-x thr"), "-x threads", "-x thr")
    expect_equal(complete("--listen st"), "--listen stdio", "--listen st")
    expect_equal(complete("--group roo"), "--group root", "--group roo")


run_checks()
