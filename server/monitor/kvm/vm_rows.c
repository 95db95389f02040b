// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/kvm/vm_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/monitor/kvm/attach_id.h"
#include "server/monitor/kvm/vcpu_rows.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

/* ---- what runs in it ---- */

enum { LINUX_RELEASE, LINUX_BANNER, LINUX_BUILD_ID, LINUX_TEXT, LINUX_SLIDE, LINUX_VALUES };

static const struct column linux_text_columns[] = {
	{ LINUX_RELEASE, .before = "Linux " },
	{ LINUX_TEXT, .before = ", text at ", .instead = ", where its text lies is not known" },
	{ LINUX_SLIDE, .before = ", moved by ", .after = " (KASLR)", .not_zero = true },
	{ LINUX_BUILD_ID, .before = ", build-id " },
};
static const struct key linux_keys[] = { { LINUX_RELEASE, "release" },
					 { LINUX_BANNER, "banner" },
					 { LINUX_BUILD_ID, "build_id" },
					 { LINUX_TEXT, "text" },
					 { LINUX_SLIDE, "kaslr_offset" } };
static const struct row_kind linux_kind = { .text = COLUMNS(linux_text_columns),
					    .json = COLUMNS(linux_keys) };

static void fill_linux(const struct guest_linux *g, struct value *v)
{
	v[LINUX_RELEASE] = value_text(g->release);
	v[LINUX_BANNER] = value_text(*g->banner ? g->banner : NULL);
	v[LINUX_BUILD_ID] = value_text(*g->build_id ? g->build_id : NULL);
	if (g->placed) {
		v[LINUX_TEXT] = value_hex(g->text);
		v[LINUX_SLIDE] = value_hex(g->slide);
	}
}

static void linux_text(const void *of, struct buf *out)
{
	struct value row[LINUX_VALUES] = { 0 };
	fill_linux(of, row);
	row_text(&linux_kind.text, row, out);
}

static void linux_json(const void *of, const char *key, struct json *j)
{
	struct value row[LINUX_VALUES] = { 0 };
	fill_linux(of, row);
	row_object(&linux_kind.json, row, key, j);
}

static const struct value_printers linux_printers = { linux_text, linux_json };

/* ---- memory slots ---- */

enum {
	SLOT_VM,
	SLOT_AS,
	SLOT_SMM,
	SLOT_ID,
	SLOT_GPA,
	SLOT_LAST_GPA,
	SLOT_SIZE,
	SLOT_KIB,
	SLOT_HVA,
	SLOT_FLAGS,
	SLOT_FLAG_BITS, /* the same in hexadecimal */
	SLOT_VALUES
};

static const struct column slot_columns[] = {
	{ SLOT_ID, .before = "  slot " }, { SLOT_SMM, .before = " (SMM)" },
	{ SLOT_GPA, .before = "  gpa " }, { SLOT_LAST_GPA, .before = "-" },
	{ SLOT_HVA, .before = "  hva " }, { SLOT_KIB, .before = "  ", .after = " KiB" },
};
static const struct key slot_keys[] = { { SLOT_AS, "as" },   { SLOT_ID, "id" },
					{ SLOT_GPA, "gpa" }, { SLOT_SIZE, "size" },
					{ SLOT_HVA, "hva" }, { SLOT_FLAGS, "flags" } };
static const struct key slot_osdata_keys[] = { { SLOT_VM, "vm" },	   { SLOT_AS, "as" },
					       { SLOT_ID, "id" },	   { SLOT_GPA, "gpa" },
					       { SLOT_SIZE, "size" },	   { SLOT_HVA, "hva" },
					       { SLOT_FLAG_BITS, "flags" } };
static const struct row_kind slot_kind = { COLUMNS(slot_columns), COLUMNS(slot_keys),
					   COLUMNS(slot_osdata_keys) };

static void fill_slot(const struct vm *vm, const struct memslot *s, struct value *v)
{
	v[SLOT_VM] = value_number(vm->pid);
	v[SLOT_AS] = value_number(s->as);
	v[SLOT_SMM] = value_bool(s->as != 0);
	v[SLOT_ID] = value_integer(s->id);
	v[SLOT_GPA] = value_hex(s->gpa);
	v[SLOT_LAST_GPA] = value_hex(s->gpa + s->size - 1);
	v[SLOT_SIZE] = value_number(s->size);
	v[SLOT_KIB] = value_number(s->size >> 10);
	v[SLOT_HVA] = value_hex(s->hva);
	v[SLOT_FLAGS] = value_number(s->flags);
	v[SLOT_FLAG_BITS] = value_hex(s->flags);
}

