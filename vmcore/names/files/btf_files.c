// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/btf_files.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/package_stream.h"
#include "vmcore/names/files/unpack.h"
#include "vmcore/names/types/btf.h"

enum {
	FILE_MAX = 64 << 20,   /* bytes; that of a distribution's kernel has 4 to 12 MiB */
	ARCHIVE_MAX = 1 << 28, /* bytes of all files in an archive together */
	ENTRIES_MAX = 16384,   /* files in an archive; a distribution has 4,000 modules */
	NAME_MAX_LEN = 128,    /* of a kernel or module */
};

/* A file that was read. */
struct blob {
	char *path; /* owned */
	uint8_t *data;
	size_t len;
};

/* What --symbols names. */
struct place {
	char *path; /* owned */
	bool folder;
	bool looked;	  /* of a folder: by the names that a kernel's file has, see kernels_in() */
	uint32_t kernels; /* the bit of each that is there */
	bool read;	  /* of a file: tried to */
	char *why;	  /* owned; why that failed, or NULL */
	struct blob *blobs;
	size_t count, capacity;
};

struct btf_files {
	struct place *places;
	size_t count;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_btf(const uint8_t *head, size_t len)
{
	static const uint8_t magic[] = { 0x9f, 0xeb, 1 }; /* little-endian; version */
	return len >= sizeof(magic) && !memcmp(head, magic, sizeof(magic));
}

/* Compressed files tell by their names what is in them: NAME.btf.xz, NAME.btf.tar.xz. */
static bool has_packed_name(const char *path)
{
	return strstr(base_name(path), ".btf.");
}

bool btf_file_is(const char *path)
{
	uint8_t head[8] = { 0 };
	int fd;
	struct err *e = debug_file_open_regular(path, &fd);
	if (e) {
		err_free(e);
		return false;
	}
	ssize_t n = pread(fd, head, sizeof(head), 0);
	close(fd);
	return n > 0 && (is_btf(head, (size_t)n) || has_packed_name(path));
}

/* ---- reading ---- */

static void free_blob(struct blob *b)
{
	free(b->path);
	free(b->data);
}

/* Takes the contents of @b. */
static struct err *add_blob(struct place *p, struct blob *b)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 4;
		struct blob *grown = reallocarray(p->blobs, capacity, sizeof(*grown));
		if (!grown) {
			free_blob(b);
			return err_nomem();
		}
		p->blobs = grown;
		p->capacity = capacity;
	}
	p->blobs[p->count++] = *b;
	return NULL;
}

static struct err *read_all(int fd, struct blob *b)
{
	struct stat st;
	if (fstat(fd, &st) || st.st_size < 0)
		return err_new(ERR_IO, "it cannot be looked at");
	if (st.st_size > FILE_MAX)
		return err_new(ERR_FORMAT, "it has more than %d MiB, which no kernel's BTF has",
			       FILE_MAX >> 20);
	b->data = malloc((size_t)st.st_size + 1);
	if (!b->data)
		return err_nomem();
	while (b->len < (size_t)st.st_size) {
		ssize_t n = pread(fd, b->data + b->len, (size_t)st.st_size - b->len, (off_t)b->len);
		if (n <= 0)
			return err_new(ERR_IO, "it cannot be read");
		b->len += (size_t)n;
	}
	return is_btf(b->data, b->len) ? NULL : err_new(ERR_FORMAT, "it holds no BTF");
}

static struct err *read_file(const char *path, struct blob *ret)
{
	struct blob b = { .path = strdup(path) };
	bool packed;
	int fd = -1;
	struct err *e = b.path ? debug_file_open_regular(path, &fd) : err_nomem();
	if (!e)
		e = unpack_in_place(&fd, FILE_MAX, &packed);
	if (!e)
		e = read_all(fd, &b);
	if (fd >= 0)
		close(fd);
	if (e)
		free_blob(&b);
	else
		*ret = b;
	return e;
}

struct filling {
	struct blob blob;
	size_t size;
};

static struct err *take_block(void *closure, uint64_t at, const void *data, size_t len)
{
	struct filling *f = closure;
	if (!range_within(at, len, f->size))
		return err_new(ERR_FORMAT, "a file in it is longer than its header says");
	memcpy(f->blob.data + at, data, len);
	return NULL;
}

/* Reads the file at hand, and keeps it if it is BTF. */
static struct err *read_entry(struct place *p, struct package_stream *s,
			      const struct package_entry *entry)
{
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/%s", p->path, base_name(entry->path));
	struct filling f = { .size = entry->size };
	f.blob = (struct blob){ .data = calloc(1, entry->size + 1), .len = entry->size };
	struct err *e = buf_error(&path);
	if (!e && !f.blob.data)
		e = err_nomem();
	if (!e)
		e = package_stream_read(s, take_block, &f);
	if (!e && is_btf(f.blob.data, f.blob.len)) {
		f.blob.path = path.data;
		return add_blob(p, &f.blob);
	}
	free(f.blob.data);
	buf_free(&path);
	return e;
}

