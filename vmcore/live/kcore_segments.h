/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the segments of /proc/kcore lie in physical memory. */
#ifndef VMCORE_LIVE_KCORE_SEGMENTS_H
#define VMCORE_LIVE_KCORE_SEGMENTS_H

struct elf_headers; /* vmcore/dump/elf.h */
struct err;
struct iomem;

/*
 * For the headers of a /proc/kcore of before 5.2, which give no physical addresses: finds them by
 * what @iomem says is RAM, of which each range is mapped whole. Other headers are left as they are.
 * ERR_FORMAT when they cannot be told, ERR_IO when @iomem is not open.
 */
__attribute__((warn_unused_result)) struct err *kcore_place_segments(const struct iomem *iomem,
								     struct elf_headers *h);

#endif
