// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/guest_linux.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/names/vmcoreinfo.h"

#define TEXT_ALIGN (UINT64_C(2) << 20) /* MIN_KERNEL_ALIGN, arch/x86/include/asm/boot.h */

enum {
	VCPUS_TRIED = 64,
	PIECE = 64 << 10,
	IMAGE_BYTES_MAX = 128 << 20,
	BYTES_MAX = 256 << 20, /* that are read of a VM, whatever is there */
	NOTES_TRIED = 256,
	NAMES_A_PIECE = 64, /* of notes */
	BANNERS_TRIED = 4096,
	IMAGE_GAP_MAX = 16 << 20, /* between parts of the image that are mapped */
	POINTERS_MAX = 1 << 16,	  /* that may lead to VMCOREINFO */
	NOTE_TEXT_MAX = 64 << 10, /* bytes; the kernel's is a page */
	UTS_BYTES = 512,	  /* of struct uts_namespace; its release is in there */
	UTS_FIELD = 65,
	BANNERS_MAX = 8,  /* a kernel may have one that is replaced when it is linked */
	NOTE_HEADER = 12, /* Elf64_Nhdr */
};

static const char note_name[12] = "VMCOREINFO"; /* padded to four bytes */
static const char banner_start[] = "Linux version ";

struct search {
	const struct arch_map *map;
	struct guest_memory *memory;
	struct walk_space space;
	struct guest_linux *found;
	uint64_t start;	     /* of the image */
	struct map pointers; /* pages that were looked at */
	char banners[BANNERS_MAX][GUEST_BANNER_MAX];
	unsigned banner_count;
	unsigned notes_tried, banners_tried; /* what looks like one */
	uint64_t bytes;			     /* read so far */
	char version[UTS_FIELD + 1];	     /* of init_uts_ns, "" while that is not known */
	char *unreadable;		     /* owned: what could not be read first, or NULL */
};

/* ---- reading ---- */

/* Keeps in mind what could not be read: left out, missing or encrypted. */
static void drop(struct search *s, struct err *e)
{
	if (e && err_code(e) != ERR_NOTPRESENT && err_code(e) != ERR_CORRUPT && !s->unreadable)
		s->unreadable = strdup(err_msg(e));
	err_free(e);
}

/* All or nothing, at a virtual address. */
static bool read_at(struct search *s, uint64_t va, void *out, size_t len)
{
	size_t done = 0;
	struct err *e = guest_memory_read(s->memory, &s->space, va, out, len, &done);
	bool whole = !e && done == len;
	drop(s, e);
	return whole;
}

static bool walk_at(struct search *s, uint64_t va, struct walk *ret)
{
	struct walk_reader reader = guest_memory_reader(s->memory);
	struct err *e = guest_walk(&reader, &s->space, va, ret);
	bool mapped = !e;
	drop(s, e);
	return mapped;
}

/* ---- VMCOREINFO ---- */

static bool is_release(const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)text[i]))
			return false;
	return len && len < GUEST_RELEASE_MAX;
}

/* The kernel's own tables must lead to the same page as those in use. */
static bool tables_agree(struct search *s, const struct vmcoreinfo *info, uint64_t uts)
{
	static const char *const names[] = { "swapper_pg_dir", "init_top_pgt", "init_level4_pgt" };
	struct walk root, by_cpu, by_kernel;
	uint64_t table = 0;
	bool named = false;
	for (size_t i = 0; !named && i < sizeof(names) / sizeof(*names); i++)
		named = vmcoreinfo_symbol(info, names[i], &table);
	if (!named || !walk_at(s, table, &root) || !walk_at(s, uts, &by_cpu))
		return false;
	struct walk_space own = s->space;
	struct walk_reader reader = guest_memory_reader(s->memory);
	own.root = root.pa;
	struct err *e = guest_walk(&reader, &own, uts, &by_kernel);
	bool same = !e && by_kernel.pa == by_cpu.pa;
	err_free(e);
	return same;
}

/* Whether @info is of the kernel whose page tables these are: code at its _stext, its release in
 * its init_uts_ns. */
