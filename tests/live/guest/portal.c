// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * portal TTY: many conversations over one serial line, for a machine without a network. The other
 * end, portal.py, opens channels: each is a shell command's output, or a connection to a socket of
 * this machine. A frame is channel, kind, length (2 bytes, little endian) and that many bytes:
 *
 *   to here    x COMMAND      run it by sh(1); its output comes as d, its exit status as e
 *              c PATH|PORT    connect to a Unix socket, or to a port of the loopback address
 *              d BYTES        for the connection
 *              e              close the connection; an e answers, unless one has come already
 *   from here  r              ready, once, on channel 0
 *              d BYTES        output
 *              e STATUS       the end of it, in decimal
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CHANNELS = 64, FRAME_MAX = 4096, HEADER = 4 };

struct channel {
	bool open;
	int fd;	   /* a command's output, or the connection */
	pid_t pid; /* of the command; 0: a connection */
};

static int tty;
static struct channel channels[CHANNELS];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const void *data, size_t len)
{
	for (const char *at = data; len;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* the other end is gone; the next read says so */
		at += n;
		len -= (size_t)n;
	}
}

static void read_all(void *out, size_t len)
{
	for (char *at = out; len;) {
		ssize_t n = read(tty, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the serial line");
		at += n;
		len -= (size_t)n;
	}
}

static void send_frame(unsigned channel, char kind, const void *data, size_t len)
{
	unsigned char frame[HEADER + FRAME_MAX] = {
		(unsigned char)channel,
		(unsigned char)kind,
		(unsigned char)len,
		(unsigned char)(len >> 8),
	};
	memcpy(frame + HEADER, data, len);
	write_all(tty, frame, HEADER + len);
}

static void send_end(unsigned channel, int status)
{
	char text[16];
	send_frame(channel, 'e', text, (size_t)snprintf(text, sizeof(text), "%d", status));
}

static void start_command(struct channel *c, const char *command)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	c->pid = fork();
	if (c->pid < 0)
		die("fork");
	if (!c->pid) {
		int null = open("/dev/null", O_RDONLY);
		dup2(null, 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	c->fd = ends[0];
	c->open = true;
}

static int connect_to(const char *where)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct sockaddr_in port = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int fd, failed;
	if (*where == '/') {
		memcpy(path.sun_path, where, strnlen(where, sizeof(path.sun_path) - 1));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		failed = connect(fd, (struct sockaddr *)&path, sizeof(path));
	} else {
		port.sin_port = htons((uint16_t)atoi(where));
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		failed = connect(fd, (struct sockaddr *)&port, sizeof(port));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	if (!failed)
		return fd;
	failed = errno;
	close(fd);
	errno = failed;
	return -1;
}

static void open_connection(unsigned number, const char *where)
{
	struct channel *c = &channels[number];
	c->fd = connect_to(where);
	if (c->fd < 0) {
		send_end(number, errno);
		return;
	}
	c->pid = 0;
	c->open = true;
}

static void close_channel(struct channel *c)
{
	if (!c->open)
		return;
	close(c->fd);
	c->open = false;
}

static void take_frame(void)
{
	unsigned char header[HEADER];
	char data[FRAME_MAX + 1];
	read_all(header, sizeof(header));
	unsigned number = header[0];
	size_t len = header[2] | (size_t)header[3] << 8;
	if (number >= CHANNELS || len > FRAME_MAX) {
		fprintf(stderr, "portal: a bad frame came\n");
		exit(1);
	}
	read_all(data, len);
	data[len] = 0;
	struct channel *c = &channels[number];
	if (header[1] == 'x')
		start_command(c, data);
	else if (header[1] == 'c')
		open_connection(number, data);
	else if (header[1] == 'd' && c->open && !c->pid)
		write_all(c->fd, data, len);
	else if (header[1] == 'e' && c->open) {
		close_channel(c);
		send_end(number, 0);
	}
}

static void take_output(unsigned number)
{
	struct channel *c = &channels[number];
	char data[FRAME_MAX];
	ssize_t n = read(c->fd, data, sizeof(data));
	if (n > 0) {
		send_frame(number, 'd', data, (size_t)n);
		return;
	}
	if (n < 0 && errno == EINTR)
		return;
	int status = 0;
	if (c->pid && waitpid(c->pid, &status, 0) == c->pid)
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	close_channel(c);
	send_end(number, status);
}

static void open_line(const char *path)
{
	struct termios line;
	tty = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0 || tcgetattr(tty, &line))
		die(path);
	cfmakeraw(&line);
	cfsetspeed(&line, B115200);
	line.c_cflag |= CLOCAL;
	if (tcsetattr(tty, TCSANOW, &line))
		die(path);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: portal TTY\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	open_line(argv[1]);
	send_frame(0, 'r', "", 0);
	for (;;) {
		struct pollfd polled[1 + CHANNELS];
		unsigned numbers[1 + CHANNELS];
		nfds_t count = 0;
		polled[count++] = (struct pollfd){ .fd = tty, .events = POLLIN };
		for (unsigned i = 0; i < CHANNELS; i++) {
			if (!channels[i].open)
				continue;
			numbers[count] = i;
			polled[count++] = (struct pollfd){ .fd = channels[i].fd, .events = POLLIN };
		}
		if (poll(polled, count, -1) < 0)
			continue;
		for (nfds_t i = 1; i < count; i++)
			if (polled[i].revents)
				take_output(numbers[i]);
		if (polled[0].revents)
			take_frame();
	}
}
