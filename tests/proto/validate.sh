#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The XML documents are valid. Run by `make check`, in the build folder.
if ! command -v xmllint >/dev/null; then
	echo "skipped: xmllint is not installed (Debian: libxml2-utils)"
	exit 77
fi
set -e
source=${srcdir:-.}/tests/proto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests/proto/documents "$work"
xmllint --nonet --noout --dtdvalid "$source/gdb-target.dtd" "$work/target.xml"
xmllint --nonet --noout --dtdvalid "$source/threads.dtd" "$work/threads.xml"
