# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
check_PROGRAMS += tests/base/test_base tests/base/test_fiber tests/base/test_file_map
endif
