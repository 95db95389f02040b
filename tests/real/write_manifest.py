#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes OUTDIR/manifest.json: every dump, how it is encoded, and what to check it by.

    write_manifest.py OUTDIR [DUMP...]

With names, of those dumps alone. All paths are relative to OUTDIR. "oracle" names the ELF dump of the same machine at the same
moment, QEMU's registers of it (null: the dump's notes are the kernel's own) and, where that ELF
dump lacks VMCOREINFO, another of the same boot that has it.
"""

import glob
import json
import os
import sys


def dump(scenario, files, file_format, **properties):
    """One manifest entry without what is the same for all."""
    entry = {
        "name": files[0] if len(files) == 1 else files[0].rstrip("0123456789"),
        "files": [os.path.join("dumps", file) for file in files],
        "format": file_format,
        "compression": None,
        "scenario": scenario,
        "has_vmcoreinfo": True,
        "filtered": False,
        "flattened": False,
        "taken_by": "kernel" if scenario == "kdump" else "qemu",
    }
    entry.update(properties)
    return entry


DUMPS = [
    dump("run", ["run.elf"], "elf"),
    dump("run", ["run.qemu-kdump-zlib"], "kdump", compression="zlib", flattened=True),
    dump("run", ["run.kdump-zlib"], "kdump", compression="zlib"),
    dump("run-novmcoreinfo", ["run-novmcoreinfo.elf"], "elf", has_vmcoreinfo=False),
    dump("run-vmexit", ["run-vmexit.elf"], "elf"),
    dump("run-user", ["run-user.elf"], "elf"),
    dump("panic", ["panic.elf"], "elf"),
    dump("panic", ["panic.qemu-kdump-zlib"], "kdump", compression="zlib", flattened=True),
    dump("panic", ["panic.kdump-zlib"], "kdump", compression="zlib"),
    dump("kdump", ["kdump.elf"], "elf"),
    dump("kdump", ["kdump.zlib"], "kdump", compression="zlib"),
    dump("kdump", ["kdump.lzo"], "kdump", compression="lzo"),
    dump("kdump", ["kdump.snappy"], "kdump", compression="snappy"),
    dump("kdump", ["kdump.zstd"], "kdump", compression="zstd"),
    dump("kdump", ["kdump.d31"], "kdump", compression="zlib", filtered=True),
    dump("kdump", ["kdump.elf-d31"], "elf", filtered=True),
    dump("kdump", ["kdump.split1", "kdump.split2", "kdump.split3"], "kdump", compression="lzo"),
    dump("kdump", ["kdump.flat"], "kdump", compression="lzo", flattened=True),
    dump("kdump", ["kdump.elf-flat"], "elf", filtered=True, flattened=True),
    dump("nokaslr", ["nokaslr.elf"], "elf"),
    dump("panic-nmi", ["panic-nmi.elf"], "elf"),
    dump("linux", ["linux.elf"], "elf"),
    dump("panic-irq", ["panic-irq.elf"], "elf"),
]

# By scenario, the boot that it is of; all others are of the main one.
BOOTS = {"kdump": "kdump", "nokaslr": "nokaslr", "panic-nmi": "nokaslr", "linux": "linux",
         "panic-irq": "linux"}


def oracle(entry):
    scenario = entry["scenario"]
    by_qemu = entry["taken_by"] == "qemu"
    return {
        "elf": f"dumps/{scenario}.elf",
        "registers": f"dumps/{scenario}.registers" if by_qemu else None,
        "gdb_registers": f"dumps/{scenario}.gdb-registers" if by_qemu else None,
        "vmcoreinfo_from": None if entry["has_vmcoreinfo"] else "dumps/run.elf",
    }


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    wanted = sys.argv[2:]
    dumps = [entry for entry in DUMPS if not wanted or entry["name"] in wanted]
    os.chdir(sys.argv[1])
    with open("kernel/release", encoding="utf-8") as file:
        release = file.read().strip()
    debug = "kernel/usr/lib/debug"
    for entry in dumps:
        for file in entry["files"]:
            if not os.path.isfile(file):
                sys.exit(f"write_manifest.py: {file} is missing")
        entry["release"] = release
        entry["vmlinux"] = f"{debug}/boot/vmlinux-{release}"
        entry["modules"] = sorted(glob.glob(f"{debug}/lib/modules/**/*.ko*", recursive=True))
        entry["console"] = f"dumps/{BOOTS.get(entry['scenario'], 'main')}.console"
        entry["oracle"] = oracle(entry)
    with open("manifest.json.new", "w", encoding="utf-8") as file:
        json.dump({"dumps": dumps}, file, indent=2)
        file.write("\n")
    os.rename("manifest.json.new", "manifest.json")


if __name__ == "__main__":
    main()
