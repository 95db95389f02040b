// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * look: what this machine says of its threads, by /proc, a thread a line of tab-separated words:
 *
 *   TID TGID STATE SWITCHES STACK NAME
 *
 * SWITCHES counts how often it was switched out; STACK is /proc/PID/stack, its lines joined by
 * commas, taken between two equal states and counts, or "-" if they were not, or it has none. The
 * stacks of threads that run are left out.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 10 };

/* Reads the file whole; the length, or -1 if the thread is gone. */
static ssize_t slurp(const char *folder, const char *name, char *out)
{
	char path[256];
	size_t len = 0;
	ssize_t n;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < TEXT_MAX - 1 && (n = read(fd, out + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	out[len] = 0;
	return (ssize_t)len;
}

static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	return at ? at + strlen(name) : "";
}

struct standing {
	char state;
	unsigned long switches;
};

static struct standing standing_of(const char *status)
{
	return (struct standing){
		.state = *field(status, "\nState:\t"),
		.switches = strtoul(field(status, "\nvoluntary_ctxt_switches:\t"), NULL, 10) +
			    strtoul(field(status, "\nnonvoluntary_ctxt_switches:\t"), NULL, 10),
	};
}

/* "[<0>] do_sys_poll+0x4b0/0x5c0" a line, the kernel's own unwinder's. */
static void print_stack(const char *text)
{
	const char *separator = "";
	if (!*text)
		putchar('-');
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *name = memchr(text, ' ', len);
		if (name)
			printf("%s%.*s", separator, (int)(len - (size_t)(name + 1 - text)),
			       name + 1);
		separator = ",";
		text += len + (text[len] == '\n');
	}
}

static void print_thread(const char *folder, const char *tid)
{
	static char before[TEXT_MAX], after[TEXT_MAX], stack[TEXT_MAX];
	if (slurp(folder, "status", before) < 0)
		return;
	struct standing first = standing_of(before);
	if (first.state == 'R' || slurp(folder, "stack", stack) < 0)
		*stack = 0;
	if (slurp(folder, "status", after) < 0)
		return;
	struct standing second = standing_of(after);
	if (first.state != second.state || first.switches != second.switches)
		*stack = 0;
	const char *name = field(before, "Name:\t");
	printf("%s\t%lu\t%c\t%lu\t", tid, strtoul(field(before, "\nTgid:\t"), NULL, 10),
	       first.state, first.switches);
	print_stack(stack);
	printf("\t%.*s\n", (int)strcspn(name, "\n"), name);
}

static void each_number(const char *folder, void (*visit)(const char *path, const char *number))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char path[512];
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		visit(path, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static void visit_process(const char *path, const char *pid)
{
	char folder[512 + 8];
	(void)pid;
	snprintf(folder, sizeof(folder), "%s/task", path);
	each_number(folder, print_thread);
}

int main(void)
{
	each_number("/proc", visit_process);
	return 0;
}
