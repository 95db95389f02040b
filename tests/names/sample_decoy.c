// SPDX-License-Identifier: GPL-2.0-or-later
/* make-samples.sh says that this unit is in Rust: nothing may be learnt from it. */
struct sample_inner {
	char wrong[99];
} decoy_inner;

struct sample_decoy {
	int member;
} decoy;
