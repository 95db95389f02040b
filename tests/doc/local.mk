# SPDX-License-Identifier: GPL-2.0-or-later
# The pages: where their links lead, and what they name.
TESTS += tests/doc/test_pages.py
EXTRA_DIST += tests/README.md tests/doc/test_pages.py
