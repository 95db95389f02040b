// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replays a conversation with a client against the fake target: replay FILE.transcript...
 *
 *	# comment
 *	> PACKET	the client sends a packet; framing and checksum are added
 *	< REPLY		the server sends one; "..." stands for any text
 *	>> BYTES	the client sends these bytes as they are
 *	<< BYTES	the server sends exactly these
 *	% closed	the server wants the connection closed
 *	% late MS	what is sent next may have come so many milliseconds before it is read
 *	% ended TEXT	the bytes sent last ended the session, with that error; "..." as above. The
 *			last line
 *	% steps N	answering took N steps, or more: other clients had their turn in between
 *	% cancelled N	so many monitor commands were cancelled until now
 *	% open N	so many files are open
 *	% entered N	so many other targets are attached to
 *	% others	there is another target to attach to, with the ID 16 (10 in hexadecimal),
 *which is the same but for its name, the value of rip, and that it has neither files nor documents;
 *the one that is connected to has the ID 15; before the first packet % several	the same, and gdb
 *may hold both at once % without GROUP	the target lacks memory, image, monitor, files, objects or
 *crash; before the first packet % threads N	the target has N threads; before the first packet % log CATEGORIES	as --debug, from here on % said LINE	that is the only debug message since
 *the last such line; "..." as above % said		there is none
 *
 * A line that begins with a tab continues the one before. \xNN, \n and \\ are escapes. While
 * acknowledgements are on, both sides send the + by themselves; <<, >> show them.
 *
 * Whatever the server sends that no line expects is a failure, as is what does not come.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/log.h"
#include "proto/frame.h"
#include "proto/rsp.h"
#include "server/net/dialogue.h"
#include "tests/proto/fake.h"
#include "tests/proto/fake_others.h"

struct replay {
	const char *file;
	unsigned line;
	struct fake fake;
	struct rsp_shared *shared;
	bool has_others, several;
	struct fake_others others; /* once a session has begun */
	struct dialogue dialogue;
	char *ended;	/* owned: why the last input ended the session; NULL if it did not */
	struct buf out; /* sent by the server, and not expected yet */
	bool acks;
	bool raw; /* the last input was raw: its acknowledgements are on << lines */
	unsigned steps;
	unsigned late; /* milliseconds; of what is sent next */
	FILE *log;     /* NULL until a transcript wants it: debug messages, which go to stderr... */
	FILE *stderr_of_process; /* ...which is this otherwise */
	char *said; /* what is in the log, said_len bytes, of which so many were looked at: */
	size_t said_len, said_seen;
};

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct replay *p,
								 const char *fmt, ...)
{
	va_list ap;
	if (p->log)
		stderr = p->stderr_of_process;
	fprintf(stderr, "%s:%u: ", p->file, p->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void must(const struct replay *p, struct err *e)
{
	if (e)
		fail(p, "%s", err_msg(e));
}

/* Bytes as a transcript writes them. Static: shown at once, by fail(). */
static const char *show(const char *data, size_t len)
{
	static struct buf shown = BUF_INIT;
	buf_reset(&shown);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		if (c < ' ' || c > '~' || c == '\\')
			buf_addf(&shown, "\\x%02x", c);
		else
			buf_addch(&shown, (char)c);
	}
	return shown.data;
}

/* Undoes the escapes of a line, in place. */
static void unescape(const struct replay *p, struct buf *line)
{
	size_t to = 0;
	for (size_t i = 0; i < line->len; i++) {
		char c = line->data[i];
		if (c == '\\') {
			c = line->data[++i];
			if (c == 'n') {
				c = '\n';
			} else if (c == 'x') {
				if (line->len - i < 3 || !hex_decode(&c, line->data + i + 1, 2))
					fail(p, "\\x without two digits");
				i += 2;
			} else if (c != '\\') {
				fail(p, "unknown escape \\%c", c);
			}
		}
		line->data[to++] = c;
	}
	buf_cut(line, to);
}

static void begin_session(struct replay *p)
{
	if (p->shared)
		return;
	must(p, rsp_shared_new(&p->fake.target, &p->shared));
	const struct target_visitor visitor = { 0 };
	if (p->has_others)
		fake_others_init(&p->others, p->shared, p->several);
	must(p,
	     dialogue_open(&p->fake.target, p->shared, p->has_others ? &p->others.directory : NULL,
			   &visitor, 0, NULL, &p->dialogue));
	p->acks = true;
}

static void send_bytes(struct replay *p, const char *data, size_t len)
{
	bool again = true;
	begin_session(p);
	if (p->out.len)
		fail(p, "before this, the server sent: %s", show(p->out.data, p->out.len));
	if (p->ended)
		fail(p, "the session has ended: %s", p->ended);
	uint64_t arrived = p->late ? clock_ms() - p->late : 0;
	p->late = 0;
	struct err *e = dialogue_input(&p->dialogue, arrived, data, len);
	for (p->steps = 0; !e && again; p->steps++)
		e = dialogue_step(&p->dialogue, &p->out, &again);
	if (e)
		p->ended = strdup(err_msg(e));
	err_free(e);
}

static void send_packet(struct replay *p, const struct buf *payload)
{
	struct buf packet = BUF_INIT;
	buf_addch(&packet, '$');
	buf_add(&packet, payload->data, payload->len);
	frame_close(&packet, 1);
	p->raw = false;
	send_bytes(p, packet.data, packet.len);
	buf_free(&packet);
	if (!p->acks)
		return;
	if (!p->out.len || p->out.data[0] != '+')
		fail(p, "the packet was not acknowledged: %s", show(p->out.data, p->out.len));
	buf_drop(&p->out, 1);
	if (strcmp(payload->data, "QStartNoAckMode") == 0)
		p->acks = false;
}

/* Whether @text is what @pattern says; both end in 0, and hold none. */
static bool matches(const char *pattern, const char *text)
{
	const char *dots = strstr(pattern, "...");
	if (!dots)
		return strcmp(pattern, text) == 0;
	size_t before = (size_t)(dots - pattern);
	if (strncmp(pattern, text, before) != 0)
		return false;
	for (text += before;; text++) {
		if (matches(dots + 3, text))
			return true;
		if (!*text)
			return false;
	}
}

/* 0 bytes become 1, for matches(). */
static void without_zeros(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if (!b->data[i])
			b->data[i] = 1;
	}
}

