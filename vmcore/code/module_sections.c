// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/module_sections.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"

enum {
	SECTIONS_MAX = 4096, /* the largest modules have a hundred */
	NAME_SIZE = 512,     /* of a section; livepatches have a function's name in theirs */
	BUILD_ID_MAX = 64,   /* bytes; SHA-1 has 20 */
	PADDING = 4,	     /* bytes of 0 at an id's end that are not chance: MD5 has 16 of 20 */
};

static const char build_id_section[] = ".note.gnu.build-id";

/*
 * The two lists of attributes that stand for files below /sys/module/NAME: sections/ and notes/.
 * They are arrays behind their count until 6.13. From 6.14 on their addresses end with a NULL in
 * the attribute_group, and there is no count.
 */
struct attributes {
	const char *type;
	const char *count;
};
static const struct attributes section_attributes = { "module_sect_attrs", "nsections" };
static const struct attributes note_attributes = { "module_notes_attrs", "notes" };

/* How an element of such a list says its name and address. */
struct element {
	const char *type;
	const char *name, *address;
};

/* What has an element of a list to be passed to. @name is borrowed; false ends the walk. */
typedef bool take_attribute(void *closure, const char *name, uint64_t address);

/* @type is module_sect_attr until 6.13 (with a name of its own until 5.7, then with a
 * bin_attribute), a bin_attribute in notes and from 6.14 on. */
static bool describe_element(const struct kernel *k, const char *type, struct element *ret)
{
	static const char *const names[] = { "battr.attr.name", "attr.name", "name" };
	static const char *const addresses[] = { "address", "private" };
	struct types *t = kernel_types(k);
	*ret = (struct element){ .type = type };
	for (size_t i = 0; type && !ret->name && i < sizeof(names) / sizeof(*names); i++)
		if (types_has(t, type, names[i]))
			ret->name = names[i];
	for (size_t i = 0; type && !ret->address && i < sizeof(addresses) / sizeof(*addresses); i++)
		if (types_has(t, type, addresses[i]))
			ret->address = addresses[i];
	return ret->name && ret->address;
}

static struct err *take_element(const struct kernel *k, const struct element *e, uint64_t at,
				take_attribute *take, void *closure, bool *ret_go_on)
{
	uint64_t name_at, address;
	char name[NAME_SIZE];
	struct err *error = kernel_read_path(k, at, e->type, e->name, &name_at);
	if (!error)
		error = kernel_read_path(k, at, e->type, e->address, &address);
	if (!error)
		error = err_wrap(kernel_read_string(k, name_at, name, sizeof(name)),
				 "read the name of the %s at 0x%" PRIx64, e->type, at);
	if (!error)
		*ret_go_on = take(closure, name, address);
	return error;
}

static struct err *walk_counted(const struct kernel *k, const struct attributes *a, uint64_t list,
				take_attribute *take, void *closure)
{
	struct member array;
	struct element element;
	uint64_t count;
	bool go_on = true;
	struct err *e = kernel_read_path(k, list, a->type, a->count, &count);
	if (!e)
		e = types_member(kernel_types(k), a->type, "attrs", &array);
	if (e)
		return e;
	if (!array.element_size || !describe_element(k, array.type_name, &element))
		return err_new(ERR_UNSUPPORTED, "the elements of %s are of an unknown kind",
			       a->type);
	if (count > SECTIONS_MAX)
		return err_new(ERR_CORRUPT, "%s has %" PRIu64 " elements", a->type, count);
	for (uint64_t i = 0; !e && go_on && i < count; i++)
		e = take_element(k, &element, list + array.offset + i * array.element_size, take,
				 closure, &go_on);
	return e;
}

static struct err *walk_group(const struct kernel *k, const struct attributes *a, uint64_t list,
			      take_attribute *take, void *closure)
{
	struct element element;
	uint64_t pointers, at;
	bool go_on = true;
	if (!describe_element(k, "bin_attribute", &element))
		return err_new(ERR_UNSUPPORTED, "the elements of %s are of an unknown kind",
			       a->type);
	struct err *e = kernel_read_path(k, list, a->type, "grp.bin_attrs", &pointers);
	if (!e && !pointers)
		e = err_new(ERR_CORRUPT, "%s has no array of elements", a->type);
	for (unsigned i = 0; !e && go_on; i++) {
		e = kernel_read_u64(k, pointers + 8 * i, &at);
		if (e || !at)
			break;
		if (i == SECTIONS_MAX)
			return err_new(ERR_CORRUPT, "the elements of %s do not end", a->type);
		e = take_element(k, &element, at, take, closure, &go_on);
	}
	return e;
}

/* @member of struct module points to the list. */
static struct err *walk_attributes(const struct kernel *k, const struct module *m,
				   const char *member, const struct attributes *a,
				   take_attribute *take, void *closure)
{
	uint64_t list;
	struct err *e = kernel_read_path(k, m->address, "module", member, &list);
	if (!e && !list)
		e = err_new(ERR_NOTFOUND, "the kernel keeps no list of them");
	if (e)
		return e;
	return types_has(kernel_types(k), a->type, a->count)
		       ? walk_counted(k, a, list, take, closure)
		       : walk_group(k, a, list, take, closure);
}

