# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a kernel, in lines; a script for drgn, which check_drgn_remote.py runs twice."""

from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import access_process_vm
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import find_task, for_each_task
from drgn.helpers.linux.printk import get_dmesg


def text_of(name):
    return name.string_().decode("utf-8", "replace")


def attempt(function):
    """What it returns, or that it failed: of the reason each source of memory has its own words."""
    try:
        return function()
    except Exception as error:  # pylint: disable=broad-exception-caught
        assert "ault" in repr(error) or "registers" in repr(error), error
        return "failed"


def trace(task):
    """Up to the first frame that is no kernel's: what drgn makes of its stack, or calls what is at 1 by a
    file of a module that is not loaded, is chance."""
    stack = attempt(lambda: prog.stack_trace(task))
    if isinstance(stack, str):
        return [stack]
    lines = []
    for number, (frame, line) in enumerate(zip(stack, str(stack).splitlines())):
        address = attempt_address(frame)
        if address is not None and not address >> 63:
            return [*lines, f"#{number}  {address:#x}"]
        lines.append(line)
    return lines


def attempt_address(frame):
    try:
        return frame.pc
    except LookupError:
        return None


for task in for_each_task(prog):
    print(f"task {task.pid.value_()} {text_of(task.comm)} {task.value_():#x}")
    print("\n".join(trace(task)))
for cpu in range(2):
    current = per_cpu(prog["runqueues"], cpu).curr
    print(f"CPU {cpu} runs {current.pid.value_()} {text_of(current.comm)}")
    print("\n".join(trace(current)))
    print(attempt(lambda current=current: {
        name: value for name, value in sorted(prog.stack_trace(current)[0].registers().items())
        if name not in ("gs.base",)}))
for module in list_for_each_entry("struct module", prog["modules"].address_of_(), "list"):
    print(f"module {text_of(module.name)} {module.value_():#x}")
init = find_task(prog, 1)
print("arguments of process 1:", attempt(lambda: access_process_vm(init, init.mm.arg_start, 16)))
print("the end of its stack:", attempt(lambda: access_process_vm(init, init.mm.start_stack, 8)))
print("log:", get_dmesg(prog).decode("utf-8", "replace"))