static bool is_of_this_kernel(struct search *s, const struct vmcoreinfo *info)
{
	uint64_t uts, stext;
	char bytes[UTS_BYTES];
	struct walk w;
	const char *release = vmcoreinfo_get(info, "OSRELEASE");
	if (!release || !is_release(release) || !vmcoreinfo_symbol(info, "init_uts_ns", &uts) ||
	    !vmcoreinfo_symbol(info, "_stext", &stext) || stext < s->start ||
	    stext - s->start >= IMAGE_BYTES_MAX)
		return false;
	if (!walk_at(s, stext, &w) || !w.rights.executable ||
	    !read_at(s, uts, bytes, sizeof(bytes)))
		return false;
	/* With its end mark: 6.1.0-1 must not pass for 6.1.0-18. */
	const char *at = memmem(bytes, sizeof(bytes), release, strlen(release) + 1);
	if (!at || !tables_agree(s, info, uts))
		return false;
	/* The version comes next. */
	size_t offset = (size_t)(at - bytes) + UTS_FIELD;
	if (offset + UTS_FIELD <= sizeof(bytes))
		memcpy(s->version, bytes + offset, UTS_FIELD);
	return true;
}

static void take(struct guest_linux *g, const struct vmcoreinfo *info)
{
	const char *build_id = vmcoreinfo_get(info, "BUILD-ID");
	uint64_t stext = 0;
	g->found = true;
	snprintf(g->release, sizeof(g->release), "%s", vmcoreinfo_get(info, "OSRELEASE"));
	if (build_id && strspn(build_id, "0123456789abcdef") == strlen(build_id) &&
	    strlen(build_id) < sizeof(g->build_id))
		snprintf(g->build_id, sizeof(g->build_id), "%s", build_id);
	g->placed = vmcoreinfo_symbol(info, "_stext", &stext) &&
		    vmcoreinfo_kernel_offset(info, &g->slide);
	/* Until 5.x there is some code before _stext; the image begins at what it is aligned to. */
	g->text = stext & ~(TEXT_ALIGN - 1);
}

/* Looks at the note whose header is at @va; false if it is none, or another kernel's. */
static bool try_note(struct search *s, uint64_t va)
{
	unsigned char header[NOTE_HEADER + sizeof(note_name)];
	struct vmcoreinfo *info = NULL;
	if (!read_at(s, va, header, sizeof(header)) || get_u32(header) != sizeof("VMCOREINFO") ||
	    memcmp(header + NOTE_HEADER, note_name, sizeof(note_name)) != 0)
		return false;
	uint32_t len = get_u32(header + 4);
	if (!len || len > NOTE_TEXT_MAX || s->notes_tried++ >= NOTES_TRIED)
		return false;
	char *text = malloc(len);
	bool is = text && read_at(s, va + sizeof(header), text, len);
	if (is) {
		struct err *e = vmcoreinfo_parse(text, len, &info);
		is = !e && is_of_this_kernel(s, info);
		err_free(e);
	}
	if (is) {
		take(s->found, info);
		s->found->vmcoreinfo = text;
		s->found->vmcoreinfo_len = len;
		text = NULL;
	}
	vmcoreinfo_free(info);
	free(text);
	return is;
}

/*
 * In what the kernel can write: since 4.13 vmcoreinfo_note points to a page of its own, before it
 * is an array.
 */
static struct err *search_data(struct search *s, uint64_t va, const unsigned char *bytes,
			       size_t len)
{
	for (size_t i = 0; i + 8 <= len && s->pointers.used < POINTERS_MAX; i += 8) {
		uint64_t pointer = get_u64(bytes + i);
		bool added;
		if (pointer % PAGE_SIZE || !is_kernel_address(pointer) || pointer >= s->map->image)
			continue;
		if (!map_add(&s->pointers, pointer, 0, &added))
			return err_nomem();
		if (added && try_note(s, pointer))
			return NULL;
	}
	const unsigned char *end = bytes + len;
	unsigned tries = NAMES_A_PIECE;
	for (const unsigned char *at = bytes;
	     tries-- && (at = memmem(at, (size_t)(end - at), note_name, sizeof(note_name))); at++)
		if (try_note(s, va + (uint64_t)(at - bytes) - NOTE_HEADER))
			break;
	return NULL;
}

