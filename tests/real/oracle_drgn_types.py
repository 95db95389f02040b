#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of the structures in debug files.

    oracle_drgn_types.py NAMES FILE...

NAMES holds "struct foo" or "union foo" lines. Writes JSON Lines, one object for each that the files
define: name, size and members, those of anonymous structures in it too, each a list of name, bit
offset from the start of the outermost structure, bits (0: no bit-field), size in bytes (null: unknown)
and the type as C writes it.
"""

import json
import sys

import drgn


def members_of(kind, base=0):
    for member in kind.members:
        inner = member.type
        offset = base + member.bit_offset
        if not member.name and inner.kind in (drgn.TypeKind.STRUCT, drgn.TypeKind.UNION):
            yield from members_of(inner, offset)
            continue
        try:
            size = drgn.sizeof(inner)
        except TypeError:  # an array without an end
            size = 0
        yield [member.name, offset, member.bit_field_size or 0, size, inner.type_name()]


def main():
    prog = drgn.Program()
    prog.load_debug_info(sys.argv[2:])
    with open(sys.argv[1], encoding="ascii") as names:
        for name in map(str.strip, names):
            try:
                kind = prog.type(name)
            except LookupError:
                continue
            if kind.is_complete():
                print(json.dumps({"name": name, "size": kind.size,
                                  "members": list(members_of(kind))}))


if __name__ == "__main__":
    main()