static void expect_packet(struct replay *p, struct buf *pattern)
{
	struct buf payload = BUF_INIT, check = BUF_INIT;
	const char *end = memchr(p->out.data, '#', p->out.len);
	if (p->out.data[0] != '$' || !end || end + 2 >= p->out.data + p->out.len)
		fail(p, "no packet came, but: %s", show(p->out.data, p->out.len));
	buf_add(&payload, p->out.data + 1, (size_t)(end - p->out.data) - 1);
	buf_add(&check, payload.data, payload.len);
	frame_close(&check, 0);
	if (memcmp(check.data + payload.len, end, 3) != 0)
		fail(p, "wrong checksum: %s", show(p->out.data, p->out.len));
	without_zeros(&payload);
	without_zeros(pattern);
	if (!matches(pattern->data, payload.data))
		fail(p, "expected: %s\nbut the server sent: %s", pattern->data,
		     show(p->out.data + 1, payload.len));
	buf_drop(&p->out, payload.len + 4);
	buf_free(&payload);
	buf_free(&check);
	if (p->acks && !p->raw)
		must(p, dialogue_input(&p->dialogue, 0, "+", 1));
}

static void expect_bytes(struct replay *p, const struct buf *bytes)
{
	if (p->out.len < bytes->len || memcmp(p->out.data, bytes->data, bytes->len) != 0)
		fail(p, "expected other bytes than: %s", show(p->out.data, p->out.len));
	buf_drop(&p->out, bytes->len);
}

static void remove_group(struct replay *p, const char *group)
{
	struct target *t = &p->fake.target;
	if (strcmp(group, "memory") == 0)
		t->memory = NULL;
	else if (strcmp(group, "image") == 0)
		t->image = NULL;
	else if (strcmp(group, "monitor") == 0)
		t->monitor = NULL;
	else if (strcmp(group, "files") == 0)
		t->files = NULL;
	else if (strcmp(group, "objects") == 0)
		t->objects = NULL;
	else if (strcmp(group, "crash") == 0)
		t->crash = NULL;
	else
		fail(p, "unknown group %s", group);
}

static void keep_log(struct replay *p, const char *categories)
{
	must(p, log_enable(categories));
	p->log = open_memstream(&p->said, &p->said_len);
	if (!p->log)
		fail(p, "out of memory");
	p->stderr_of_process = stderr;
	stderr = p->log;
}

static void expect_said(struct replay *p, const char *pattern)
{
	if (!p->log)
		fail(p, "nothing is logged before %% log");
	fflush(p->log);
	char *said = p->said + p->said_seen;
	size_t len = p->said_len - p->said_seen;
	p->said_seen = p->said_len;
	if (len && said[len - 1] == '\n')
		said[--len] = 0;
	if (memchr(said, '\n', len) || !matches(pattern, said))
		fail(p, "expected: %s\nbut it said: %s", pattern, show(said, len));
}

