# SPDX-License-Identifier: GPL-2.0-or-later
# The source itself: what includes what.
TESTS += tests/layers/test_layers.py
EXTRA_DIST += tests/layers/test_layers.py
