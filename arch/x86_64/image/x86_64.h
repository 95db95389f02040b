/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_IMAGE_X86_64_H
#define ARCH_X86_64_IMAGE_X86_64_H

extern const struct image_arch x86_64_image;

#endif
