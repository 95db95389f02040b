# SPDX-License-Identifier: GPL-2.0-or-later
# What holds for one architecture alone, by the layers of what it is asked for.
include arch/x86_64/unwind/local.mk
