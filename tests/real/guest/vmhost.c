// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tiny virtual machine monitor: makes one VM on /dev/kvm whose vCPU threads are caught in every
 * state a dump can show them in, names the threads as QEMU does, and then stays.
 *
 *   vmhost LETTER spin|halt [high]
 *
 *   CPU 0/KVM  spins in guest code, or is halted, too
 *   CPU 1/KVM  halted: blocked in the kernel inside KVM_RUN
 *   CPU 2/KVM  left the guest for device emulation (MMIO) and sleeps in user space
 *   CPU 3/KVM  created, never run
 *
 * With "high" the guest's code runs at the addresses a Linux kernel without KASLR runs at, so that
 * its rip alone does not tell it from the host's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The guest's physical memory: one slot from 0, and where things lie in it. */
enum {
	GUEST_MEM = 4 << 20,
	PML4 = 0x1000,
	PDPT = 0x2000,
	PD = 0x3000,
	CODE = 0x100000,
	COUNTER = 0x180000,
	STACK_TOP = 0x200000,
	MARK = 0x300000,
	MMIO = 0x10000000, /* in no slot: a write exits to user space */
};

#define HIGH_BASE    0xffffffff81000000ull /* where the "high" guest sees GPA 0 + CODE's offset */
#define TELL_RBX     0xb0b0b0b0b0b00000ull /* + 0x100 * letter + vCPU: never a host's value */
#define TELL_RBP     0xbeefbeefbeef0000ull
#define NR_VCPUS     4
#define CODE_STRIDE  0x100 /* each vCPU's own code, in bytes */

enum job { JOB_SPIN, JOB_HALT, JOB_MMIO, JOB_NEVER_RUN };

struct vcpu {
	struct vm *vm;
	int id;
	int fd;
	enum job job;
	struct kvm_run *run;
	pthread_t thread;
	volatile bool settled; /* in the state its job asks for, as far as user space can see */
};

struct vm {
	char letter;
	bool high;
	bool spins; /* vCPU 0 does */
	int fd;
	uint8_t *mem;
	struct vcpu vcpus[NR_VCPUS];
};

