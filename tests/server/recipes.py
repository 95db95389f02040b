# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of the demo dump: its recipe and some statements more."""

import os
import subprocess

from program import SOURCE

MAKER = os.path.abspath("tests/recipe/mkvmcore")


def make_dump(folder, name, statements):
    """Makes NAME in the folder; returns its path."""
    recipe, dump = os.path.join(folder, name + ".recipe"), os.path.join(folder, name)
    with open(recipe, "w", encoding="ascii") as file:
        file.write(f'include "seed.recipe"\n{statements}')
    subprocess.run([MAKER, "-I", os.path.join(SOURCE, "contrib/demo"), "-I", "contrib/demo",
                    recipe, dump], check=True, timeout=20)
    return dump