static void directive(struct replay *p, const char *text)
{
	unsigned number;
	char word[32];
	if (sscanf(text, "steps %u", &number) == 1) {
		if (p->steps < number)
			fail(p, "it took %u steps only", p->steps);
	} else if (sscanf(text, "late %u", &number) == 1) {
		p->late = number;
	} else if (sscanf(text, "cancelled %u", &number) == 1) {
		if (p->fake.cancelled != (int)number)
			fail(p, "%d were cancelled", p->fake.cancelled);
	} else if (sscanf(text, "open %u", &number) == 1) {
		if (p->fake.files != (int)number)
			fail(p, "%d are open", p->fake.files);
	} else if (strcmp(text, "others") == 0 && !p->shared) {
		p->has_others = true;
	} else if (strcmp(text, "several") == 0 && !p->shared) {
		p->has_others = p->several = true;
	} else if (sscanf(text, "entered %u", &number) == 1) {
		if (p->others.entered != (int)number)
			fail(p, "%d are entered", p->others.entered);
	} else if (sscanf(text, "without %31s", word) == 1 && !p->shared) {
		remove_group(p, word);
	} else if (sscanf(text, "threads %u", &number) == 1 && number >= 3 && !p->shared) {
		fake_free(&p->fake);
		fake_init(&p->fake, number);
	} else if (strncmp(text, "log ", 4) == 0 && !p->log) {
		keep_log(p, text + 4);
	} else if (strncmp(text, "said", 4) == 0 && (!text[4] || text[4] == ' ')) {
		expect_said(p, text[4] ? text + 5 : "");
	} else if (strncmp(text, "ended ", 6) == 0) {
		if (!p->ended || !matches(text + 6, p->ended))
			fail(p, "it has not ended so, but: %s", p->ended ? p->ended : "it goes on");
		free(p->ended);
		p->ended = NULL;
	} else if (strcmp(text, "closed") == 0) {
		if (!dialogue_wants_close(&p->dialogue))
			fail(p, "the connection is to stay");
	} else {
		fail(p, "unknown directive, or too late: %s", text);
	}
}

static void do_line(struct replay *p, struct buf *line)
{
	static const char *const kinds[] = { ">>", "<<", ">", "<", "%" };
	const char *kind = NULL;
	for (size_t i = 0; !kind && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i]);
		if (strncmp(line->data, kinds[i], n) == 0 &&
		    (line->len == n || line->data[n] == ' '))
			kind = kinds[i];
	}
	if (!kind)
		fail(p, "what is this line?");
	buf_drop(line, line->len > strlen(kind) ? strlen(kind) + 1 : strlen(kind));
	unescape(p, line);
	if (strcmp(kind, ">") == 0) {
		send_packet(p, line);
	} else if (strcmp(kind, "<") == 0) {
		expect_packet(p, line);
	} else if (strcmp(kind, ">>") == 0) {
		p->raw = true;
		send_bytes(p, line->data, line->len);
	} else if (strcmp(kind, "<<") == 0) {
		expect_bytes(p, line);
	} else {
		directive(p, line->data);
	}
}

/* Reads one line with its continuations, without comments; false at the end of the file. */
static bool read_line(struct replay *p, FILE *file, struct buf *line)
{
	static char text[1 << 16];
	int next;
	buf_reset(line);
	do {
		if (!fgets(text, sizeof(text), file))
			return line->len > 0;
		p->line++;
		text[strcspn(text, "\n")] = 0;
		if (text[0] != '#')
			buf_addstr(line, text + (text[0] == '\t'));
		next = getc(file);
		ungetc(next, file);
	} while (!line->len || next == '\t');
	return true;
}

static void replay_file(const char *name)
{
	struct replay p = { .file = name, .out = BUF_INIT };
	struct buf line = BUF_INIT;
	FILE *file = fopen(name, "r");
	if (!file) {
		perror(name);
		exit(1);
	}
	fake_init(&p.fake, 3);
	while (read_line(&p, file, &line))
		do_line(&p, &line);
	if (p.out.len)
		fail(&p, "at the end, the server sent: %s", show(p.out.data, p.out.len));
	fclose(file);
	buf_free(&line);
	buf_free(&p.out);
	dialogue_close(&p.dialogue);
	if (p.ended)
		fail(&p, "the session ended: %s", p.ended);
	if (p.has_others && p.shared)
		fake_others_free(&p.others);
	rsp_shared_free(p.shared);
	if (p.log) {
		stderr = p.stderr_of_process;
		fclose(p.log);
		free(p.said);
	}
	if (p.fake.files)
		fail(&p, "%d files were left open", p.fake.files);
	fake_free(&p.fake);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay_file(argv[i]);
	return 0;
}
