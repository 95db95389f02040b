// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file_map.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

struct file_map {
	const void *owner;
	uintptr_t base;
	size_t len;
	int fd;
	dev_t device; /* 0 with the inode: not known */
	ino_t inode;
	off_t size;		 /* as it was mapped */
	struct timespec written; /* then */
	bool bad, told;
	char *path; /* owned */
	struct file_map *next;
};

/* The handler only reads the list, and comes from reading a mapping: never while it is changed. */
static struct file_map *maps; /* owned list */
static uint64_t faults;
static bool opening, faulted, installed;

static bool fill_with_zeros(uintptr_t from, uintptr_t end)
{
	return mmap((void *)from, end - from, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

/* With all that are of the same file. */
static void mark(struct file_map *bad)
{
	faults += !bad->bad;
	bad->bad = true;
	for (struct file_map *m = maps; m && bad->inode; m = m->next)
		if (m->device == bad->device && m->inode == bad->inode)
			m->bad = true;
}

/* With mmap() and sigaction() alone, which may be called here. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)info->si_addr, from = at & ~(page - 1);
	int kept = errno;
	(void)context;
	for (struct file_map *m = maps; m && info->si_code == BUS_ADRERR; m = m->next) {
		uintptr_t end = (m->base + m->len + page - 1) & ~(page - 1);
		if (at < m->base || at >= end || !fill_with_zeros(from, end))
			continue;
		mark(m);
		errno = kept;
		return;
	}
	if (opening && info->si_code == BUS_ADRERR && fill_with_zeros(from, from + page)) {
		faulted = true;
		errno = kept;
		return;
	}
	/* Nobody's: the instruction is tried again, and ends the process as ever. */
	signal(number, SIG_DFL);
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	if (installed)
		return;
	installed = true;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

void file_map_opening(void)
{
	install();
	opening = true;
	faulted = false;
}

bool file_map_opened(void)
{
	opening = false;
	return faulted;
}

struct err *file_map_add(const void *owner, const void *base, size_t len, int fd, const char *path)
{
	struct stat st = { 0 };
	struct file_map *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	install();
	*m = (struct file_map){
		.owner = owner,
		.base = (uintptr_t)base,
		.len = len,
		.fd = fd,
		.path = strdup(path),
		.next = maps,
	};
	if (!m->path) {
		free(m);
		return err_nomem();
	}
	if (fstat(fd, &st))
		mark(m);
	m->device = st.st_dev;
	m->inode = st.st_ino;
	m->size = st.st_size;
	m->written = st.st_mtim;
	maps = m;
	return NULL;
}

void file_map_remove(const void *owner)
{
	for (struct file_map **at = &maps; *at; at = &(*at)->next) {
		struct file_map *m = *at;
		if (m->owner != owner)
			continue;
		*at = m->next;
		free(m->path);
		free(m);
		return;
	}
}

bool file_map_is_bad(const void *owner)
{
	for (const struct file_map *m = maps; m; m = m->next)
		if (m->owner == owner)
			return m->bad;
	return false;
}

uint64_t file_map_faults(void)
{
	return faults;
}

/* A file that cannot be asked about for a moment is not one that was written. */
void file_map_look(void)
{
	struct stat st;
	for (struct file_map *m = maps; m; m = m->next)
		if (!m->bad && !fstat(m->fd, &st) &&
		    (st.st_size != m->size || st.st_mtim.tv_sec != m->written.tv_sec ||
		     st.st_mtim.tv_nsec != m->written.tv_nsec))
			mark(m);
}

/* The same file may be mapped several times. */
const char *file_map_tell_bad(void)
{
	const char *path = NULL;
	for (struct file_map *m = maps; m; m = m->next) {
		if (!m->bad || m->told || (path && strcmp(path, m->path) != 0))
			continue;
		m->told = true;
		path = m->path;
	}
	return path;
}