/* lock incq (%rcx); jmp to itself: the counter shows that the guest runs */
static const uint8_t code_spin[] = { 0xf0, 0x48, 0xff, 0x01, 0xeb, 0xfa };
/* hlt; jmp back */
static const uint8_t code_halt[] = { 0xf4, 0xeb, 0xfd };
/* mov %rax,(%rdx); hlt */
static const uint8_t code_mmio[] = { 0x48, 0x89, 0x02, 0xf4 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int xioctl(int fd, unsigned long request, unsigned long arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

static void put64(struct vm *vm, uint64_t gpa, uint64_t value)
{
	memcpy(vm->mem + gpa, &value, sizeof(value));
}

/* GPA 0..4 MiB and the MMIO page by 2 MiB pages, at VA 0 and at 0xffffffff80000000. */
static void write_page_tables(struct vm *vm)
{
	const uint64_t table = 0x3, large = 0x83;

	put64(vm, PML4, PDPT | table);
	put64(vm, PML4 + 511 * 8, PDPT | table);
	put64(vm, PDPT, PD | table);
	put64(vm, PDPT + 510 * 8, PD | table);
	for (uint64_t gpa = 0; gpa < GUEST_MEM; gpa += 2 << 20)
		put64(vm, PD + (gpa >> 21) * 8, gpa | large);
	/* HIGH_BASE is 16 MiB above 0xffffffff80000000: there again the slot's memory. */
	for (uint64_t gpa = 0; gpa < GUEST_MEM; gpa += 2 << 20)
		put64(vm, PD + ((gpa + (16 << 20)) >> 21) * 8, gpa | large);
	put64(vm, PD + (MMIO >> 21) * 8, MMIO | large);
}

static void write_code(struct vm *vm, const struct vcpu *vcpu)
{
	uint8_t *at = vm->mem + CODE + vcpu->id * CODE_STRIDE;

	switch (vcpu->job) {
	case JOB_SPIN:
		memcpy(at, code_spin, sizeof(code_spin));
		break;
	case JOB_HALT:
	case JOB_NEVER_RUN:
		memcpy(at, code_halt, sizeof(code_halt));
		break;
	case JOB_MMIO:
		memcpy(at, code_mmio, sizeof(code_mmio));
		break;
	}
}

/* What the guest's CPUs can do: all that KVM can. Newer kernels refuse long mode to those that were
 * not said to have it. */
static struct kvm_cpuid2 *supported_cpuid(int kvm)
{
	const unsigned most = 256;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + most * sizeof(cpuid->entries[0]));

	if (!cpuid)
		die("calloc");
	cpuid->nent = most;
	xioctl(kvm, KVM_GET_SUPPORTED_CPUID, (uintptr_t)cpuid, "KVM_GET_SUPPORTED_CPUID");
	return cpuid;
}

static void create_vm(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = { .memory_size = GUEST_MEM };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("/dev/kvm");
	vm->fd = xioctl(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP");
	vm->mem = mmap(NULL, GUEST_MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->mem == MAP_FAILED)
		die("mmap guest memory");
	slot.userspace_addr = (uintptr_t)vm->mem;
	xioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&slot, "KVM_SET_USER_MEMORY_REGION");
	write_page_tables(vm);
	sprintf((char *)vm->mem + MARK, "hello from guest %c", vm->letter);

	struct kvm_cpuid2 *cpuid = supported_cpuid(kvm);
	int run_size = xioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
	for (int i = 0; i < NR_VCPUS; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		vcpu->vm = vm;
		vcpu->id = i;
		vcpu->job = i == 0 && !vm->spins ? JOB_HALT : (enum job)i;
		vcpu->fd = xioctl(vm->fd, KVM_CREATE_VCPU, i, "KVM_CREATE_VCPU");
		xioctl(vcpu->fd, KVM_SET_CPUID2, (uintptr_t)cpuid, "KVM_SET_CPUID2");
		vcpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
		if (vcpu->run == MAP_FAILED)
			die("mmap kvm_run");
		write_code(vm, vcpu);
	}
	free(cpuid);
	close(kvm);
}

static void set_long_mode(struct vcpu *vcpu)
{
	const struct kvm_segment code = { .limit = 0xffffffff, .selector = 0x8, .type = 0xb,
					  .present = 1, .s = 1, .l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = 0xffffffff, .selector = 0x10, .type = 0x3,
					  .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_sregs sregs;

	xioctl(vcpu->fd, KVM_GET_SREGS, (uintptr_t)&sregs, "KVM_GET_SREGS");
	sregs.cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
	sregs.cr3 = PML4;
	sregs.cr4 = 0x20; /* PAE */
	sregs.efer = 0x500; /* LMA LME */
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	xioctl(vcpu->fd, KVM_SET_SREGS, (uintptr_t)&sregs, "KVM_SET_SREGS");
}

static void set_registers(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	uint64_t base = vm->high ? HIGH_BASE : 0;
	uint64_t tell = ((uint64_t)vm->letter << 8) + vcpu->id;
	struct kvm_regs regs = {
		.rip = base + CODE + vcpu->id * CODE_STRIDE,
		.rsp = base + STACK_TOP - vcpu->id * 0x1000,
		.rax = 0xaaaaaaaaaaaa0000ull + tell,
		.rbx = TELL_RBX + tell,
		.rbp = TELL_RBP + tell,
		.rcx = base + COUNTER,
		.rdx = MMIO,
		.rflags = 0x2,
	};

	set_long_mode(vcpu);
	xioctl(vcpu->fd, KVM_SET_REGS, (uintptr_t)&regs, "KVM_SET_REGS");
}

/* With an in-kernel irqchip all but vCPU 0 wait for a start-up IPI that nobody sends here. */
static void make_runnable(struct vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };

	xioctl(vcpu->fd, KVM_SET_MP_STATE, (uintptr_t)&state, "KVM_SET_MP_STATE");
}

static void sleep_forever(void)
{
	for (;;)
		pause();
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	char name[16];

	snprintf(name, sizeof(name), "CPU %d/KVM", vcpu->id);
	prctl(PR_SET_NAME, name);
	set_registers(vcpu);
	if (vcpu->job == JOB_NEVER_RUN) {
		vcpu->settled = true;
		sleep_forever();
	}
	make_runnable(vcpu);
	vcpu->settled = vcpu->job != JOB_MMIO;
	xioctl(vcpu->fd, KVM_RUN, 0, "KVM_RUN");
	if (vcpu->job != JOB_MMIO || vcpu->run->exit_reason != KVM_EXIT_MMIO) {
		fprintf(stderr, "vmhost %c: %s left the guest for reason %u\n", vcpu->vm->letter,
			name, vcpu->run->exit_reason);
		exit(1);
	}
	vcpu->settled = true;
	sleep_forever();
	return NULL;
}

static bool all_settled(const struct vm *vm)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		if (!vm->vcpus[i].settled)
			return false;
	}
	return !vm->spins || *(volatile uint64_t *)(vm->mem + COUNTER) > 0;
}

int main(int argc, char **argv)
{
	static struct vm vm;

	if (argc < 3) {
		fprintf(stderr, "usage: vmhost LETTER spin|halt [high]\n");
		return 2;
	}
	vm.letter = argv[1][0];
	vm.spins = strcmp(argv[2], "spin") == 0;
	vm.high = argc > 3 && strcmp(argv[3], "high") == 0;
	create_vm(&vm);
	for (int i = 0; i < NR_VCPUS; i++) {
		if (pthread_create(&vm.vcpus[i].thread, NULL, vcpu_thread, &vm.vcpus[i]) != 0)
			die("pthread_create");
	}
	while (!all_settled(&vm))
		usleep(10000);
	printf("vmhost %c: ready\n", vm.letter);
	fflush(stdout);
	sleep_forever();
}
