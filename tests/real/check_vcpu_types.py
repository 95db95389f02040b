#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""struct kvm_vcpu and its MMU in stock debuggers, by the pseudo-register and the modules' own types.

    check_vcpu_types.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

gdb with a vmlinux and the modules' debug files that the server names; gdb without any file, by what the server makes of
the dump's BTF; lldb by contrib/lldb/vmcore-lldb. What they print must be what drgn
reads.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from oracle import HERE, Failure, check_main, json_lines, run, skip
from server_process import Server

LLDB_SCRIPT = os.path.join(HERE, "../../contrib/lldb/vmcore-lldb")
VCPU = "((struct kvm_vcpu *)$kvm_vcpu)"


def a_vcpu(dump, command):
    """One that has run, by a thread that is there, and has tables. Where drgn knows no modules (6.12), as the server
    says: then the debuggers' types are what is independent of it."""
    vms = list(dump.ask_drgn("oracle_drgn_kvm.py"))
    if not vms:
        vms = [row for row in json_lines(run([*command, "-q", "-x", "vms --json", *dump.files], "the server"),
                                         "the server") if "kvm" in row]
    for vm in vms:
        for vcpu in vm["vcpus"]:
            if "tid" in vcpu and "root_hpa" in vcpu:
                return vcpu
    raise Failure("there is no vCPU with a root")


def gdb_says(server, vcpu, *files):
    """With the vCPU's thread selected: $kvm_vcpu, its id and root, and all of it."""
    select = (f"python [t.switch() for t in gdb.selected_inferior().threads()"
              f" if {vcpu['tid']} in (t.ptid[1], t.ptid[2])]")
    commands = ["set remotetimeout 60", "set sysroot /" if files else "set print max-depth 20", f"target remote {server.host}:{server.port}",
                select, "p/x $kvm_vcpu", f"p {VCPU}->vcpu_id", f"p/x {VCPU}->arch.mmu->root.hpa", "p/x $root_hpa",
                f"p *{VCPU[1:-1]}"]
    options = [word for command in commands for word in ("-ex", command)]
    return run(["gdb", "-nx", "-batch", *files, *options], "gdb", with_stderr=True).decode("utf-8", "replace")


def gdb_differs(text, vcpu, what):
    values = re.findall(r"^\$\d+ = (.*)$", text, re.MULTILINE)
    wanted = [vcpu["vcpu"], str(vcpu["id"]), vcpu["root_hpa"], vcpu["root_hpa"]]
    if values[:4] != wanted:
        yield f"{what}: {values[:4]}, drgn says {wanted}:\n{text[-2000:]}"
    elif len(values) < 5 or "root_mmu = {" not in values[4]:
        yield f"{what}: the structure is not printed: {values[4:]}"


def lldb_differs(server, vcpu):
    root = f"p/x ((struct kvm_vcpu *){vcpu['vcpu']})->arch.mmu->root.hpa"
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run([sys.executable, LLDB_SCRIPT, f"{server.host}:{server.port}", "-b", "-o", root],
                              env=dict(os.environ, XDG_CACHE_HOME=cache), check=False, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300)
    # "(hpa_t) $0 = 0x..." until lldb 21, "(hpa_t) 0x..." since.
    match = re.search(r"^\(hpa_t\) (?:\$\d+ = )?(0x[0-9a-f]+)", done.stdout, re.MULTILINE)
    if not match or int(match.group(1), 16) != int(vcpu["root_hpa"], 16):
        yield f"lldb: the root is not {vcpu['root_hpa']}:\n{done.stdout[-1000:]}{done.stderr[-500:]}"


def check(dump, command):
    if not shutil.which("gdb"):
        skip("gdb is missing")
    vcpu = a_vcpu(dump, command)
    debug = dump.vmlinux[:dump.vmlinux.index("/usr/lib/debug")]
    wrong = []
    with Server([*command, "--symbols", debug], dump.files) as server:
        wrong += gdb_differs(gdb_says(server, vcpu, dump.vmlinux), vcpu, "gdb with a vmlinux")
        if shutil.which("lldb"):
            wrong += lldb_differs(server, vcpu)
    with Server(command, dump.files) as server:
        wrong += gdb_differs(gdb_says(server, vcpu), vcpu, "gdb without any file")
    return wrong


if __name__ == "__main__":
    check_main(__doc__, check)
