// SPDX-License-Identifier: GPL-2.0-or-later
/* What the readers of KVM's structures share: members, numbers, and notes of what is damaged. */
#include "vmcore/kvm/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"

/* ---- members that were asked for, absent ones too: a listing asks for the same of every vCPU ----
 */

enum { MEMBERS_MAX = 1024 }; /* the names that the source has are some hundred */

struct known {
	const char *type, *path; /* borrowed; in the list, of names[] */
	struct member member;
	bool exists;
};

struct kvm_members {
	struct known list[MEMBERS_MAX];
	char *names[2 * MEMBERS_MAX]; /* owned: type and path of each */
	size_t count;
	struct map by_hash; /* of the names -> index */
};

struct kvm_members *kvm_members_new(void)
{
	return calloc(1, sizeof(struct kvm_members));
}

void kvm_members_free(struct kvm_members *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < 2 * m->count; i++)
		free(m->names[i]);
	map_free(&m->by_hash);
	free(m);
}

/* FNV-1a */
static uint64_t hash_of(const char *type, const char *path)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *type; type++)
		hash = (hash ^ (unsigned char)*type) * UINT64_C(0x100000001b3);
	hash = (hash ^ '.') * UINT64_C(0x100000001b3);
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
	return hash;
}

/* When there is no room, or no memory, it is found again next time. */
static void keep(struct kvm_members *m, uint64_t hash, const struct known *k)
{
	struct known copy = *k;
	bool added = false;
	if (m->count == MEMBERS_MAX)
		return;
	char *type = strdup(k->type), *path = strdup(k->path);
	copy.type = type;
	copy.path = path;
	if (type && path && map_add(&m->by_hash, hash, m->count, &added) && added) {
		m->names[2 * m->count] = type;
		m->names[2 * m->count + 1] = path;
		m->list[m->count++] = copy;
		return;
	}
	free(type);
	free(path);
}

struct err *kvm_find_member(const struct kvm *kvm, const char *type, const char *path,
			    bool *ret_exists, struct member *ret)
{
	uint64_t hash = hash_of(type, path), i;
	if (map_get(&kvm->members->by_hash, hash, &i)) {
		const struct known *k = &kvm->members->list[i];
		if (!strcmp(k->type, type) && !strcmp(k->path, path)) {
			*ret_exists = k->exists;
			*ret = k->member;
			return NULL;
		}
	}
	struct known k = { .type = type, .path = path };
	struct err *e = type_scope_member(&kvm->types, type, path, &k.member);
	k.exists = !e;
	e = kvm_only_nomem(e);
	if (e)
		return e;
	keep(kvm->members, hash, &k);
	*ret_exists = k.exists;
	*ret = k.member;
	return NULL;
}

/* ---- what is there ---- */

bool kvm_read_number(const struct kvm *kvm, uint64_t base, const struct member *m, uint64_t *ret)
{
	if (!m->size)
		return false;
	struct err *e = kernel_read_member(kvm->parts.k, base, m, ret);
	bool known = !e;
	err_free(e);
	return known;
}

struct err *kvm_read_path(const struct kvm *kvm, uint64_t base, const char *type, const char *path,
			  bool *ret_found, uint64_t *ret)
{
	struct member m;
	bool exists = false;
	struct err *e = kvm_find_member(kvm, type, path, &exists, &m);
	*ret_found = !e && exists && kvm_read_number(kvm, base, &m, ret);
	return e;
}

struct err *kvm_only_nomem(struct err *e)
{
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	err_free(e);
	return NULL;
}

/* ---- what is not ---- */

void kvm_note(struct kvm *kvm, const char *fmt, ...)
{
	va_list args;
	if (kvm->note_count++ >= KVM_NOTES_MAX)
		return;
	char sentence[512];
	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	buf_addf(&kvm->notes, "%s\n", sentence);
	log_debug(LOG_TASKS, "KVM: %s", sentence);
}

struct err *kvm_set_why(struct kvm *kvm, const char *fmt, ...)
{
	va_list args;
	char *why;
	va_start(args, fmt);
	int len = vasprintf(&why, fmt, args);
	va_end(args);
	if (len < 0)
		return err_nomem();
	free(kvm->why);
	kvm->why = why;
	return NULL;
}
