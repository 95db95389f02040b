// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A unit in front of the sample's. make-samples.sh says of it in one file that it is in Rust:
 * nothing may be learnt from it then. In the other file it is in C.
 */
#ifdef DECOY_IN_C
enum sample_list { DECOY_CONSTANT = 5 } decoy_enum;
#else
struct sample_inner {
	char wrong[99];
} decoy_inner;

struct sample_decoy {
	int member;
} decoy;
#endif
