/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a dump's modules: found by build-id and release, verified by build-id, their
 * sections as they lie in the dump. Nothing is looked for before somebody asks for that module.
 */
#ifndef VMCORE_CODE_MODULE_FILES_H
#define VMCORE_CODE_MODULE_FILES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct kernel;
struct ko_file;
struct module;
struct module_files;
struct module_sections;
struct modules;

/* What is known of the file of one module. */
struct module_file {
	const struct module *module; /* borrowed */
	char *build_id;		     /* the loaded module's, in hex digits; NULL if unknown */
	char *path;		     /* NULL: none was found, and why says why not */
	int fd;			     /* -1: none */
	bool packed;		     /* path is compressed, and fd is what it unpacks to */
	char *package;		     /* that it was taken out of; NULL if of none */
	bool in_package;	     /* path is PACKAGE/NAME.ko, where no file is; fd has it */
	char *why;		     /* one sentence; NULL if a file was found */
	char *tried;		     /* what was found and not taken, a line each; "" if nothing */
	bool has_symtab, has_dwarf, has_btf;
	char *dwarf_why; /* why the DWARF that it has cannot be read; NULL if it can, or has none */
};

/*
 * @k and @modules are borrowed and must outlive the result; @paths (@count files and folders given
 * with --symbols) are copied.
 */
__attribute__((warn_unused_result)) struct err *
module_files_new(const struct kernel *k, const struct modules *modules, const char *const *paths,
		 size_t count, struct module_files **ret);
void module_files_free(struct module_files *f);

/*
 * Takes the files of all modules out of those of the packages among the paths that were given,
 * which may take a minute the first time. An error only when memory is out: what keeps packages
 * from being read is told by packages_describe_failures(). Modules that are loaded later find what
 * was taken out by then.
 */
__attribute__((warn_unused_result)) struct err *
module_files_take_from_packages(struct module_files *f, const char *const *paths, size_t count);

/*
 * What is known of @m's file (one of the modules given to module_files_new()); looked for when it
 * is first asked for, and kept. Borrowed. One with DWARF is preferred to one without. An error only
 * when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
module_files_get(struct module_files *f, const struct module *m, const struct module_file **ret);

/*
 * Files may have come since: those of modules that had none, or one without DWARF, are looked for
 * anew when they are next asked for. What was handed out before stays good.
 */
void module_files_look_again(struct module_files *f);
/* How often that was called: what is kept for lack of a file is worth another try when it grows. */
unsigned module_files_generation(const struct module_files *f);

/* Where the kernel says that it put @m's sections; empty, with a reason that may be asked for
 * (@ret_why may be NULL; *ret_why is NULL if all is well), if it does not say. Borrowed. */
__attribute__((warn_unused_result)) struct err *
module_files_sections(struct module_files *f, const struct module *m,
		      const struct module_sections **ret, const char **ret_why);

/*
 * The file with its sections placed where the dump has them: see ko_file.h for what it gives.
 * Borrowed. ERR_NOTFOUND when there is no file, ERR_FORMAT when it is damaged, and what keeps the
 * module's sections from being read: without their addresses nothing can be relocated.
 */
__attribute__((warn_unused_result)) struct err *
module_files_ko(struct module_files *f, const struct module *m, struct ko_file **ret);

/*
 * The DWARF of @m's file with run-time addresses (the bias is 0), borrowed. Errors are those of
 * module_files_ko() and ko_file_dwarf().
 */
__attribute__((warn_unused_result)) struct err *
module_files_dwarf(struct module_files *f, const struct module *m, Dwarf **ret);

#endif