struct err *vm_print_slots(const struct vmcore *h, struct vm *vm, enum row_printer printer,
			   struct buf *out)
{
	const struct memslot *slots;
	size_t count;
	struct err *e = kvm_slots(h->kvm, vm, &slots, &count);
	for (size_t i = 0; !e && i < count; i++) {
		struct value row[SLOT_VALUES];
		fill_slot(vm, &slots[i], row);
		row_print(&slot_kind, printer, row, out);
	}
	return e;
}

/* ---- VMs ---- */

enum {
	VM_ID,
	VM_KVM,
	VM_PID,
	VM_PROCESS, /* the same, but 0 where it is not known */
	VM_COMM,
	VM_VENDOR,
	VM_KIND,
	VM_LINUX,
	VM_SYSTEM_UNKNOWN, /* where that is worth a word */
	VM_NO_SYSTEM,	   /* why, in any case */
	VM_VCPUS,
	VM_VCPU_LIST,
	VM_SLOTS,
	VM_SLOT_LIST,
	VM_MEMORY, /* in bytes, without SMM's */
	VM_VALUES
};

static const struct column vm_columns[] = {
	{ VM_PROCESS, .before = "vm " },
	{ VM_COMM, .before = " ", .missing = "(its process is gone)" },
	{ VM_VENDOR, .before = "  " },
	{ VM_KIND, .before = ", " },
	{ VM_VCPUS, .before = ", ", .unit = " vCPU" },
	{ VM_KVM, .before = ", struct kvm ", .digits = 16 },
	{ VM_ID, .before = ", attach " },
	{ VM_LINUX, .before = "\n  " },
	{ VM_SYSTEM_UNKNOWN, .before = "\n  its system is not known: " },
};
static const struct column guest_columns[] = {
	{ VM_KIND, .before = "a virtual machine (", .after = ")" },
	{ VM_PROCESS, .before = " of process " },
	{ VM_KVM, .before = ", struct kvm " },
	{ VM_VCPUS, .before = ", ", .after = " vCPUs\n" },
	{ VM_LINUX, .before = "" },
	{ VM_NO_SYSTEM, .before = "its system is not known: " },
};
static const struct key vm_keys[] = {
	{ VM_ID, "id" },       { VM_KVM, "kvm" },	  { VM_PID, "pid" },
	{ VM_COMM, "comm" },   { VM_KIND, "kind" },	  { VM_SYSTEM_UNKNOWN, "system_unknown" },
	{ VM_LINUX, "linux" }, { VM_VCPU_LIST, "vcpus" }, { VM_SLOT_LIST, "slots" },
};
static const struct key vm_osdata_keys[] = {
	{ VM_ID, "id" },     { VM_PROCESS, "pid" }, { VM_COMM, "comm" },   { VM_KVM, "kvm" },
	{ VM_KIND, "kind" }, { VM_VCPUS, "vcpus" }, { VM_SLOTS, "slots" }, { VM_MEMORY, "memory" },
};
static const struct row_kind vm_kind = { COLUMNS(vm_columns), COLUMNS(vm_keys),
					 COLUMNS(vm_osdata_keys) };
static const struct columns guest_text = COLUMNS(guest_columns);

/* What values of a row point to. */
struct vm_of {
	const struct vmcore *h;
	struct vm *vm;
};

static void vcpus_json(const void *of, const char *key, struct json *j)
{
	const struct vm_of *v = of;
	struct err *e = NULL;
	json_array(j, key);
	for (size_t i = 0; !e && i < v->vm->vcpu_count; i++)
		e = vcpu_object(v->h, &v->vm->vcpus[i], j);
	json_end(j);
	j->out->failed |= e != NULL;
	err_free(e);
}

/* They were read when the row was filled in. */
static void slots_json(const void *of, const char *key, struct json *j)
{
	const struct vm *vm = of;
	json_array(j, key);
	for (size_t i = 0; i < vm->slot_count; i++) {
		struct value row[SLOT_VALUES];
		fill_slot(vm, &vm->slots[i], row);
		row_object(&slot_kind.json, row, NULL, j);
	}
	json_end(j);
}

static const struct value_printers vcpus_printers = { .json = vcpus_json };
static const struct value_printers slots_printers = { .json = slots_json };