static struct err *read_archive(struct place *p)
{
	struct package_stream *s;
	uint64_t bytes = 0;
	bool end = false;
	struct err *e = package_stream_open(p->path, &s);
	if (e)
		return e;
	for (unsigned i = 0; !e && !end && i < ENTRIES_MAX; i++) {
		struct package_entry entry;
		e = package_stream_next(s, &entry, &end);
		if (e || end || entry.size > FILE_MAX)
			continue;
		bytes += entry.size;
		e = bytes > ARCHIVE_MAX ? err_new(ERR_FORMAT, "there is more than %d MiB in it",
						  ARCHIVE_MAX >> 20)
					: read_entry(p, s, &entry);
	}
	package_stream_close(s);
	return !e && !p->count ? err_new(ERR_FORMAT, "there is no BTF in it") : e;
}

/* Reads a file or archive that was named, once. */
static struct err *read_place(struct place *p)
{
	struct blob b;
	struct err *e;
	if (p->read)
		return p->why ? err_new(ERR_FORMAT, "%s: %s", p->path, p->why) : NULL;
	if (package_stream_is_package(p->path)) {
		e = read_archive(p);
	} else {
		e = read_file(p->path, &b);
		if (!e)
			e = add_blob(p, &b);
	}
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	p->read = true;
	if (e)
		p->why = strdup(err_msg(e));
	return err_wrap(e, "%s", p->path);
}

/* ---- what was named ---- */

void btf_files_free(struct btf_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		struct place *p = &f->places[i];
		for (size_t n = 0; n < p->count; n++)
			free_blob(&p->blobs[n]);
		free(p->blobs);
		free(p->path);
		free(p->why);
	}
	free(f->places);
	free(f);
}

struct err *btf_files_new(const char *const *paths, size_t count, struct btf_files **ret)
{
	struct btf_files *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->places = calloc(count + 1, sizeof(*f->places));
	struct err *e = f->places ? NULL : err_nomem();
	for (size_t i = 0; !e && i < count; i++) {
		bool folder = files_is_folder(paths[i]);
		if (!folder && !btf_file_is(paths[i]))
			continue;
		struct place *p = &f->places[f->count++];
		*p = (struct place){ .path = strdup(paths[i]), .folder = folder };
		if (!p->path)
			e = err_nomem();
	}
	if (e)
		btf_files_free(f);
	else
		*ret = f;
	return e;
}

/* What a kernel's file is called in a folder, around its release. */
static const struct {
	const char *before;
	bool release;
	const char *after;
} kernel_names[] = {
	{ "", true, ".btf" },
	{ "vmlinux-", true, ".btf" },
	{ "vmlinux", false, ".btf" },
	{ "vmlinux", false, "" },
};

static const char *const packed_ends[] = { "",	      ".xz",	  ".zst",   ".gz",
					   ".tar.xz", ".tar.zst", ".tar.gz" };

enum {
	KERNEL_NAMES = sizeof(kernel_names) / sizeof(*kernel_names),
	PACKED_ENDS = sizeof(packed_ends) / sizeof(*packed_ends)
};

/* Names that come from the dump become parts of paths. */
static bool is_plain_name(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX_LEN;
}

/* The path of the file of kind @i, @end in @folder; false if it has none. */
static bool kernel_path(const char *folder, const char *release, size_t i, size_t end,
			struct buf *out)
{
	if (kernel_names[i].release && !is_plain_name(release))
		return false;
	buf_cut(out, 0);
	buf_addf(out, "%s/%s%s%s%s", folder, kernel_names[i].before,
		 kernel_names[i].release ? release : "", kernel_names[i].after, packed_ends[end]);
	return !out->failed;
}

static_assert((int)KERNEL_NAMES * PACKED_ENDS <= 32, "a bit for each name");

/* Which of the names are in the folder @p, a bit each: looked for once. */
static uint32_t kernels_in(struct place *p, const char *release)
{
	struct buf path = BUF_INIT;
	for (size_t i = 0; !p->looked && i < (size_t)KERNEL_NAMES * PACKED_ENDS; i++)
		if (kernel_path(p->path, release, i / PACKED_ENDS, i % PACKED_ENDS, &path) &&
		    btf_file_is(path.data))
			p->kernels |= UINT32_C(1) << i;
	p->looked = true;
	buf_free(&path);
	return p->kernels;
}

