// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/name_map.h"

/* The kernel's note is one page (VMCOREINFO_BYTES in include/linux/vmcore_info.h); a hypervisor may
 * hand over more, a damaged header anything. */
#define VMCOREINFO_MAX (UINT32_C(1) << 20)

struct vmcoreinfo {
	char *text;	      /* owned; cut into strings in place */
	struct name_map keys; /* of the offset of the value in text */
};

void vmcoreinfo_free(struct vmcoreinfo *v)
{
	if (!v)
		return;
	name_map_free(&v->keys);
	free(v->text);
	free(v);
}

/* Remembers the KEY=VALUE line at @line, which it cuts in two. The first line of a key counts. */
static bool add_line(struct vmcoreinfo *v, char *line)
{
	char *equals = strchr(line, '=');
	if (!equals || equals == line)
		return true;
	*equals = 0;
	bool added;
	uint32_t *value = name_map_at(&v->keys, line, &added);
	if (value && added)
		*value = (uint32_t)(equals + 1 - v->text);
	return value != NULL;
}

struct err *vmcoreinfo_parse(const char *text, size_t len, struct vmcoreinfo **ret)
{
	if (len > VMCOREINFO_MAX)
		return err_new(ERR_FORMAT, "VMCOREINFO: %zu bytes are too many", len);
	struct vmcoreinfo *v = calloc(1, sizeof(*v));
	if (!v || !(v->text = malloc(len + 1))) {
		free(v);
		return err_nomem();
	}
	if (len)
		memcpy(v->text, text, len);
	v->text[len] = 0;
	/* A note may be padded with zeros; what follows the first is no text. */
	char *save = NULL;
	for (char *line = strtok_r(v->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!add_line(v, line)) {
			vmcoreinfo_free(v);
			return err_nomem();
		}
	}
	*ret = v;
	return NULL;
}

const char *vmcoreinfo_get(const struct vmcoreinfo *v, const char *key)
{
	uint32_t at;
	return v && name_map_get(&v->keys, key, &at) ? v->text + at : NULL;
}

/* The value of "@kind(@name)"; NULL if there is none. */
static const char *get_of(const struct vmcoreinfo *v, const char *kind, const char *name)
{
	char key[256];
	int n = snprintf(key, sizeof(key), "%s(%s)", kind, name);
	return n > 0 && (size_t)n < sizeof(key) ? vmcoreinfo_get(v, key) : NULL;
}

/* Decimal with an optional minus, and nothing behind it. */
static bool parse_decimal(const char *text, uint64_t *ret)
{
	bool minus = *text == '-';
	const char *digits = text + minus;
	if (*digits < '0' || *digits > '9')
		return false;
	char *end;
	errno = 0;
	unsigned long long n = strtoull(digits, &end, 10);
	if (errno || *end)
		return false;
	*ret = minus ? -(uint64_t)n : n;
	return true;
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *ret)
{
	const char *text = get_of(v, "SYMBOL", name);
	return text && hex_u64(text, strlen(text), ret);
}

bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, uint64_t *ret)
{
	const char *text = get_of(v, "NUMBER", name);
	if (!text)
		return false;
	/* Most are printed with %ld, a few (KERNELPACMASK on other machines) as 0x%llx. */
	if (text[0] == '0' && text[1] == 'x')
		return hex_u64(text + 2, strlen(text + 2), ret);
	return parse_decimal(text, ret);
}

bool vmcoreinfo_offset(const struct vmcoreinfo *v, const char *member, uint64_t *ret)
{
	const char *text = get_of(v, "OFFSET", member);
	return text && parse_decimal(text, ret);
}

bool vmcoreinfo_size(const struct vmcoreinfo *v, const char *type, uint64_t *ret)
{
	const char *text = get_of(v, "SIZE", type);
	return text && parse_decimal(text, ret);
}

bool vmcoreinfo_kernel_offset(const struct vmcoreinfo *v, uint64_t *ret)
{
	const char *text = vmcoreinfo_get(v, "KERNELOFFSET");
	return text && hex_u64(text, strlen(text), ret);
}
