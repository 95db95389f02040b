#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the Python that can import drgn; exit status 77 if none can. Debian's packages are seen by
# Debian's Python only, which need not be the first on the PATH.
for python in /usr/bin/python3 python3; do
    if "$python" -c 'import drgn' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "no python3 can import drgn: install the package python3-drgn" >&2
exit 77
