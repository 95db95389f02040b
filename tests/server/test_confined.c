// SPDX-License-Identifier: GPL-2.0-or-later
/* A process that is confined as the one that reads a dump tries what an enemy would have it do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "config.h"
#include "server/net/confine.h"
#include "server/net/outer.h"

enum { SKIPPED = 77, MEMORY = 256 << 20 };

static char folder[] = "/tmp/vmcore-confined-XXXXXX";
static char secret[64], wanted[64], kept[64], outside[64], socket_address[96];
static pid_t parent;
static int failures;
static bool had_root;

static void expect(bool good, const char *what)
{
	if (good)
		return;
	failures++;
	fprintf(stderr, "not so: %s (errno %d)\n", what, errno);
}

#define REFUSED(call) expect((long)(call) == -1, #call " is refused")

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static void try_files(void)
{
	char with_dots[128], missing[128];
	snprintf(with_dots, sizeof(with_dots), "%s/symbols/../secret", folder);
	snprintf(missing, sizeof(missing), "%s/symbols/missing", folder);
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(open(secret, O_RDONLY));
	REFUSED(open(outside, O_WRONLY | O_CREAT, 0600));
	REFUSED(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &(uint64_t[3]){ 0 }, 24));
	REFUSED(unlink(wanted));
	REFUSED(rename(wanted, outside));
	REFUSED(mkdir(outside, 0700));
	/* By the outer process: what the options name, and no more. Only root could read it. */
	int fd = files_open(wanted);
	expect(fd >= 0, "a file of symbols is opened");
	char text[8] = "";
	expect(pread(fd, text, sizeof(text) - 1, 0) == 4 && !strcmp(text, "syms"), "it is that");
	REFUSED(files_open("/etc/passwd"));
	REFUSED(files_open(secret));
	REFUSED(files_open(with_dots));
	REFUSED(files_open(missing));
	expect(errno == ENOENT, "what is missing is said to be missing");
	expect(!files_real("/etc/passwd"), "no other name is told");
	struct stat st;
	REFUSED(files_stat(secret, &st));
	expect(files_is_folder(folder) == false, "nor what is above");
}

static void try_keeping(void)
{
	char cache[80];
	snprintf(cache, sizeof(cache), "%s/cache", folder);
	int fd = files_temporary(cache, 0666);
	expect(fd >= 0 && write(fd, "kept", 4) == 4, "a file is made where they are kept");
	REFUSED(files_keep(fd, outside));
	REFUSED(files_keep(fd, wanted));
	expect(!files_keep(fd, kept), "and gets its name there");
	/* One that has a name already gets no second one. */
	char again[96];
	snprintf(again, sizeof(again), "%s/again", cache);
	REFUSED(files_keep(fd, again));
	REFUSED(files_temporary(folder, 0666));
}

static void try_sockets(struct outer *outer)
{
	char other[96];
	int fd = -1;
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	struct err *e = outer_bind(outer, socket_address, &fd);
	expect(!e && fd >= 0, "the socket that was asked for is made");
	expect(!listen(fd, 1), "and listens");
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	REFUSED(connect(fd, (struct sockaddr *)&name, sizeof(name)));
	snprintf(other, sizeof(other), "unix:%s/other", folder);
	e = outer_bind(outer, other, &fd);
	expect(e != NULL, "no other is");
	err_free(e);
	e = outer_bind(outer, "127.0.0.1:0", &fd);
	expect(e != NULL, "nor a port");
	err_free(e);
}

static void try_processes(void)
{
	char *const nothing[] = { NULL };
	struct iovec part = { folder, 4 };
	REFUSED(fork());
	REFUSED(syscall(SYS_vfork));
	REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	REFUSED(execve("/bin/true", nothing, nothing));
	REFUSED(ptrace(PTRACE_ATTACH, parent, 0, 0));
	REFUSED(process_vm_readv(parent, &part, 1, &part, 1, 0));
	REFUSED(kill(parent, 0));
	REFUSED(syscall(SYS_tgkill, parent, parent, 0));
	REFUSED(syscall(SYS_pidfd_open, parent, 0));
	REFUSED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	REFUSED(syscall(SYS_mount, "none", folder, "tmpfs", 0, ""));
	REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	REFUSED(setuid(0));
}