bool btf_files_any(struct btf_files *f, const char *release)
{
	for (size_t i = 0; i < f->count; i++)
		if (!f->places[i].folder || kernels_in(&f->places[i], release))
			return true;
	return false;
}

/* ---- offering ---- */

/* One question: of a kernel, or of a module. */
struct offer {
	const char *module; /* NULL: a kernel's */
	struct buf *failed;
	btf_files_take *take;
	void *closure;
	bool taken;
};

/* Whether the file called @path is that of the module @name: NAME, NAME.btf, NAME.ko.btf, with '-'
 * or '_'. */
static bool is_module_file(const char *path, const char *name)
{
	const char *at = base_name(path);
	for (; *name && (*at == *name || (*at == '-' && *name == '_')); at++)
		name++;
	return !*name && (!*at || !strncmp(at, ".btf", 4) || !strncmp(at, ".ko", 3));
}

static struct err *offer_blob(struct offer *o, const struct blob *b, bool named)
{
	const struct btf_file file = { b->path, named, b->data, b->len };
	bool wanted =
		o->module ? is_module_file(b->path, o->module) : !btf_is_split(b->data, b->len);
	return wanted && !o->taken ? o->take(o->closure, &file, &o->taken) : NULL;
}

/* Takes @e. */
static struct err *pass_over(struct offer *o, struct err *e)
{
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	buf_addf(o->failed, "%s\n", err_msg(e));
	err_free(e);
	return NULL;
}

static struct err *offer_place(struct offer *o, struct place *p, bool named)
{
	struct err *e = read_place(p);
	if (e)
		return o->module || !named ? pass_over(o, e) : e;
	for (size_t i = 0; !e && i < p->count; i++)
		e = offer_blob(o, &p->blobs[i], named);
	return e;
}

/* Offers the file or archive at @path, which was found, and forgets it. */
static struct err *offer_path(struct offer *o, char *path)
{
	struct place p = { .path = path };
	struct err *e = offer_place(o, &p, false);
	for (size_t n = 0; n < p.count; n++)
		free_blob(&p.blobs[n]);
	free(p.blobs);
	free(p.why);
	return e;
}

static struct err *offer_kernels_in(struct offer *o, struct place *p, const char *release)
{
	const uint32_t there = kernels_in(p, release);
	struct buf path = BUF_INIT;
	struct err *e = NULL;
	for (size_t i = 0; !e && !o->taken && i < (size_t)KERNEL_NAMES * PACKED_ENDS; i++)
		if (there >> i & 1 &&
		    kernel_path(p->path, release, i / PACKED_ENDS, i % PACKED_ENDS, &path))
			e = offer_path(o, path.data);
	if (!e)
		e = buf_error(&path);
	buf_free(&path);
	return e;
}

static struct err *offer_modules_in(struct offer *o, const char *folder)
{
	static const char *const ends[] = { ".btf", "", ".ko.btf" };
	struct buf path = BUF_INIT;
	struct err *e = NULL;
	for (size_t i = 0; !e && !o->taken && i < 2 * 3 * 4; i++) {
		buf_cut(&path, 0);
		buf_addf(&path, "%s/", folder);
		for (const char *c = o->module; *c; c++)
			buf_addch(&path, *c == '_' && i % 2 ? '-' : *c);
		buf_addf(&path, "%s%s", ends[i / 2 % 3], packed_ends[i / 6]);
		if (!path.failed && btf_file_is(path.data))
			e = offer_path(o, path.data);
	}
	if (!e)
		e = buf_error(&path);
	buf_free(&path);
	return e;
}

struct err *btf_files_offer_kernel(struct btf_files *f, const char *release, struct buf *failed,
				   btf_files_take *take, void *closure)
{
	struct offer o = { .failed = failed, .take = take, .closure = closure };
	struct err *e = NULL;
	for (size_t i = 0; !e && !o.taken && i < f->count; i++)
		if (!f->places[i].folder)
			e = offer_place(&o, &f->places[i], true);
	for (size_t i = 0; !e && !o.taken && i < f->count; i++)
		if (f->places[i].folder)
			e = offer_kernels_in(&o, &f->places[i], release);
	return e;
}

struct err *btf_files_offer_module(struct btf_files *f, const char *name, struct buf *failed,
				   btf_files_take *take, void *closure)
{
	struct offer o = { .module = name, .failed = failed, .take = take, .closure = closure };
	struct err *e = NULL;
	for (size_t i = 0; !e && !o.taken && i < f->count; i++)
		if (!f->places[i].folder)
			e = offer_place(&o, &f->places[i], true);
	for (size_t i = 0; !e && !o.taken && is_plain_name(name) && i < f->count; i++)
		if (f->places[i].folder)
			e = offer_modules_in(&o, f->places[i].path);
	return e;
}