/* ---- the banner ---- */

/* "Linux version RELEASE (who@where) (compiler) #1 ...\n"; linux_proc_banner has %s in its places.
 */
static void try_banner(struct search *s, uint64_t va)
{
	char text[GUEST_BANNER_MAX];
	size_t done = 0;
	struct err *e = guest_memory_read(s->memory, &s->space, va, text, sizeof(text) - 1, &done);
	err_free(e);
	if (e || s->banners_tried++ >= BANNERS_TRIED)
		return;
	text[done] = 0;
	char *end = strchr(text, '\n');
	if (!end || end[1])
		return;
	*end = 0;
	for (const char *c = text; *c; c++)
		if (!isprint((unsigned char)*c) || *c == '%')
			return;
	memcpy(s->banners[s->banner_count++], text, sizeof(text));
}

/* In what the kernel cannot write and does not run: a banner in memory that has been given back
 * since would be in what it can. */
static void search_constants(struct search *s, uint64_t va, const unsigned char *bytes, size_t len)
{
	const unsigned char *end = bytes + len;
	const size_t prefix = sizeof(banner_start) - 1;
	for (const unsigned char *at = bytes;
	     s->banner_count < BANNERS_MAX && s->banners_tried < BANNERS_TRIED &&
	     (at = memmem(at, (size_t)(end - at), banner_start, prefix));
	     at++)
		try_banner(s, va + (uint64_t)(at - bytes));
}

/* The second word of @banner is the release. */
static bool has_release(const char *banner, const char *release, size_t len)
{
	const char *word = banner + sizeof(banner_start) - 1;
	return !strncmp(word, release, len) && word[len] == ' ';
}

/* That which has the release and the version of the kernel that runs. */
static const char *choose_banner(const struct search *s)
{
	size_t version = strlen(s->version);
	for (unsigned i = 0; version && i < s->banner_count; i++) {
		const char *banner = s->banners[i];
		size_t len = strlen(banner);
		if (has_release(banner, s->found->release, strlen(s->found->release)) &&
		    len > version && !strcmp(banner + len - version, s->version))
			return banner;
	}
	return NULL;
}

/* Without VMCOREINFO the release is known if all banners agree, and the banner if there is one. */
static void name_by_banner(struct search *s)
{
	struct guest_linux *g = s->found;
	const char *banner = s->banner_count == 1 ? s->banners[0] : NULL;
	const char *release = s->banners[0] + sizeof(banner_start) - 1;
	size_t len = s->banner_count ? strcspn(release, " ") : 0;
	if (g->found)
		banner = choose_banner(s);
	else if (!len || len >= sizeof(g->release))
		return;
	for (unsigned i = 1; !g->found && i < s->banner_count; i++)
		if (!has_release(s->banners[i], release, len))
			return;
	if (banner)
		snprintf(g->banner, sizeof(g->banner), "%s", banner);
	if (!g->found) {
		memcpy(g->release, release, len);
		g->release[len] = 0;
		g->found = true;
	}
}

/* ---- the image ---- */

/* One piece of the image, all of which has the same rights. */
static struct err *search_piece(struct search *s, uint64_t va, const struct walk *w, size_t len,
				unsigned char *buffer)
{
	size_t done = 0;
	if (w->rights.executable && !w->rights.writable)
		return NULL; /* code has neither */
	/* What lies across the end of a piece is found as well. */
	struct err *e = guest_memory_read(s->memory, &s->space, va, buffer,
					  len + sizeof(banner_start), &done);
	if (e) {
		drop(s, e);
		return NULL;
	}
	if (w->rights.writable)
		return s->found->found ? NULL : search_data(s, va, buffer, done);
	search_constants(s, va, buffer, done);
	return NULL;
}

