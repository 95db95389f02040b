#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What fuzzing the protocol found interesting, once more. Run by `make check`, in the build folder.
exec tests/fuzz/replay_rsp "${srcdir:-.}/tests/fuzz/corpus-rsp"
