# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of small kernels with ORC tables that are written into their memory, and a sleeping task
whose stack is laid down word by word."""

import os
import subprocess

from program import SOURCE
from recipes import MAKER
from tap import Skip

# Per format: what __schedule, ret_from_fork_asm, default_idle and sysrq_handle_crash have in the
# word behind the two offsets (a call by rsp that saved rbp, a call by rsp, pt_regs at rsp, a call by
# rbp that saved rbp), and the hash in .orc_header.
FORMATS = {
    "4.14": ((0x015, 0x005, 0x105, 0x014), None),
    "6.3": ((0x015, 0x005, 0x505, 0x014), "db84aed4103b31dd51e017f8f79783ca985c2c51"),
    "6.4": ((0x215, 0x205, 0xb05, 0x214), "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24"),
    "7.1": ((0x283, 0x203, 0xb03, 0x284), "137c36ad7627c4dd55932176bb0ecdbd5041fc82"),
}

RECIPE = """
include "{kernel}.recipe"
set ips __start_orc_unwind_ip + s
virt ips: u32 (__schedule + s - ips) (ret_from_fork_asm + s - ips - 4) (default_idle + s - ips - 8)
	(sysrq_handle_crash + s - ips - 12)
virt __start_orc_unwind + s: u16 32 0xfff0 {0:#x} 8 0 {1:#x} 0 0 {2:#x} 16 0xfff0 {3:#x}
set base init_stk + 0x3e00 + sizeof(inactive_task_frame)
put inactive_task_frame at init_stk + 0x3e00: bp = 0x1111 ret_addr = __schedule + s + 0x20
virt base: 0x22 0x33 (base + 0x60) (sysrq_handle_crash + s + 0x18)
virt base+0x60: 0x7777 (default_idle + s + 0x20)
	15 14 13 12 0xb9 0xbb 11 10 9 8 0 1 2 3 4 -1 0x401000 0x33 0x246 0x7ffe0000 0x2b
"""


def make_orc_dump(folder, name, kernel, words, header):
    """A dump of the kernel with these tables; returns its path."""
    if not os.path.exists(f"tests/kernel/{kernel}"):
        raise Skip(f"tests/kernel/{kernel} was not built: cmocka is missing")
    text = RECIPE.format(*words, kernel=kernel)
    if kernel == "modern":
        octets = " ".join(f"0x{header[i:i + 2]}" for i in range(0, len(header), 2))
        text += f"virt __start_orc_header + s: u8 {octets}\n"
    recipe, dump = os.path.join(folder, name + ".recipe"), os.path.join(folder, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write(text)
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "tests/kernel"), "-I", "tests/kernel", recipe,
                    dump], check=True, timeout=20)
    return dump
