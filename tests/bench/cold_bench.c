// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures how physical memory is read that nobody has read before: by a server's packets, or by
 * libkdumpfile in this process.
 *
 *	cold_bench HOST:PORT x|m START END	in order, START to END (hex), large packets
 *	cold_bench HOST:PORT random START END	pages by `x`, at random, as many as fit in 32 MiB
 *	cold_bench FILE order|random START END	the same by libkdumpfile
 *
 * Prints the MB that were there, the seconds, this process's processor seconds, and with a PID
 *behind all that those of that process.
 */
#include <errno.h>
#include <fcntl.h>
#include <libkdumpfile/kdumpfile.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, CHUNK = 256 << 10, PAGE = 4096, RANDOM_PAGES = 8192 };

struct reader {
	int fd; /* of the server; -1: by the library */
	kdump_ctx_t *library;
	char *bytes;
	char kind;
};

static void die(const char *what)
{
	fprintf(stderr, "cold_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connect_to(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char *host = strdup(address), *colon = strrchr(host, ':');
	int on = 1;
	*colon = 0;
	if (getaddrinfo(host, colon + 1, &hints, &list))
		die("look up the address");
	int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
	if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	freeaddrinfo(list);
	free(host);
	return fd;
}

/* The length of the reply's text, which begins at *ret. */
static size_t ask(struct reader *r, const char *packet, const char **ret)
{
	unsigned char sum = 0;
	char framed[256];
	size_t used = 0;
	for (const char *p = packet; *p; p++)
		sum += (unsigned char)*p;
	int n = snprintf(framed, sizeof(framed), "$%s#%02x", packet, sum);
	if (write(r->fd, framed, (size_t)n) != n)
		die("write");
	for (;;) {
		ssize_t got = read(r->fd, r->bytes + used, BUFFER - used);
		if (got <= 0)
			die("read");
		used += (size_t)got;
		const char *start = memchr(r->bytes, '$', used);
		if (start && used >= 4 && r->bytes[used - 3] == '#') {
			*ret = start + 1;
			return (size_t)(r->bytes + used - 3 - (start + 1));
		}
	}
}

static void open_server(struct reader *r, const char *address, char kind)
{
	const char *reply;
	r->fd = connect_to(address);
	r->kind = kind;
	ask(r, "qSupported", &reply);
	ask(r, "QStartNoAckMode", &reply);
	if (write(r->fd, "+", 1) != 1)
		die("write");
	ask(r, "Qqemu.PhyMemMode:1", &reply);
}

static void open_library(struct reader *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	r->fd = -1;
	r->library = kdump_new();
	if (fd < 0 || !r->library || kdump_open_fd(r->library, fd) != KDUMP_OK)
		die(path);
}

/* How many of the @len bytes at @at are there, from the first on. */
static size_t read_at(struct reader *r, uint64_t at, size_t len)
{
	char packet[64];
	const char *reply;
	if (r->fd < 0) {
		kdump_read(r->library, KDUMP_MACHPHYSADDR, at, r->bytes, &len);
		return len;
	}
	snprintf(packet, sizeof(packet), "%c%llx,%zx", r->kind, (unsigned long long)at, len);
	size_t got = ask(r, packet, &reply);
	if (*reply == 'E' && got == 3)
		return 0;
	if (r->kind == 'm')
		return got / 2;
	size_t escapes = 0;
	for (const char *p = reply; (p = memchr(p, '}', got - (size_t)(p - reply))); p += 2)
		escapes++;
	return got - 1 - escapes;
}

int main(int argc, char **argv)
{
	struct reader r = { .bytes = malloc(BUFFER) };
	if (argc < 5 || !r.bytes)
		die("usage: cold_bench HOST:PORT|FILE x|m|order|random START END [PID]");
	bool random = !strcmp(argv[2], "random");
	uint64_t start = strtoull(argv[3], NULL, 16), end = strtoull(argv[4], NULL, 16), total = 0;
	if (access(argv[1], F_OK))
		open_server(&r, argv[1], random ? 'x' : *argv[2]);
	else
		open_library(&r, argv[1]);
	clockid_t other = CLOCK_PROCESS_CPUTIME_ID;
	if (argc > 5 && clock_getcpuclockid((pid_t)strtol(argv[5], NULL, 10), &other))
		die("the other process");
	double wall = clock_of(CLOCK_MONOTONIC), own = clock_of(CLOCK_PROCESS_CPUTIME_ID);
	double theirs = clock_of(other);
	uint64_t state = 1;
	for (unsigned i = 0; random && i < RANDOM_PAGES; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		total += read_at(&r, start + (state >> 20) % ((end - start) / PAGE) * PAGE, PAGE);
	}
	for (uint64_t at = start; !random && at < end;) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		size_t got = read_at(&r, at, want);
		total += got;
		/* A page that is not there is passed over. */
		at += got ? got / PAGE * PAGE + (got % PAGE ? PAGE : 0) : PAGE;
	}
	printf("%.1f MB %.4f s %.4f s %.4f s\n", (double)total / 1e6,
	       clock_of(CLOCK_MONOTONIC) - wall, clock_of(CLOCK_PROCESS_CPUTIME_ID) - own,
	       clock_of(other) - theirs);
	return 0;
}
