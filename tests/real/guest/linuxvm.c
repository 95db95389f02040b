// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtual machine monitor that boots a Linux kernel with two vCPUs on /dev/kvm, and then stays.
 *
 *   linuxvm BZIMAGE INITRD COMMAND_LINE
 *
 * The guest has memory, KVM's own interrupt controllers and timer, ACPI
 * tables that name its CPUs, and a serial port that can only be written to, whose
 * text goes to standard output. The kernel is entered by its 64-bit boot protocol
 * (Documentation/x86/boot.rst).
 */
#define _GNU_SOURCE
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bits of CPUID's leaf 1, ecx, that KVM leaves to its user to set. */
#define HYPERVISOR   (UINT32_C(1) << 31)
#define TSC_DEADLINE (UINT32_C(1) << 24)

/* Guest physical addresses. */
enum {
	GUEST_MEM = 128 << 20,
	GDT = 0x1000,
	ZERO_PAGE = 0x2000,
	COMMAND_LINE = 0x3000,
	PML4 = 0x4000,
	PDPT = 0x5000,
	PD = 0x6000, /* four of them */
	LOW_END = 0x9fc00,
	ACPI = LOW_END,
	HIGH = 1 << 20,
	KERNEL = 16 << 20, /* LOAD_PHYSICAL_ADDR */
	INITRD = 100 << 20,
};

enum {
	NR_VCPUS = 2,
	BOOT_CS = 0x10,
	BOOT_DS = 0x18,
	ENTRY_64 = 0x200, /* behind the start of the protected-mode kernel */
	IOAPIC_ID = NR_VCPUS,
	LOCAL_APIC = 0xfee00000u,
	IOAPIC = 0xfec00000u,
	SERIAL = 0x3f8,
	SERIAL_STATUS = SERIAL + 5,
	TRANSMITTER_EMPTY = 0x60,
	CMOS_DATA = 0x71,
	MEMORY_RAM = 1, /* types of an e820 entry */
	MEMORY_RESERVED = 2,
};

struct vcpu {
	int id, fd;
	struct kvm_run *run;
	pthread_t thread;
};

struct vm {
	int kvm, fd;
	uint8_t *mem;
	struct vcpu vcpus[NR_VCPUS];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int xioctl(int fd, unsigned long request, const void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

/* ---- what is in memory when the kernel starts ---- */

/* What of the file from offset on goes into room. */
static size_t load_part(const char *path, off_t offset, void *at, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t got;

	if (fd < 0)
		die(path);
	while (done < room && (got = pread(fd, (uint8_t *)at + done, room - done, offset + done)) > 0)
		done += got;
	close(fd);
	return done;
}

static size_t load_rest(const char *path, off_t offset, void *at, size_t room)
{
	size_t done = load_part(path, offset, at, room);

	if (!done || done == room) {
		fprintf(stderr, "linuxvm: %s is empty, or too large\n", path);
		exit(1);
	}
	return done;
}

static void load_kernel(struct vm *vm, const char *image, const char *initrd, const char *line)
{
	uint8_t start[4096];
	struct boot_params *params = (void *)(vm->mem + ZERO_PAGE);
	struct setup_header *header = &params->hdr;
	size_t at = offsetof(struct boot_params, hdr), len;
	const struct boot_e820_entry map[] = {
		{ 0, LOW_END, MEMORY_RAM },
		{ LOW_END, 0xa0000 - LOW_END, MEMORY_RESERVED },
		{ HIGH, GUEST_MEM - HIGH, MEMORY_RAM },
	};

	load_part(image, 0, start, sizeof(start));
	/* The second byte of a jump over the header says where that ends. */
	len = 2 + start[0x201] + 0x200 - at;
	memcpy(header, start + at, len < sizeof(*header) ? len : sizeof(*header));
	load_rest(image, (header->setup_sects + 1) * 512, vm->mem + KERNEL, INITRD - KERNEL);
	header->type_of_loader = 0xff;
	header->cmd_line_ptr = COMMAND_LINE;
	header->ramdisk_image = INITRD;
	header->ramdisk_size = load_rest(initrd, 0, vm->mem + INITRD, GUEST_MEM - INITRD);
	snprintf((char *)vm->mem + COMMAND_LINE, 2048, "%s", line);
	memcpy(params->e820_table, map, sizeof(map));
	params->e820_entries = sizeof(map) / sizeof(map[0]);
}

/* 4 GiB by 2 MiB pages, each address at itself. */
static void write_page_tables(struct vm *vm)
{
	uint64_t *pml4 = (void *)(vm->mem + PML4), *pdpt = (void *)(vm->mem + PDPT);
	uint64_t *pd = (void *)(vm->mem + PD);

	pml4[0] = PDPT | 3;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = (PD + i * 4096) | 3;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0x83;
}

static void write_gdt(struct vm *vm)
{
	uint64_t *gdt = (void *)(vm->mem + GDT);

	gdt[BOOT_CS / 8] = 0x00af9b000000ffff;
	gdt[BOOT_DS / 8] = 0x00cf93000000ffff;
}

/* ---- ACPI ---- */

/* Makes the bytes of a structure add up to 0. */
static void set_checksum(uint8_t *at, size_t len, uint8_t *checksum)
{
	*checksum = 0;
	for (size_t i = 0; i < len; i++)
		*checksum -= i == (size_t)(checksum - at) ? 0 : at[i];
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* The header of a table, all but what is in it (ACPI specification, 5.2.6). */
static void finish_table(uint8_t *at, const char *signature, size_t len)
{
	memcpy(at, signature, 4);
	put32(at + 4, len);
	at[8] = 1;
	memcpy(at + 10, "TEST  LINUXVM ", 14);
	memcpy(at + 28, "TEST", 4);
	set_checksum(at, len, at + 9);
}

/* CPUs and I/O APIC, in a MADT behind an RSDT (5.2.5, 5.2.7, 5.2.12). There is no more: the kernel
 * then does without ACPI, but with what it has found here. */
static void write_acpi(struct vm *vm)
{
	struct boot_params *params = (void *)(vm->mem + ZERO_PAGE);
	uint8_t *rsdp = vm->mem + ACPI, *rsdt = rsdp + 32, *madt = rsdp + 128, *at = madt + 44;

	for (uint8_t id = 0; id < NR_VCPUS; id++, at += 8)
		memcpy(at, (const uint8_t[8]){ 0, 8, id, id, 1 }, 8);
	memcpy(at, (const uint8_t[4]){ 1, 12, IOAPIC_ID }, 4);
	put32(at + 4, IOAPIC);
	put32(madt + 36, LOCAL_APIC);
	put32(madt + 40, 1); /* there are 8259s */
	finish_table(madt, "APIC", at + 12 - madt);
	put32(rsdt + 36, ACPI + 128);
	finish_table(rsdt, "RSDT", 40);
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "TEST  ", 6);
	put32(rsdp + 16, ACPI + 32);
	set_checksum(rsdp, 20, rsdp + 8);
	params->acpi_rsdp_addr = ACPI;
}

/* ---- the machine ---- */

static void set_cpuid(struct vm *vm, struct vcpu *vcpu)
{
	const unsigned most = 256;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + most * sizeof(cpuid->entries[0]));

	if (!cpuid)
		die("calloc");
	cpuid->nent = most;
	xioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1) {
			e->ebx = (e->ebx & 0x00ffffff) | (uint32_t)vcpu->id << 24;
			e->ecx |= HYPERVISOR | TSC_DEADLINE;
		} else if (e->function == 0xb || e->function == 0x1f) {
			e->edx = vcpu->id;
		}
	}
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

