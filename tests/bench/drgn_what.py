#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Says with drgn what each of many addresses is, twice: prints the processor's seconds of the second time.

    drgn_what.py DUMP VMLINUX ADDRESS...
"""
import sys
import time

import drgn
from drgn.helpers.common.memory import identify_address


def main():
    prog = drgn.Program()
    prog.set_core_dump(sys.argv[1])
    prog.load_debug_info([sys.argv[2]])
    addresses = [int(word, 16) for word in sys.argv[3:]]
    for _ in range(2):
        start = time.process_time()
        said = sum(identify_address(prog, address) is not None for address in addresses)
        seconds = time.process_time() - start
    print(said, seconds)


if __name__ == "__main__":
    main()
