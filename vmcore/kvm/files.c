// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs and vCPUs are files to user space: those that tasks have open. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/code/code_map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"

enum {
	FILES_MAX = 1 << 22, /* looked at in all */
	CHUNK = 512	     /* pointers read at once */
};

struct search {
	struct kvm *kvm;
	uint64_t vm_fops, vcpu_fops; /* 0 if unknown */
	struct map seen;	     /* files_struct */
	size_t looked_at;
};

static struct err *look_at_file(struct search *s, uint64_t file)
{
	uint64_t ops, object;
	bool added;
	if (!kvm_get(s->kvm, file, M_FILE_OPS, &ops) || !ops ||
	    (ops != s->vm_fops && ops != s->vcpu_fops) ||
	    !kvm_get(s->kvm, file, M_FILE_DATA, &object))
		return NULL;
	if (ops == s->vcpu_fops)
		return kvm_add_stray(s->kvm, object);
	struct err *e = kvm_add_vm(s->kvm, object, &added);
	if (!e && added)
		kvm_note(s->kvm, "the VM at 0x%" PRIx64 " was found by the file that it is",
			 object);
	return e;
}

/* The table of files at @fdt. */
static struct err *look_at_table(struct search *s, uint64_t fdt)
{
	unsigned char pointers[CHUNK * 8];
	uint64_t count, fd;
	struct err *e = NULL;
	if (!kvm_get(s->kvm, fdt, M_TABLE_COUNT, &count) ||
	    !kvm_get(s->kvm, fdt, M_TABLE_FILES, &fd))
		return NULL;
	for (uint64_t at = 0; !e && at < count && s->looked_at < FILES_MAX; at += CHUNK) {
		size_t n = count - at < CHUNK ? (size_t)(count - at) : CHUNK;
		size_t got;
		e = memory_read(kernel_memory(s->kvm->parts.k), kernel_space(s->kvm->parts.k),
				fd + 8 * at, pointers, 8 * n, &got);
		if (e)
			return kvm_only_nomem(e);
		s->looked_at += n;
		for (size_t i = 0; !e && i < got / 8; i++) {
			uint64_t file = get_u64(pointers + 8 * i);
			if (file)
				e = look_at_file(s, file);
		}
	}
	return e;
}

struct err *kvm_find_files(struct kvm *kvm)
{
	const struct tasks *tasks = kvm->parts.tasks;
	struct search s = { .kvm = kvm };
	struct err *e = NULL;
	if (kvm->files_read)
		return NULL;
	kvm->files_read = true;
	bool known = code_map_address(kvm->parts.code, "kvm", "kvm_vm_fops", &s.vm_fops);
	known |= code_map_address(kvm->parts.code, "kvm", "kvm_vcpu_fops", &s.vcpu_fops);
	if (!known)
		return NULL;
	for (size_t i = 0; !e && i < tasks->count; i++) {
		uint64_t files, fdt;
		bool added;
		if (!tasks->list[i].mm ||
		    !kvm_get(kvm, tasks->list[i].address, M_TASK_FILES, &files) || !files)
			continue;
		if (!map_add(&s.seen, files, 0, &added))
			e = err_nomem();
		else if (added && kvm_get(kvm, files, M_FILES_TABLE, &fdt) && fdt)
			e = look_at_table(&s, fdt);
	}
	map_free(&s.seen);
	return e;
}
