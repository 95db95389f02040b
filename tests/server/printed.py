# SPDX-License-Identifier: GPL-2.0-or-later
"""What --ide prints, read as the programs that it is meant for read it."""

import json
import re

from program import DUMP, VMLINUX, run_program
from tap import expect_equal, fail


def ide_text(name, *options, dump=DUMP, symbols=VMLINUX):
    """What --ide NAME prints for the dump."""
    done = run_program("--ide", name, *(["--symbols", symbols] if symbols else []), *options, dump)
    expect_equal((done.returncode, done.stderr), (0, ""), f"--ide {name}: status and errors")
    return done.stdout


def vscode_configurations(text):
    """{type: configuration} of a launch.json, which may have comments."""
    rows = json.loads(re.sub(r"^\s*//.*", "", text, flags=re.MULTILINE))["configurations"]
    return {row["type"]: row for row in rows}


def lua_string(text):
    return json.loads(text)  # ours are escaped alike


STRING = r'"(?:[^"\\]|\\.)*"'


def nvim_configurations(text):
    """{adapter's name: (command with its words, configuration)} of the Lua for nvim-dap.

    Lua itself may not be here: this takes tables of strings, of true and of tables, and fails for what else
    there is.
    """
    text = re.sub(r"^--.*", "", text, flags=re.MULTILINE)
    found = {}
    for name, table in re.findall(r"^dap\.adapters\.(\w+) = (\{.*?^\})", text, re.M | re.S):
        adapter = lua_table(table)
        found[name] = [[adapter["command"], *adapter.get("args", [])], None]
    for table in re.findall(r"^table\.insert\(dap\.configurations\.c, (\{.*?^\})\)", text, re.M | re.S):
        configuration = lua_table(table)
        found[configuration.pop("type")][1] = configuration
    return found


def lua_table(text):
    """A table of Lua as dict or list."""
    tokens = re.findall(rf"{STRING}|\w+|[{{}}=,]", text)
    rest = re.sub(rf"{STRING}|\w+|[{{}}=,]|\s", "", text)
    expect_equal(rest, "", f"what is no simple Lua in {text}")
    value, end = _lua_value(tokens, 0)
    expect_equal(end, len(tokens), f"the end of {text}")
    return value


def _lua_value(tokens, at):
    if tokens[at] == "true":
        return True, at + 1
    if tokens[at].startswith('"'):
        return lua_string(tokens[at]), at + 1
    if tokens[at] != "{":
        fail(f"unexpected {tokens[at]}")
    at, pairs, items = at + 1, {}, []
    while tokens[at] != "}":
        if tokens[at + 1] == "=":
            pairs[tokens[at]], at = _lua_value(tokens, at + 2)
        else:
            value, at = _lua_value(tokens, at)
            items.append(value)
        if tokens[at] == ",":
            at += 1
    return pairs or items, at + 1


def settings(text):
    """The lines that are gdb's, of a text for a front end that is configured in windows."""
    return re.findall(r"^\s*(set .*)$", text, re.MULTILINE)
