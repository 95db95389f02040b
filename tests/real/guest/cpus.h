/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPU of the test machine does what. No guest runs on the first: whenever another CPU loads FPU
 * state, QEMU's emulator (7.2) writes hflags2 of the first without a lock (cpu_clear_ignne() in
 * fpu_helper.c), and with it what that held before. A guest that was entered meanwhile then has no
 * interrupts, and one that spins keeps the CPU for good.
 */
#ifndef CPUS_H
#define CPUS_H

enum { HOUSE_CPU = 0, GUEST_CPU = 1 };

#endif
