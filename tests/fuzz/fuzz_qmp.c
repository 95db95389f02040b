// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an enemy at a QMP socket may send. The first byte of an input chooses what the rest is: 'm'
 * the text of "info mtree -f", 'r' that of "info registers -a", 'w' that of "xp", 'p' the lines of
 * a peer, of which the first is its greeting and each other one follows a command.
 */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/qmp_machine.h"
#include "vmcore/live/qmp_text.h"
#include "vmcore/memory/memory.h"

#define REQUIRE(what)            \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

enum {
	LINES_MAX = 24,
	PAGES_READ = 4,
	PATIENCE_MS = 1, /* of a peer that is asked nothing */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- texts ---- */

static void try_map(const char *text)
{
	struct qmp_map m;
	struct err *e = qmp_map_parse(text, &m);
	if (e) {
		err_free(e);
		return;
	}
	REQUIRE(m.count);
	for (size_t i = 0; i < m.count; i++) {
		const struct qmp_ram *r = &m.list[i];
		REQUIRE(r->at.start < r->at.end && r->region);
		REQUIRE(!i || m.list[i - 1].at.end <= r->at.start);
		REQUIRE(r->offset <= UINT64_MAX - (r->at.end - r->at.start));
		REQUIRE(qmp_map_from(&m, r->at.start) == r);
		REQUIRE(qmp_map_from(&m, r->at.end - 1) == r);
	}
	REQUIRE(!qmp_map_from(&m, m.list[m.count - 1].at.end));
	qmp_map_free(&m);
}

/* A CPU is a PRSTATUS note and QEMU's own, or nothing. */
static void try_registers(const char *text)
{
	struct notes notes = NOTES_INIT;
	err_free(qmp_registers_parse(text, &notes));
	REQUIRE(notes.count % 2 == 0);
	for (size_t i = 0; i < notes.count; i++)
		REQUIRE(!strcmp(notes.list[i].name, i % 2 ? "QEMU" : "CORE"));
	notes_free(&notes);
}

static void try_words(const char *text)
{
	/* So that a sanitizer sees every byte too many. */
	uint8_t *out = malloc(64);
	REQUIRE(out);
	size_t got = qmp_words_parse(text, out, 64);
	REQUIRE(got <= 64 && got % 8 == 0);
	free(out);
}

/* ---- a peer ---- */

struct peer {
	int listener;
	const char *lines;
	size_t len;
};

static bool send_bytes(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Sends a line whenever it is asked something, or has waited for a while. */
static void *play(void *closure)
{
	const struct peer *p = closure;
	const char *at = p->lines, *end = p->lines + p->len;
	int fd = accept(p->listener, NULL, NULL);
	for (unsigned i = 0; fd >= 0 && i < LINES_MAX && at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = stop ? (size_t)(stop + 1 - at) : (size_t)(end - at);
		char asked[4096];
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		if (!send_bytes(fd, at, len))
			break;
		at += len;
		if (poll(&poll_fd, 1, PATIENCE_MS) > 0 && read(fd, asked, sizeof(asked)) <= 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int listen_at(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(address->sun_path);
	REQUIRE(fd >= 0 && !bind(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		!listen(fd, 1));
	return fd;
}

static void use_machine(struct qmp_machine *m)
{
	const struct page_source pages = qmp_machine_pages(m);
	struct notes notes = NOTES_INIT;
	struct qmp_look look;
	uint64_t pfn = 0;
	for (unsigned i = 0; i < PAGES_READ && pages.next_page(pages.self, pfn, &pfn); i++, pfn++) {
		uint8_t page[PAGE_SIZE];
		uint16_t from = 0, to = 0;
		struct err *e = pages.read_page(pages.self, pfn, page, &from, &to);
		REQUIRE(e || (from < to && to <= PAGE_SIZE));
		err_free(e);
	}
	pages.forget(pages.self);
	err_free(qmp_machine_look(m, &look));
	err_free(qmp_machine_registers(m, &notes));
	qmp_machine_is_still(m);
	notes_free(&notes);
}

static void try_peer(const char *lines, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/fuzz-qmp-%d", (int)getpid());
	struct peer peer = { listen_at(&address), lines, len };
	pthread_t thread;
	REQUIRE(!pthread_create(&thread, NULL, play, &peer));
	struct notes notes = NOTES_INIT;
	struct dump_info info = { 0 };
	struct qmp_machine *m;
	struct err *e = qmp_machine_open(address.sun_path, &notes, &info, &m);
	if (!e) {
		use_machine(m);
		qmp_machine_close(m);
	}
	err_free(e);
	notes_free(&notes);
	pthread_join(thread, NULL);
	close(peer.listener);
	unlink(address.sun_path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	char *text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0]) {
	case 'm':
		try_map(text);
		break;
	case 'r':
		try_registers(text);
		break;
	case 'w':
		try_words(text);
		break;
	case 'p':
		try_peer(text, size - 1);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
