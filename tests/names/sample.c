// SPDX-License-Identifier: GPL-2.0-or-later
/* A vmlinux in small: linked at a kernel's addresses by sample.lds (see make-samples.sh). */
#include "tests/names/sample_types.h"

#ifndef SAMPLE_RELEASE
#define SAMPLE_RELEASE "9.9.9-sample"
#endif
#ifdef SAMPLE_MOVED /* another build of one release: symbols at other distances */
enum { NODES = 99 };
#else
enum { NODES = 2 };
#endif

void _start(void);
void schedule(void);

struct sample_outer *sample_pointer;
struct sample_outer sample_object = { .state = SAMPLE_ANONYMOUS_CONSTANT };
const char linux_banner[] = "Linux version " SAMPLE_RELEASE " (me@here) #1 SMP\n";
const char linux_banner_format[] = "Linux version %s and more";
int init_uts_ns[16] = { 1 };
int node_online_map[NODES] = { 1 };
__attribute__((section(".data..percpu"))) int cpu_number = 7;
__attribute__((section(".data..percpu"))) long runqueues[8] = { 1 };

__attribute__((noinline)) void schedule(void)
{
	sample_object.first++;
}

void _start(void)
{
	/* Without a use, gcc describes no part of a type. */
	sample_pointer = &sample_object;
	schedule();
}