static struct err *fill_vm(const struct vmcore *h, struct vm *vm, struct value *v)
{
	const struct memslot *slots;
	size_t count;
	uint64_t bytes = 0;
	struct vm *vms;
	size_t vm_count;
	struct err *e = kvm_vms(h->kvm, &vms, &vm_count);
	if (!e)
		e = kvm_slots(h->kvm, vm, &slots, &count);
	if (e)
		return e;
	uint64_t id = attach_id_of_vm(vms, vm_count, vm);
	if (id)
		v[VM_ID] = value_number(id);
	for (size_t i = 0; i < count; i++)
		if (!slots[i].as)
			bytes += slots[i].size;
	v[VM_KVM] = value_hex(vm->address);
	if (vm->pid)
		v[VM_PID] = value_number(vm->pid);
	v[VM_PROCESS] = value_number(vm->pid);
	v[VM_COMM] = value_text(vm->owner ? vm->owner->comm : NULL);
	v[VM_VENDOR] = value_text(kvm_vendor_name(kvm_vendor(h->kvm)));
	v[VM_KIND] = value_text(vm_kind_name(vm->kind));
	v[VM_VCPUS] = value_number(vm->vcpu_count);
	v[VM_SLOTS] = value_number(count);
	v[VM_SLOT_LIST] = value_parts(&slots_printers, vm);
	v[VM_MEMORY] = value_number(bytes);
	return NULL;
}

/* Reads much of a guest's memory the first time. */
static struct err *fill_system(const struct vmcore *h, struct vm *vm, struct value *v)
{
	const struct guest_linux *g;
	struct err *e = guest_linux_find(h->kvm, vm, &g);
	if (e)
		return e;
	if (g->found)
		v[VM_LINUX] = value_parts(&linux_printers, g);
	else
		v[VM_NO_SYSTEM] = value_text(g->why);
	if (g->unreadable)
		v[VM_SYSTEM_UNKNOWN] = value_text(g->why);
	return NULL;
}

/* The lines below that of a VM. */
static struct err *print_contents(const struct vmcore *h, struct vm *vm, struct buf *out)
{
	if (vm->vcpu_count)
		vcpu_titles(out);
	struct err *e = vm_print_vcpus(h, vm, PRINT_TEXT, out);
	return e ? e : vm_print_slots(h, vm, PRINT_TEXT, out);
}

struct err *vm_print(const struct vmcore *h, struct vm *vm, enum row_printer printer,
		     struct buf *out)
{
	struct value row[VM_VALUES] = { 0 };
	struct vm_of of = { h, vm };
	struct err *e = fill_vm(h, vm, row);
	if (!e && printer != PRINT_OSDATA)
		e = fill_system(h, vm, row);
	if (e)
		return e;
	row[VM_VCPU_LIST] = value_parts(&vcpus_printers, &of);
	row_print(&vm_kind, printer, row, out);
	return printer == PRINT_TEXT ? print_contents(h, vm, out) : NULL;
}

struct err *vm_print_guest(const struct vmcore *h, struct vm *vm, struct buf *out)
{
	struct value row[VM_VALUES] = { 0 };
	struct err *e = fill_vm(h, vm, row);
	if (!e)
		e = fill_system(h, vm, row);
	if (e)
		return e;
	row_text(&guest_text, row, out);
	buf_addch(out, '\n');
	return NULL;
}

struct err *vm_print_vcpus(const struct vmcore *h, const struct vm *vm, enum row_printer printer,
			   struct buf *out)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < vm->vcpu_count; i++)
		e = vcpu_print(h, &vm->vcpus[i], printer, out);
	return e;
}

/* ---- notes ---- */

static void notes_json(const char *at, struct json *j)
{
	json_object(j, NULL);
	json_array(j, "notes");
	while (*at) {
		size_t len = strcspn(at, "\n");
		char *line = strndup(at, len);
		if (line)
			json_str(j, NULL, line);
		free(line);
		at += len + (at[len] == '\n');
	}
	json_end(j);
	json_end(j);
	buf_addch(j->out, '\n');
}

static void notes_text(const char *at, struct buf *out)
{
	while (*at) {
		size_t len = strcspn(at, "\n");
		buf_addf(out, "note: %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

void vm_print_notes(const struct vmcore *h, enum row_printer printer, struct buf *out)
{
	const char *notes = kvm_notes(h->kvm);
	struct json j = JSON_INIT(out);
	if (printer == PRINT_TEXT)
		notes_text(notes, out);
	else if (*notes)
		notes_json(notes, &j);
}
