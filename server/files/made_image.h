/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made from the dump (server/image), as files for clients. */
#ifndef SERVER_FILES_MADE_IMAGE_H
#define SERVER_FILES_MADE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct exports;
struct image_source;
struct made_image;

/*
 * Puts it among the exports, under a name that says what it is. It is made when the first client
 * opens it, once. What @source points at and @exports are borrowed and must outlive the result; the
 * exports are freed first.
 */
__attribute__((warn_unused_result)) struct err *
made_image_new(const struct image_source *source, struct exports *exports, struct made_image **ret);
void made_image_free(struct made_image *m);

/*
 * Keeps the image in the folder @folder, from where the next server of the same dump takes it. The
 * dump is known by its @paths: the files' identity, size and time of change. Before a client asks.
 * ERR_IO when one of the files cannot be found.
 */
__attribute__((warn_unused_result)) struct err *
made_image_keep(struct made_image *m, const char *folder, const char *const *paths, size_t count);

/* What it is made of, borrowed. */
const struct image_source *made_image_source(const struct made_image *m);

/* Its name, borrowed. */
const char *made_image_name(const struct made_image *m);

/* Puts the frames of entry code (arch/x86_64/image/entry_frames.h) among @exports, those that
 * made_image_new() was given, under this name. */
__attribute__((warn_unused_result)) struct err *
made_image_offer_entry_frames(struct made_image *m, struct exports *exports);
extern const char made_entry_frames_name[];

/* The same of the names of code that was made at run time (vmcore/image/made_names.h). */
__attribute__((warn_unused_result)) struct err *
made_image_offer_made_names(struct made_image *m, struct exports *exports);
extern const char made_names_name[];

/*
 * The name, borrowed, of a file with the symbols of modules that have no file
 * (vmcore/image/module_names.h): those for which @wanted is set, by index of the modules of
 * made_image_source()->code. Put among @exports, those that made_image_new() was given, when it is
 * first asked for, and made when a client opens it.
 */
__attribute__((warn_unused_result)) struct err *made_image_module_names(struct made_image *m,
									const bool *wanted,
									struct exports *exports,
									const char **ret_name);

#endif