/* ---- sections ---- */

struct collection {
	const struct module *m;
	struct module_sections *sections;
	size_t capacity;
	bool no_memory;
};

static bool grow(struct collection *c)
{
	size_t more = c->capacity ? 2 * c->capacity : 64;
	struct module_section *list = realloc(c->sections->list, more * sizeof(*list));
	if (!list)
		return false;
	c->sections->list = list;
	c->capacity = more;
	return true;
}

static bool collect_section(void *closure, const char *name, uint64_t address)
{
	struct collection *c = closure;
	struct module_sections *s = c->sections;
	char *copy = strdup(name);
	if (!copy || (s->count == c->capacity && !grow(c))) {
		free(copy);
		c->no_memory = true;
		return false;
	}
	bool kept = false;
	for (unsigned i = 0; i < c->m->region_count; i++)
		kept |= address >= c->m->regions[i].low && address < c->m->regions[i].high;
	s->list[s->count++] = (struct module_section){ copy, address, kept };
	return true;
}

struct err *module_sections_read(const struct kernel *k, const struct module *m,
				 struct module_sections *ret)
{
	struct module_sections s = { 0 };
	struct collection c = { .m = m, .sections = &s };
	struct err *e =
		walk_attributes(k, m, "sect_attrs", &section_attributes, collect_section, &c);
	if (!e && c.no_memory)
		e = err_nomem();
	if (e) {
		module_sections_free(&s);
		return err_wrap(e, "sections of module %s", m->name);
	}
	*ret = s;
	return NULL;
}

void module_sections_free(struct module_sections *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].name);
	free(s->list);
	*s = (struct module_sections){ 0 };
}

bool module_sections_find(const struct module_sections *s, const char *name, unsigned nth,
			  uint64_t *ret)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->list[i].name, name) != 0 || nth--)
			continue;
		if (!s->list[i].kept)
			return false;
		*ret = s->list[i].address;
		return true;
	}
	return false;
}

/* ---- build-id ---- */

static char *hex_digits(const void *bytes, size_t len)
{
	struct buf hex = BUF_INIT;
	buf_addhex(&hex, bytes, len);
	char *digits = hex.failed ? NULL : strdup(hex.data);
	buf_free(&hex);
	return digits;
}

/* The build-id in the note at @at (System V gABI, "Note Section"), the only one of its section. */
static char *read_note(const struct kernel *k, uint64_t at)
{
	unsigned char head[sizeof(Elf64_Nhdr) + 4], id[BUILD_ID_MAX];
	struct err *e = kernel_read(k, at, head, sizeof(head));
	uint32_t len = e ? 0 : get_u32(head + 4);
	bool good = !e && get_u32(head) == 4 && get_u32(head + 8) == NT_GNU_BUILD_ID &&
		    !memcmp(head + sizeof(Elf64_Nhdr), "GNU", 4) && len && len <= sizeof(id);
	if (good)
		e = kernel_read(k, at + sizeof(head), id, len);
	good = good && !e;
	err_free(e);
	return good ? hex_digits(id, len) : NULL;
}

static bool is_build_id_note(void *closure, const char *name, uint64_t address)
{
	if (strcmp(name, build_id_section) != 0)
		return true;
	*(uint64_t *)closure = address;
	return false;
}

/* struct module's own copy, with CONFIG_STACKTRACE_BUILD_ID; all 0 if there was none. One that is
 * shorter than the array has zeros behind it (lib/buildid.c), and nothing says how many are its
 * own: it is not known. */
static char *read_member(const struct kernel *k, const struct module *m)
{
	struct member member;
	unsigned char id[BUILD_ID_MAX];
	size_t used = 0;
	struct err *e = types_member(kernel_types(k), "module", "build_id", &member);
	if (!e && member.size > sizeof(id))
		e = err_new(ERR_UNSUPPORTED, "module.build_id is too long");
	if (!e)
		e = kernel_read(k, m->address + member.offset, id, member.size);
	for (size_t i = 0; !e && i < member.size; i++)
		if (id[i])
			used = i + 1;
	bool padded = !e && used + PADDING <= member.size;
	char *digits = !e && used && !padded ? hex_digits(id, member.size) : NULL;
	err_free(e);
	return digits;
}

char *module_build_id(const struct kernel *k, const struct module *m,
		      const struct module_sections *s)
{
	uint64_t note = 0;
	char *id = NULL;
	if (module_sections_find(s, build_id_section, 0, &note))
		id = read_note(k, note);
	if (!id) {
		note = 0;
		err_free(walk_attributes(k, m, "notes_attrs", &note_attributes, is_build_id_note,
					 &note));
		id = note ? read_note(k, note) : NULL;
	}
	return id ? id : read_member(k, m);
}
