// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures a GDB remote server from the outside: latency of small reads, throughput of large ones,
 *and how long the thread list takes. Beside the latency it measures a bare TCP echo with messages
 *of the same size, in the same run, so that a busy machine does not matter.
 *
 *	rsp_bench HOST:PORT ADDRESS LENGTH	ADDRESS..ADDRESS+LENGTH (hex) is readable
 *
 * Prints "name value unit" lines.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, ROUND_TRIPS = 20000, WARM_ROUNDS = 5 };

struct link {
	int fd;
	char *bytes;  /* BUFFER long */
	size_t used;  /* of bytes */
	size_t chunk; /* bytes of memory a packet carries as hex */
};

static void die(const char *what)
{
	fprintf(stderr, "rsp_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n <= 0)
			die("write");
		p += n;
		len -= (size_t)n;
	}
}

static int connect_to(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char *host = strdup(address), *colon = host ? strrchr(host, ':') : NULL;
	int on = 1;
	if (!colon)
		die("HOST:PORT");
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

/* Sends a packet and returns its reply's text (in l->bytes), acknowledgements left out. */
static const char *ask(struct link *l, const char *packet, size_t *ret_len)
{
	unsigned char sum = 0;
	char framed[512];
	for (const char *p = packet; *p; p++)
		sum += (unsigned char)*p;
	int n = snprintf(framed, sizeof(framed), "$%s#%02x", packet, sum);
	write_all(l->fd, framed, (size_t)n);
	l->used = 0;
	for (;;) {
		ssize_t got = read(l->fd, l->bytes + l->used, BUFFER - l->used);
		if (got <= 0)
			die("read");
		l->used += (size_t)got;
		const char *start = memchr(l->bytes, '$', l->used);
		/* The end is the last '#' with two digits behind it; replies are not pipelined. */
		if (start && l->used >= 4 && l->bytes[l->used - 3] == '#') {
			*ret_len = (size_t)(l->bytes + l->used - 3 - (start + 1));
			return start + 1;
		}
	}
}

static void hello(struct link *l)
{
	size_t len;
	const char *reply =
		ask(l, "qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386", &len);
	char *text = strndup(reply, len), *size = text ? strstr(text, "PacketSize=") : NULL;
	size_t packet = size ? strtoull(size + 11, NULL, 16) : 400;
	write_all(l->fd, "+", 1);
	free(text);
	ask(l, "QStartNoAckMode", &len);
	write_all(l->fd, "+", 1);
	/* gdbserver reads no memory before it was asked why the process stands still. */
	ask(l, "?", &len);
	/* Some servers count the frame in. */
	l->chunk = packet / 2 > 512 << 10 ? 512 << 10 : packet / 2 - 16;
}

static double round_trips(struct link *l, uint64_t address)
{
	char packet[64];
	size_t len;
	double start = now();
	snprintf(packet, sizeof(packet), "m%llx,8", (unsigned long long)address);
	for (int i = 0; i < ROUND_TRIPS; i++)
		ask(l, packet, &len);
	return (now() - start) / ROUND_TRIPS * 1e6;
}

/* Bytes a second with packets "KIND address,length"; stops at the first failure. */
static double throughput(struct link *l, char kind, uint64_t address, uint64_t length, int rounds)
{
	uint64_t total = 0;
	double start = now();
	for (int round = 0; round < rounds; round++) {
		for (uint64_t done = 0; done < length; done += l->chunk) {
			uint64_t n = length - done < l->chunk ? length - done : l->chunk;
			char packet[64];
			size_t len;
			snprintf(packet, sizeof(packet), "%c%llx,%llx", kind,
				 (unsigned long long)(address + done), (unsigned long long)n);
			const char *reply = ask(l, packet, &len);
			if (!len || reply[0] == 'E')
				return 0;
			total += n;
		}
	}
	return (double)total / (now() - start);
}

/* Reads the whole of qXfer:threads; seconds, and how many threads. */
static double threads(struct link *l, size_t *ret_count)
{
	double start = now();
	static const char tag[] = "<thread ";
	size_t offset = 0, len, matched = 0;
	*ret_count = 0;
	for (;;) {
		char packet[64];
		snprintf(packet, sizeof(packet), "qXfer:threads:read::%zx,1000", offset);
		const char *reply = ask(l, packet, &len);
		if (!len)
			return 0;
		/* One may stand across two chunks; the first character says whether more come. */
		for (size_t i = 1; i < len; i++) {
			matched = reply[i] == tag[matched] ? matched + 1 : reply[i] == tag[0];
			if (!tag[matched]) {
				++*ret_count;
				matched = 0;
			}
		}
		offset += len - 1;
		if (*reply == 'l')
			return now() - start;
	}
}

/* A child that echoes messages like an 8-byte read and its reply. */
static double echo_round_trips(void)
{
	enum { REQUEST = 24, REPLY = 20 };
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(name);
	char bytes[64] = { 0 };
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&name, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&name, &size))
		die("listen");
	pid_t child = fork();
	if (!child) {
		int fd = accept(listener, NULL, NULL);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while (read(fd, bytes, sizeof(bytes)) > 0)
			write_all(fd, bytes, REPLY);
		_exit(0);
	}
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, size))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	double start = now();
	for (int i = 0; i < ROUND_TRIPS; i++) {
		write_all(fd, bytes, REQUEST);
		if (read(fd, bytes, sizeof(bytes)) <= 0)
			die("read");
	}
	double result = (now() - start) / ROUND_TRIPS * 1e6;
	close(fd);
	close(listener);
	waitpid(child, NULL, 0);
	return result;
}

int main(int argc, char **argv)
{
	struct link l = { .bytes = malloc(BUFFER) };
	size_t count;
	if (argc != 4 || !l.bytes) {
		fprintf(stderr, "usage: rsp_bench HOST:PORT ADDRESS LENGTH (both hex)\n");
		return 2;
	}
	uint64_t address = strtoull(argv[2], NULL, 16), length = strtoull(argv[3], NULL, 16);
	l.fd = connect_to(argv[1]);
	hello(&l);
	double cold = throughput(&l, 'm', address, length, 1);
	/* Twice each, in turn: the first of a pair finds a colder machine. */
	double echo = echo_round_trips(), trip = round_trips(&l, address);
	echo = (echo + echo_round_trips()) / 2;
	trip = (trip + round_trips(&l, address)) / 2;
	printf("echo_round_trip %.2f us\n", echo);
	printf("m8_round_trip %.2f us\n", trip);
	printf("m8_to_echo %.3f ratio\n", trip / echo);
	printf("m_cold %.0f MB/s\n", cold / 1e6);
	printf("m_warm %.0f MB/s\n", throughput(&l, 'm', address, length, WARM_ROUNDS) / 1e6);
	printf("x_warm %.0f MB/s\n", throughput(&l, 'x', address, length, WARM_ROUNDS) / 1e6);
	double list = threads(&l, &count);
	printf("threads %zu threads\n", count);
	printf("thread_list_first %.2f ms\n", list * 1e3);
	printf("thread_list_again %.2f ms\n", threads(&l, &count) * 1e3);
	return 0;
}
