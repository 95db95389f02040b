// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that the kernel makes from BPF programs, for stacks that have it.
 *
 *   bpf_trace FUNCTION
 *
 * From now on the kernel's FUNCTION is called by a BPF trampoline, whoever calls it, and when it
 * has returned a program calls a helper. Prints "bpf_trace: ready", and stays.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static char *read_whole(const char *path)
{
	enum { MOST = 64 << 20 };
	int fd = open(path, O_RDONLY);
	char *data = malloc(MOST);
	size_t have = 0;
	ssize_t got;

	if (fd < 0 || !data)
		die(path);
	while ((got = read(fd, data + have, MOST - have)) > 0)
		have += (size_t)got;
	close(fd);
	return data;
}

/* What follows a struct btf_type (include/uapi/linux/btf.h). */
static size_t bytes_behind(const struct btf_type *type)
{
	size_t count = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return (BTF_INFO_KIND(type->info) == BTF_KIND_ARRAY ? 1 : count) * 12;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return count * 8;
	default:
		return 0;
	}
}

/* The number that the kernel's BTF gives to a function. */
static uint32_t function_number(const char *name)
{
	const char *btf = read_whole("/sys/kernel/btf/vmlinux");
	const struct btf_header *h = (const void *)btf;
	const char *at = btf + h->hdr_len + h->type_off, *end = at + h->type_len;
	const char *strings = btf + h->hdr_len + h->str_off;

	for (uint32_t number = 1; at < end; number++) {
		const struct btf_type *type = (const void *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + type->name_off, name))
			return number;
		at += sizeof(*type) + bytes_behind(type);
	}
	fprintf(stderr, "bpf_trace: no function %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	static char log[1 << 16];
	/* call bpf_ktime_get_ns; r0 = 0; exit */
	const struct bpf_insn program[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_TRACE_FEXIT,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(*program),
		.license = (uintptr_t) "GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
		.prog_name = "vmcore_exit",
	};
	union bpf_attr attach = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: bpf_trace FUNCTION\n");
		return 2;
	}
	load.attach_btf_id = function_number(argv[1]);
	long fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0) {
		fprintf(stderr, "%s", log);
		die("BPF_PROG_LOAD");
	}
	attach.raw_tracepoint.prog_fd = (uint32_t)fd;
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attach) < 0)
		die("BPF_RAW_TRACEPOINT_OPEN");
	printf("bpf_trace: ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