static void try_limits(void)
{
	struct rlimit core;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	expect(!getrlimit(RLIMIT_CORE, &core) && !core.rlim_max, "no core");
	expect(!syscall(SYS_capget, &header, data) && !data[0].effective && !data[0].permitted &&
		       !data[1].effective && !data[1].permitted,
	       "no capabilities");
	expect(!had_root || (getuid() && geteuid() && getgid()), "not root");
	void *most = mmap(NULL, MEMORY + (1 << 20), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(most == MAP_FAILED, "no more memory than the limit");
	expect(malloc(1 << 20) != NULL, "less is to be had");
}

static int be_confined(void)
{
	const char *const listens[] = { socket_address };
	char cache[80], symbols[80];
	snprintf(cache, sizeof(cache), "%s/cache", folder);
	snprintf(symbols, sizeof(symbols), "%s/symbols", folder);
	const char *const reads[] = { symbols };
	const struct outer_options options = { .reads = reads,
					       .read_count = 1,
					       .keeps = cache,
					       .listens = listens,
					       .listen_count = 1,
					       .socket_owner = (uid_t)-1,
					       .socket_group = (gid_t)-1 };
	const struct confine_options how = { .user = "nobody",
					     .memory = MEMORY,
					     .files_outside = true };
	struct outer *outer;
	struct buf held = BUF_INIT;
	struct err *e = outer_start(&options, &outer);
	if (!e) {
		files_use(outer_files(outer));
		e = confine(&how, &held);
	}
	if (e) {
		fprintf(stderr, "%s\n", err_msg(e));
		return EXIT_FAILURE;
	}
	printf("%s\n", held.data);
	fflush(stdout);
	try_files();
	try_keeping();
	try_sockets(outer);
	try_processes();
	try_limits();
	buf_free(&held);
	outer_end(outer);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* As of a live machine: it opens files by itself, as somebody who may not read this one. */
static int be_live(void)
{
	char cache[80], made[96];
	snprintf(cache, sizeof(cache), "%s/open", folder);
	snprintf(made, sizeof(made), "%s/file", cache);
	const char *const writes[] = { cache };
	const struct confine_options how = {
		.user = "nobody",
		.memory = MEMORY,
		.writes = writes,
		.write_count = 1,
		.may_end = parent,
	};
	struct sockaddr_in port = { .sin_family = AF_INET };
	struct buf held = BUF_INIT;
	int waiting = socket(AF_INET, SOCK_STREAM, 0);
	struct err *e = confine(&how, &held);
	if (e) {
		fprintf(stderr, "%s\n", err_msg(e));
		return EXIT_FAILURE;
	}
	bool landlock = strstr(held.data, "Landlock") && !strstr(held.data, "no Landlock");
	printf("%s\n", held.data);
	fflush(stdout);
	REFUSED(had_root ? open(secret, O_RDONLY) : -1);
	REFUSED(had_root ? open("/etc/shadow", O_RDONLY) : -1);
	expect(open("/etc/passwd", O_RDONLY) >= 0, "what everybody may read is read");
	if (landlock) {
		REFUSED(open("/tmp/vmcore-confined-other", O_WRONLY | O_CREAT, 0600));
		REFUSED(mkdir("/tmp/vmcore-confined-other", 0700));
		REFUSED(open("/etc/passwd", O_WRONLY));
	}
	expect(open(made, O_WRONLY | O_CREAT, 0600) >= 0, "a file is made where they are kept");
	expect(!unlink(made), "and removed");
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(connect(waiting, (struct sockaddr *)&port, sizeof(port)));
	REFUSED(bind(waiting, (struct sockaddr *)&port, sizeof(port)));
	REFUSED(kill(1, 0));
	REFUSED(syscall(SYS_tgkill, parent, parent, 0));
	/* That one is --run's command here, which it may end. */
	parent = 1;
	try_processes();
	try_limits();
	buf_free(&held);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Whether the process that does @what ends well. */
static bool child_succeeds(int (*what)(void))
{
	int status;
	pid_t child = fork();
	if (!child)
		exit(what());
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__) || !defined(HAVE_SECCOMP)
	puts("SKIP: a program with sanitizers, or without libseccomp, is not confined whole");
	return SKIPPED;
#endif
	char path[96];
	had_root = !geteuid();
	parent = getpid();
	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	snprintf(secret, sizeof(secret), "%s/secret", folder);
	snprintf(wanted, sizeof(wanted), "%s/symbols/vmlinux", folder);
	snprintf(kept, sizeof(kept), "%s/cache/below/kept", folder);
	snprintf(outside, sizeof(outside), "%s/new", folder);
	snprintf(socket_address, sizeof(socket_address), "unix:%s/socket", folder);
	snprintf(path, sizeof(path), "%s/symbols", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache", folder);
	mkdir(path, 0700);
	write_file(secret, "secret");
	write_file(wanted, "syms");
	bool good = child_succeeds(be_confined);
	snprintf(path, sizeof(path), "%s/open", folder);
	mkdir(path, 0700);
	/* As --user's own. */
	if (had_root && (chmod(folder, 0711) || chmod(path, 0777)))
		return EXIT_FAILURE;
	good &= child_succeeds(be_live);
	char text[8] = "";
	int fd = open(kept, O_RDONLY);
	expect(fd >= 0 && read(fd, text, 7) == 4 && !strcmp(text, "kept"),
	       "what was kept is there");
	expect(access(socket_address + strlen("unix:"), F_OK), "the socket is removed");
	expect(access(outside, F_OK), "nothing else was made");
	snprintf(path, sizeof(path), "rm -r %s", folder);
	expect(!system(path), "clean up");
	return good && !failures ? EXIT_SUCCESS : EXIT_FAILURE;
}
