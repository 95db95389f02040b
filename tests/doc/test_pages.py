# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages in Markdown: links lead somewhere, files and functions that are named exist, options and
monitor commands are the program's, and doc/commands.md is what it prints."""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "server"))
from program import SOURCE, run_program  # noqa: E402
from tap import check, expect, expect_equal, fail, run_checks  # noqa: E402

# The folders of the source whose pages are looked at, and in which named files are looked for.
PAGES = ["*.md", "doc/*.md", "tests/*.md", "tests/*/*.md", "contrib/*/*.md"]
FOLDERS = "base|unwind|proto|vmcore|server|tests|contrib|doc|findings|build-aux"

FENCE = re.compile(r"^(```|~~~)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#{1,6} (.*)$")
NAMED_FILE = re.compile(rf"(?:{FOLDERS})/[\w.*/-]*|[A-Z][A-Za-z]*\.(?:md|am)|configure\.ac")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])")
MONITOR = re.compile(r"\bmonitor ([a-z][a-z-]*)")
NAMED_FUNCTION = re.compile(r"(\w+\*?)\(\)")
NAMED_STRUCTURE = re.compile(r"struct (\w+)")


def pages():
    """The names of the pages, from the top of the source."""
    found = [path for pattern in PAGES for path in glob.glob(os.path.join(SOURCE, pattern))]
    return sorted(os.path.relpath(path, SOURCE) for path in found)


def read(page):
    with open(os.path.join(SOURCE, page), encoding="utf-8") as file:
        return file.read()


def lines_of(page):
    """Number, text and whether it is code of each line; the fences themselves are left out."""
    fenced = False
    for number, line in enumerate(read(page).splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
            continue
        yield number, line, fenced or line.startswith("    ")


def prose_of(page):
    for number, line, code in lines_of(page):
        if not code:
            yield number, line


def anchor(heading):
    """What the heading is linked to by, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    matches = [HEADING.match(line) for _, line in prose_of(page)]
    return [anchor(match.group(1)) for match in matches if match]


def link_complaint(page, link):
    """What is wrong with a link; None if nothing is, or if it leads out of the source."""
    if re.match(r"(https?|mailto):", link):
        return None
    path, _, fragment = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if not os.path.exists(os.path.join(SOURCE, target)):
        return f"there is no {target}"
    if fragment and fragment not in anchors(target):
        return f"{target} has no heading for #{fragment}"
    return None


def file_complaint(name):
    """What is wrong with a name in backticks; None if nothing is, or if it is no file of ours."""
    if not NAMED_FILE.fullmatch(name):
        return None
    # TARGET in corpus/TARGET and fuzz_TARGET.c stands for anything.
    pattern = re.sub(r"(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z]|\.md)", "*", name)
    # Some are made by the build, in whose folder tests run.
    if any(glob.glob(os.path.join(folder, pattern)) for folder in (SOURCE, ".")):
        return None
    return f"there is no {name}"


def sources():
    """All of the source in C, as one text."""
    for top in FOLDERS.split("|"):
        for folder, _, files in os.walk(os.path.join(SOURCE, top)):
            for name in files:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        yield file.read()


def identifier_complaint(code, text):
    """What is wrong with a function or a structure in backticks; None if it is in the source."""
    function, structure = NAMED_FUNCTION.fullmatch(code), NAMED_STRUCTURE.fullmatch(code)
    if function:
        pattern = rf"\b{re.escape(function.group(1))}".replace(r"\*", r"\w*") + r"\("
    elif structure:
        pattern = rf"\bstruct {structure.group(1)}\b"
    else:
        return None
    return None if re.search(pattern, text) else f"there is no {code}"


def complaints(find):
    """Fails with what find(page) yields: lines and sentences."""
    found = [f"{page}:{number}: {what}" for page in pages() for number, what in find(page)]
    if found:
        fail("\n".join(found))


@check("links between the pages lead somewhere")
def _():
    def find(page):
        for number, line in prose_of(page):
            for link in LINK.findall(CODE.sub("", line)):
                what = link_complaint(page, link)
                if what:
                    yield number, what
    complaints(find)


@check("files that are named in backticks are there")
def _():
    def find(page):
        for number, line in prose_of(page):
            for name in CODE.findall(line):
                what = file_complaint(name)
                if what:
                    yield number, what
    complaints(find)


@check("functions and structures that are named in backticks are in the source")
def _():
    text = "\n".join(sources())

    def find(page):
        for number, line in prose_of(page):
            for name in CODE.findall(line):
                what = identifier_complaint(name, text)
                if what:
                    yield number, what
    complaints(find)


@check("options in commands are the program's")
def _():
    known = set(OPTION.findall(run_program("--help").stdout))
    known |= set(OPTION.findall(run_program("--print-docs", "markdown").stdout))
    known |= {"print-docs", "json"}

    def find(page):
        for number, line, code in lines_of(page):
            commands = [line] if code else CODE.findall(line)
            for command in commands:
                # What follows a pipe belongs to another program.
                match = re.search(r"(?:^|[\s/(])vmcore-gdbserver((?:\s[^|]*)?)", command)
                for option in OPTION.findall(match.group(1)) if match else ():
                    if option not in known:
                        yield number, f"there is no option --{option}"
    complaints(find)


@check("monitor commands in code are the program's")
def _():
    known = set(re.findall(r"^### `([a-z-]+)`$", run_program("--print-docs", "markdown").stdout, re.M))
    expect("bt" in known, "bt is not printed")

    def find(page):
        for number, line, code in lines_of(page):
            for command in [line] if code else CODE.findall(line):
                for name in MONITOR.findall(command):
                    if name not in known:
                        yield number, f"there is no monitor command '{name}'"
    complaints(find)


@check("doc/commands.md is what the program prints: make docs writes it")
def _():
    expect_equal(read("doc/commands.md").splitlines(),
                 run_program("--print-docs", "markdown").stdout.splitlines(), "doc/commands.md")


@check("every page of doc/ is in the README's list")
def _():
    readme = LINK.findall(read("README.md"))
    for page in pages():
        if page.startswith("doc/"):
            expect(page in readme, f"README.md has no link to {page}")


@check("what leads nowhere is seen")
def _():
    expect_equal(anchor("`--listen`"), "--listen")
    expect_equal(anchor("How fast, and on what?"), "how-fast-and-on-what")
    expect_equal(link_complaint("README.md", "HACKING.md"), None)
    expect_equal(link_complaint("doc/commands.md", "../README.md"), None)
    expect_equal(link_complaint("README.md", "https://example.org/nothing.md"), None)
    for link in ["doc/nothing.md", "HACKING.md#nothing", "#nothing"]:
        expect(link_complaint("README.md", link), f"{link} is taken for good")
    for name in ["server/main.c", "tests/fuzz/corpus/TARGET", "tests/fuzz/fuzz_TARGET.c",
                 "proto/pkt_*.c", "vmcore/", "HACKING.md",
                 "/proc/kcore", "tests", "vmcore"]:
        expect_equal(file_complaint(name), None, name)
    for name in ["server/nothing.c", "proto/nothing_*.c", "vmcore/nothing/", "NOTHING.md"]:
        expect(file_complaint(name), f"{name} is taken for good")
    text = "struct kvm;\nint read_page(void);\n"
    for code in ["read_page()", "read_*()", "struct kvm", "kvm", "p init_task.comm"]:
        expect_equal(identifier_complaint(code, text), None, code)
    for code in ["page()", "write_*()", "struct kvm_vcpu"]:
        expect(identifier_complaint(code, text), f"{code} is taken for good")


run_checks()
