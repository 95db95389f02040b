/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files by their names. All that is opened, made or named once a dump is being read goes through
 * here: a process that may not open files itself asks another one (server/net/outer.h).
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Who does it. Like the functions below. */
struct files_ops {
	int (*open)(void *self, const char *path);
	int (*stat)(void *self, const char *path, struct stat *ret);
	char *(*real)(void *self, const char *path);
	int (*temporary)(void *self, const char *folder, mode_t mode);
	int (*keep)(void *self, int fd, const char *path);
	int (*append)(void *self, const char *path, const char *line, size_t len, mode_t mode);
	void *self;
};

/* From now on @ops (borrowed) do it; NULL: this process. The latter is so at the start. */
void files_use(const struct files_ops *ops);

/* Opens @path (a file or a folder) for reading, without waiting for a pipe's writer. -1 with errno.
 */
int files_open(const char *path);
/* As stat(2). */
int files_stat(const char *path, struct stat *ret);
bool files_is_there(const char *path);
bool files_is_folder(const char *path);
/* As opendir(3). */
DIR *files_open_folder(const char *path);
/* As realpath(3) with NULL: owned, or NULL with errno. */
char *files_real(const char *path);

/* A new file for reading and writing in @folder, without a name, as @mode and the umask say. -1
 * with errno. */
int files_temporary(const char *folder, mode_t mode);
/*
 * Gives the file @fd of files_temporary() the name @path, in the same folder or below it: in one
 * step, also where there is a file of that name. Folders that are missing are made. Where the file
 * system cannot, the file is copied. 0, or -1 with errno.
 */
int files_keep(int fd, const char *path);

/* The largest size of a file that lines are added to. */
enum { FILES_APPEND_MOST = 16 << 20 };

/*
 * Adds @len bytes of @line, which end in a line end, to the file @path, whole or not at all, also
 * where other processes do the same; a line that was broken off before is ended first. The file is
 * made as @mode and the umask say, and is on the disk afterwards. What is a link, has other names
 * or is no file is not written to (ELOOP, EMLINK, EINVAL); EFBIG: the file would be larger than
 * FILES_APPEND_MOST. 0, or -1 with errno.
 */
int files_append(const char *path, const char *line, size_t len, mode_t mode);

/* What is done if nothing else is said; @self is not looked at. */
extern const struct files_ops files_directly;

#endif