/* Goes through the image until its VMCOREINFO and its banner are found, or it ends. */
static struct err *search_image(struct search *s)
{
	unsigned char *buffer = malloc(PIECE + sizeof(banner_start));
	uint64_t va = s->start, last = va;
	uint64_t most =
		s->bytes + IMAGE_BYTES_MAX < BYTES_MAX ? s->bytes + IMAGE_BYTES_MAX : BYTES_MAX;
	struct err *e = buffer ? NULL : err_nomem();
	while (!e && va < s->map->modules && va - last <= IMAGE_GAP_MAX && s->bytes < most &&
	       !(s->found->found && s->banner_count)) {
		struct walk w;
		if (!walk_at(s, va, &w)) {
			if (!guest_memory_next(s->memory, &s->space, va, &va))
				break;
			continue;
		}
		uint64_t end = (va | (w.page_size - 1)) + 1;
		for (; !e && va < end && s->bytes < most; va += PIECE) {
			size_t len = end - va < PIECE ? (size_t)(end - va) : PIECE;
			e = search_piece(s, va, &w, len, buffer);
			s->bytes += len;
		}
		va = last = end;
	}
	free(buffer);
	return e;
}

/* ---- the guest's page tables ---- */

static struct err *search_space(struct search *s)
{
	struct walk w;
	/* The image is the first that is mapped there; whether tables can be read shows now. */
	walk_at(s, s->map->image, &w);
	if (!guest_memory_next(s->memory, &s->space, s->map->image - 1, &s->start) ||
	    s->start < s->map->image || s->start >= s->map->modules)
		return NULL;
	s->banner_count = 0;
	*s->version = 0;
	map_free(&s->pointers);
	s->pointers = (struct map)MAP_INIT;
	struct err *e = search_image(s);
	if (!e)
		name_by_banner(s);
	return e;
}

/* By what the CPU had; while it ran a guest of its own, by what it goes on with. */
static struct err *space_of(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_known,
			    struct walk_space *ret)
{
	struct guest_regs regs;
	bool stale;
	*ret_known = false;
	struct err *e = guest_regs_read(kvm, vcpu, &regs);
	if (!e && regs.is_nested)
		e = guest_regs_read_l1(kvm, vcpu, &regs);
	if (!e)
		e = guest_paging(&regs, ret, &stale);
	*ret_known = !e && ret->format == WALK_LONG;
	return kvm_only_nomem(e);
}

static struct err *search_vm(struct kvm *kvm, struct vm *vm, struct search *s)
{
	struct err *e = NULL;
	bool any = false;
	for (size_t i = 0; !e && i < vm->vcpu_count && i < VCPUS_TRIED && !s->found->found; i++) {
		struct walk_space space;
		bool known;
		e = space_of(kvm, &vm->vcpus[i], &known, &space);
		if (e || !known)
			continue;
		any = true;
		/* Under page table isolation user mode has the other half of a pair of tables. */
		for (int half = 0; !e && half < 2 && !s->found->found; half++) {
			if (!guest_paging_half(&space, half, &s->space))
				break;
			e = search_space(s);
		}
	}
	if (e || s->found->found)
		return e;
	if (s->unreadable) {
		s->found->unreadable = true;
		s->found->why = s->unreadable;
		s->unreadable = NULL;
		return NULL;
	}
	s->found->why = strdup(any ? "its page tables map no Linux kernel"
				   : "none of its CPUs is known to be in long mode");
	return s->found->why ? NULL : err_nomem();
}

/* ---- answers ---- */

static struct err *search(struct kvm *kvm, struct vm *vm, struct guest_linux *found)
{
	struct search *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->found = found;
	s->map = kernel_arch(kvm_parts(kvm)->k)->map;
	struct err *e = guest_memory_new(kvm, vm, &s->memory);
	if (!e)
		e = search_vm(kvm, vm, s);
	guest_memory_free(s->memory);
	map_free(&s->pointers);
	free(s->unreadable);
	free(s);
	return e;
}

struct err *guest_linux_find(struct kvm *kvm, struct vm *vm, const struct guest_linux **ret)
{
	if (!vm->linux_kernel) {
		struct guest_linux *found = calloc(1, sizeof(*found));
		struct err *e = found ? search(kvm, vm, found) : err_nomem();
		if (e) {
			guest_linux_free(found);
			return e;
		}
		vm->linux_kernel = found;
		vm->free_linux = guest_linux_free;
	}
	*ret = vm->linux_kernel;
	return NULL;
}

void guest_linux_free(struct guest_linux *g)
{
	if (!g)
		return;
	free(g->vmcoreinfo);
	free(g->why);
	free(g);
}
