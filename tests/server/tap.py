# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks as functions, their results as TAP.

    @check("what must hold")
    def _():
        expect_equal(...)

    run_checks()
"""

import shutil
import signal
import sys
import traceback

# A hang is what these end. A machine that is busy, with a server that has sanitizers, is many times
# slower than one that has nothing else to do.
DEFAULT_SECONDS = 120

_checks = []


class Skip(Exception):
    """Raised by a check that cannot be made here; the text says what is missing."""


class TooLong(Exception):
    """A check took longer than it may."""


def check(description, seconds=DEFAULT_SECONDS):
    """Registers the decorated function as a check that ends within the given time."""
    def register(function):
        _checks.append((description, function, seconds))
        return function
    return register


def need_tool(name):
    """The tool's path; without it the check is skipped."""
    path = shutil.which(name)
    if path is None:
        raise Skip(f"{name} is missing")
    return path


def fail(message):
    raise AssertionError(message)


def expect(condition, message):
    if not condition:
        fail(message)


def expect_equal(actual, expected, what="the value"):
    if actual != expected:
        fail(f"{what} is {actual!r}, not {expected!r}")


def expect_in(part, text):
    if part not in text:
        fail(f"{part!r} is not in:\n{text}")


def expect_not_in(part, text):
    if part in text:
        fail(f"{part!r} should not be in:\n{text}")


def _comment(text):
    for line in text.splitlines():
        print(f"# {line}")


def _time_is_up(_number, _frame):
    raise TooLong("the check takes too long")


def _run(number, description, function, seconds):
    """Prints one result; returns whether it is a good one."""
    signal.alarm(seconds)
    try:
        function()
    except Skip as missing:
        print(f"ok {number} - {description} # SKIP {missing}")
        return True
    except (Exception, TooLong):
        print(f"not ok {number} - {description}")
        _comment(traceback.format_exc())
        return False
    finally:
        signal.alarm(0)
    print(f"ok {number} - {description}")
    return True


def run_checks():
    """Runs what was registered; a word on the command line picks those whose text holds it."""
    signal.signal(signal.SIGALRM, _time_is_up)
    wanted = [row for row in _checks if all(word in row[0] for word in sys.argv[1:])]
    print(f"1..{len(wanted)}", flush=True)
    good = True
    for number, (description, function, seconds) in enumerate(wanted, 1):
        good &= _run(number, description, function, seconds)
        sys.stdout.flush()
    sys.exit(not good)