static void create_vm(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = { .memory_size = GUEST_MEM };
	const struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int run_size;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = xioctl(vm->kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
	xioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	xioctl(vm->fd, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	vm->mem = mmap(NULL, GUEST_MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->mem == MAP_FAILED)
		die("mmap guest memory");
	slot.userspace_addr = (uintptr_t)vm->mem;
	xioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");
	run_size = xioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	for (int i = 0; i < NR_VCPUS; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		vcpu->id = i;
		vcpu->fd = xioctl(vm->fd, KVM_CREATE_VCPU, (void *)(intptr_t)i, "KVM_CREATE_VCPU");
		vcpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
		if (vcpu->run == MAP_FAILED)
			die("mmap kvm_run");
		set_cpuid(vm, vcpu);
	}
}

/* vCPU 0 starts at the kernel's entry; the other waits for the guest to start it. */
static void set_registers(struct vcpu *vcpu)
{
	const struct kvm_segment code = { .limit = 0xffffffff, .selector = BOOT_CS, .type = 0xb,
					  .present = 1, .s = 1, .l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = 0xffffffff, .selector = BOOT_DS, .type = 0x3,
					  .present = 1, .s = 1, .db = 1, .g = 1 };
	const struct kvm_regs regs = { .rip = KERNEL + ENTRY_64, .rsi = ZERO_PAGE, .rflags = 2 };
	struct kvm_sregs sregs = { 0 };

	xioctl(vcpu->fd, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	sregs.cr0 = 0x80000033;
	sregs.cr3 = PML4;
	sregs.cr4 = 0x20;
	sregs.efer = 0x500;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt = (struct kvm_dtable){ .base = GDT, .limit = BOOT_DS + 7 };
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	xioctl(vcpu->fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static void handle_io(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	size_t len = (size_t)run->io.size * run->io.count;

	if (run->io.direction == KVM_EXIT_IO_OUT) {
		if (run->io.port == SERIAL && write(1, data, len) < 0)
			die("write");
		return;
	}
	memset(data, run->io.port == SERIAL_STATUS ? TRANSMITTER_EMPTY
		     : run->io.port == CMOS_DATA   ? 0
						   : 0xff, len);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kvm_run *run = vcpu->run;
	char name[16];

	snprintf(name, sizeof(name), "CPU %d/KVM", vcpu->id);
	prctl(PR_SET_NAME, name);
	if (vcpu->id == 0)
		set_registers(vcpu);
	for (;;) {
		/* A CPU that the guest has not started yet says EAGAIN when that happens. */
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno != EINTR && errno != EAGAIN)
				die("KVM_RUN");
			continue;
		}
		if (run->exit_reason == KVM_EXIT_IO) {
			handle_io(run);
		} else if (run->exit_reason == KVM_EXIT_MMIO) {
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		} else if (run->exit_reason != KVM_EXIT_INTR) {
			fprintf(stderr, "linuxvm: %s left the guest for reason %u\n", name,
				run->exit_reason);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static struct vm vm;

	if (argc != 4) {
		fprintf(stderr, "usage: linuxvm BZIMAGE INITRD COMMAND_LINE\n");
		return 2;
	}
	create_vm(&vm);
	load_kernel(&vm, argv[1], argv[2], argv[3]);
	write_page_tables(&vm);
	write_gdt(&vm);
	write_acpi(&vm);
	for (int i = 0; i < NR_VCPUS; i++) {
		if (pthread_create(&vm.vcpus[i].thread, NULL, vcpu_thread, &vm.vcpus[i]) != 0)
			die("pthread_create");
	}
	pthread_join(vm.vcpus[0].thread, NULL);
}
