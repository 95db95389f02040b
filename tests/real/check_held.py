#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks what the frames of vCPU threads hold, by the debug files of KVM's modules.

    check_held.py MANIFEST DUMP_NAME SERVER --symbols VMLINUX --symbols FOLDER_OF_MODULES

KVM's structures and the variables of its own functions are two witnesses of which vCPU a thread
runs: every frame that holds a known pointer must say what the structures say, and among the
threads that are in KVM's code there must be some that hold one.
"""

import sys

from oracle import check_main, json_lines, run


def compare(dump, server):
    output = run([*server, "-x", "bt --all --json", *dump.files], server[0])
    lines, in_kvm, agreed = [], 0, 0
    for thread in json_lines(output, server[0]):
        frames = [frame for frame in thread["frames"] if frame.get("module", "").startswith("kvm")]
        in_kvm += bool(frames)
        for frame in frames:
            for held in frame.get("holds", []):
                if held["name"] == "vcpu" and held["value"] != thread.get("vcpu"):
                    lines.append(f"tid {thread['tid']} {frame['name']}: {held}, the structures say "
                                 f"{thread.get('vcpu')}")
                agreed += held["value"] == thread.get("vcpu")
    print(f"{in_kvm} threads in KVM's code, {agreed} variables that agree", file=sys.stderr)
    if in_kvm and not agreed:
        lines.append("no frame in KVM's code holds its vCPU")
    return lines


if __name__ == "__main__":
    check_main(__doc__, compare)
