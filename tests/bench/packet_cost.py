#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many instructions a packet costs that the server has answered before.

Counts, unlike times, do not depend on how busy the machine is. Valgrind's callgrind counts a server that
gets the packet 600 times, and one that gets it 100 times: the difference divided by 500 is what one
costs, with receiving it and sending the reply. The dump is the demo's, whose thread 110 runs a vCPU.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "server"))
from rsp import frame  # noqa: E402 (found by the line above)

FEW, MANY = 100, 600
# What is asked for, of which thread (decimal), in which packet.
VCPU_THREAD = 110
PACKETS = (
    ("p rip, a vCPU's thread", VCPU_THREAD, "p10"),
    ("p guest_rip, a vCPU's thread", VCPU_THREAD, "p2f"),
    ("g, a vCPU's thread", VCPU_THREAD, "g"),
    ("p rip, another thread", None, "p10"),
    ("g, another thread", None, "g"),
    ("m of 8 bytes, the kernel's", VCPU_THREAD, "m{kernel:x},8"),
    ("m of 8 bytes, the user's", VCPU_THREAD, "m{user:x},8"),
)


def stop(sentence):
    sys.exit(f"packet_cost.py: {sentence}")


def packets_for(args, thread, packet, count):
    packet = packet.format(kernel=args.kernel, user=args.user)
    thread = args.thread if thread == VCPU_THREAD else args.other
    first = ["qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386", "QStartNoAckMode"]
    return b"".join(map(frame, [*first, f"Hg{thread:x}", "?", *[packet] * count]))


def instructions(args, requests):
    """All that the server executes to answer them, and its last answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/requests"
        with open(path, "wb") as out:
            out.write(requests)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/profile",
                   f"{args.build}/vmcore-gdbserver", "-q", "-l", "stdio", "--no-confinement",
                   *args.options, args.dump]
        with open(path, "rb") as requests_file:
            done = subprocess.run(command, stdin=requests_file, capture_output=True, check=False)
    text = done.stderr.decode(errors="replace")
    collected = re.search(r"Collected : (\d+)", text)
    if done.returncode or not collected:
        stop(f"the server or valgrind failed:\n{text}")
    replies = re.findall(rb"\$([^#]*)#", done.stdout)
    return int(collected.group(1)), replies[-1] if replies else b""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=".")
    parser.add_argument("--dump", help="instead of the demo's")
    parser.add_argument("--symbols", help="of that dump")
    parser.add_argument("--thread", type=int, default=VCPU_THREAD, help="a vCPU's thread")
    parser.add_argument("--other", type=int, default=103, help="a thread that runs no vCPU")
    parser.add_argument("--kernel", type=lambda s: int(s, 16), default=0xFFFF88043EA73280,
                        help="a readable address of the kernel")
    parser.add_argument("--user", type=lambda s: int(s, 16), default=0x7F0B60000000,
                        help="a readable address of the vCPU's process")
    parser.add_argument("--only", default="", help="measure what has this in its name alone")
    args = parser.parse_args()
    args.options = []
    if not args.dump:
        args.dump = f"{args.build}/contrib/demo/vmcore"
        args.symbols = f"{args.build}/contrib/demo/vmlinux"
    if args.symbols:
        args.options = ["--symbols", args.symbols]
    for name, thread, packet in PACKETS:
        if args.only not in name:
            continue
        few, _ = instructions(args, packets_for(args, thread, packet, FEW))
        many, reply = instructions(args, packets_for(args, thread, packet, MANY))
        if reply[:1] == b"E":
            stop(f"{name}: the reply is {reply.decode()}")
        print(f"{name:32} {(many - few) // (MANY - FEW):8} instructions", flush=True)


if __name__ == "__main__":
    main()
