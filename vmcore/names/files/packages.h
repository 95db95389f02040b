/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of symbols out of the packages that --symbols names: a kernel's vmlinux and its modules are
 * taken out of a .rpm, .deb or .ddeb as it comes, into the symbol cache or into files that nobody
 * else sees and that go with the process.
 *
 * A package is read once, as far as that does: its vmlinux is wanted before anything is known of
 * the modules that are loaded. What lies behind it is read when those are known, and only they are
 * taken (Debian, Ubuntu, SUSE: boot/vmlinux is in front); what lies before it is put aside, and
 * dropped once they are known (Red Hat: lib/modules/RELEASE/vmlinux comes last).
 */
#ifndef VMCORE_NAMES_FILES_PACKAGES_H
#define VMCORE_NAMES_FILES_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct debug_file;
struct debug_wanted;
struct err;
struct packages;

struct packages_options {
	const char *cache; /* the folder of --symbol-cache; NULL: nothing is kept. Copied */
	/* Called as a package is read, with bytes of it; may be NULL. */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *closure;
};

__attribute__((warn_unused_result)) struct err *packages_new(const struct packages_options *options,
							     struct packages **ret);
void packages_free(struct packages *p);

/* Whether the file at @path is a package, also where this program cannot read it. */
bool packages_is_package(const char *path);

/* The paths of the packages in @folder, those first whose names have @release (NULL: unknown) in
 * them. To free, each and all. */
__attribute__((warn_unused_result)) struct err *
packages_in_folder(const char *folder, const char *release, char ***ret, size_t *ret_count);

/*
 * The wanted vmlinux out of the package at @path, checked as by debug_file_open(). ERR_FORMAT when
 * the package is another kernel's, in the words of debug_file_open(); *ret_other is set then.
 * ERR_NOTFOUND when there is no vmlinux in it; and what keeps it from being read, which is told by
 * packages_describe_failures(), too. Messages name the package.
 */
__attribute__((warn_unused_result)) struct err *
packages_vmlinux(struct packages *p, const char *path, const struct debug_wanted *wanted,
		 bool *ret_other, struct debug_file **ret);

/* The vmlinux of @build_id that is kept in the cache, whichever package it was in, checked as
 * above. ERR_NOTFOUND if there is none. */
__attribute__((warn_unused_result)) struct err *
packages_kept_vmlinux(struct packages *p, const char *build_id, const struct debug_wanted *wanted,
		      struct debug_file **ret);

struct packages_wanted {
	const char *name, *build_id; /* of a loaded module: with '_'; hex digits */
};

/*
 * Takes these modules of the kernel @release (NULL: unknown) out of the packages among @paths and
 * of those in its folders that have been looked at: now, so that nobody waits for it later. What
 * else was put aside is dropped. An error only when memory is out: for what keeps packages from
 * being read see packages_describe_failures().
 */
__attribute__((warn_unused_result)) struct err *
packages_take_modules(struct packages *p, const char *const *paths, size_t path_count,
		      const char *release, const struct packages_wanted *modules, size_t count);

/* A file that was taken out. */
struct packages_file {
	int fd;		     /* whoever takes it closes it */
	const char *path;    /* in the cache; else PACKAGE/NAME.ko, where no file is */
	const char *package; /* where it is from; NULL: not known any more */
	bool in_package;     /* there is no file at @path */
};

/* Is offered a file; true ends the search. */
typedef bool packages_take(void *closure, const struct packages_file *file);

/* Offers the files that may be those of the module @name with @build_id (not NULL); the strings
 * are borrowed during the call. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *
packages_offer_module(struct packages *p, const char *name, const char *build_id,
		      packages_take *take, void *closure);

/* Adds a line for each of the packages that could not be read, and for a cache that keeps nothing:
 * what was wrong. */
void packages_describe_failures(const struct packages *p, struct buf *out);

#endif
