// SPDX-License-Identifier: GPL-2.0-or-later
/* What the readers of KVM's structures share: numbers, and notes of what is damaged. */
#include "vmcore/kvm/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"

/* ---- what is there ---- */

bool kvm_read_number(const struct kvm *kvm, uint64_t base, const struct member *m, uint64_t *ret)
{
	return kernel_get_member(kvm->parts.k, base, m, ret);
}

struct err *kvm_read_member(const struct kvm *kvm, uint64_t base, enum kvm_member which,
			    bool *ret_found, uint64_t *ret)
{
	const struct member *m;
	struct err *e = kvm_find_member(kvm, which, NULL, &m);
	*ret_found = !e && kvm_read_number(kvm, base, m, ret);
	return e;
}

bool kvm_get(const struct kvm *kvm, uint64_t base, enum kvm_member which, uint64_t *ret)
{
	return kvm_read_number(kvm, base, kvm_member(kvm, which), ret);
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
