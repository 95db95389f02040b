// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"

enum { GROUPS_MAX = 1024 };

/* sudo(8) tells root's programs who they are for; to others the variable is only what they say. */
static bool sudo_user(uid_t *ret)
{
	const char *text = getenv("SUDO_UID");
	uint64_t uid;
	if (getuid() != 0 || !text || !number_parse(text, false, &uid) || uid >= UINT32_MAX)
		return false;
	*ret = (uid_t)uid;
	return true;
}

uid_t peers_owner(void)
{
	uid_t uid;
	return sudo_user(&uid) ? uid : geteuid();
}

struct err *peers_open(bool any, const char *group, struct peers *ret)
{
	struct peers p = { .any = any, .diagnosis = -1, .lists = { -1, -1 } };
	if (group) {
		const struct group *entry = getgrnam(group);
		if (!entry)
			return err_new(ERR_NOTFOUND, "--group: there is no group '%s'", group);
		p.has_group = true;
		p.group = entry->gr_gid;
	}
	p.uids[p.count++] = 0;
	p.uids[p.count++] = getuid();
	if (sudo_user(&p.uids[p.count]))
		p.count++;
	p.diagnosis = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	p.lists[0] = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
	p.lists[1] = open("/proc/net/tcp6", O_RDONLY | O_CLOEXEC);
	/* The kernel answers at once; nothing must hang on it. */
	const struct timeval most = { .tv_sec = 1 };
	if (p.diagnosis >= 0)
		setsockopt(p.diagnosis, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	*ret = p;
	return NULL;
}

void peers_close(struct peers *p)
{
	if (p->diagnosis >= 0)
		close(p->diagnosis);
	p->diagnosis = -1;
	for (int i = 0; i < 2; i++) {
		if (p->lists[i] >= 0)
			close(p->lists[i]);
		p->lists[i] = -1;
	}
}

struct err *folder_check(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return NULL;
	if (!S_ISDIR(st.st_mode))
		return err_new(ERR_INVALID, "%s is no folder", path);
	if (st.st_uid != geteuid() && st.st_uid != peers_owner() && st.st_uid != 0)
		return err_new(ERR_INVALID,
			       "the folder %s belongs to user %u, who could put other files there: "
			       "name one of your own",
			       path, (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_new(
			ERR_INVALID,
			"others can write to the folder %s, and put other files there: chmod "
			"go-w, or name one of your own",
			path);
	return NULL;
}

/* ---- TCP ---- */

struct end {
	uint32_t address[4]; /* as inet_diag has them: IPv4 in the first */
	uint16_t port;	     /* in network order */
	int family;
};

/* IPv4 within IPv6 is IPv4: that is what the client's socket may be. */
static bool take_end(const struct sockaddr_storage *name, struct end *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	*ret = (struct end){ .family = name->ss_family };
	if (name->ss_family == AF_INET) {
		memcpy(&in, name, sizeof(in));
		ret->address[0] = in.sin_addr.s_addr;
		ret->port = in.sin_port;
		return true;
	}
	if (name->ss_family != AF_INET6)
		return false;
	memcpy(&in6, name, sizeof(in6));
	ret->port = in6.sin6_port;
	memcpy(ret->address, &in6.sin6_addr, sizeof(ret->address));
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		ret->family = AF_INET;
		ret->address[0] = ret->address[3];
		ret->address[1] = ret->address[2] = ret->address[3] = 0;
	}
	return true;
}

static bool same_machine(const struct end *peer, const struct end *own)
{
	if (peer->family == AF_INET && ntohl(peer->address[0]) >> 24 == IN_LOOPBACKNET)
		return true;
	if (peer->family == AF_INET6 && !peer->address[0] && !peer->address[1] &&
	    !peer->address[2] && peer->address[3] == htonl(1))
		return true;
	/* By one of the machine's other addresses. */
	return peer->family == own->family &&
	       !memcmp(peer->address, own->address, sizeof(peer->address));
}

static bool send_question(int fd, int family, const struct end *peer, const struct end *own)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 r;
	} question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.r = { .sdiag_family = (uint8_t)family,
		       .sdiag_protocol = IPPROTO_TCP,
		       .idiag_states = ~0U,
		       .id = { .idiag_sport = peer->port,
			       .idiag_dport = own->port,
			       .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	uint32_t source[4], target[4];
	memcpy(source, peer->address, sizeof(source));
	memcpy(target, own->address, sizeof(target));
	if (family == AF_INET6 && peer->family == AF_INET) {
		const uint32_t mapped[2][4] = { { 0, 0, htonl(0xffff), peer->address[0] },
						{ 0, 0, htonl(0xffff), own->address[0] } };
		memcpy(source, mapped[0], sizeof(source));
		memcpy(target, mapped[1], sizeof(target));
	}
	memcpy(question.r.id.idiag_src, source, sizeof(source));
	memcpy(question.r.id.idiag_dst, target, sizeof(target));
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	return sendto(fd, &question, sizeof(question), 0, (const struct sockaddr *)&kernel,
		      sizeof(kernel)) == (ssize_t)sizeof(question);
}

/* A socket that is closed already has no owner any more, and would pass for root's: it has no inode
 * either. */
static bool read_answer(int fd, uid_t *ret)
{
	union {
		struct nlmsghdr header;
		char bytes[4096];
	} answer;
	struct inet_diag_msg m;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(m)) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	memcpy(&m, NLMSG_DATA(&answer.header), sizeof(m));
	if (!m.idiag_inode)
		return false;
	*ret = m.idiag_uid;
	return true;
}

/* As /proc/net/tcp has an end of a connection (proc_pid_net(5)): words as they lie in memory. */
static void write_end(const struct end *end, bool six, char *out, size_t size)
{
	const uint32_t *a = end->address;
	unsigned port = ntohs(end->port);
	if (!six)
		snprintf(out, size, "%08X:%04X", a[0], port);
	else if (end->family == AF_INET)
		snprintf(out, size, "%08X%08X%08X%08X:%04X", 0u, 0u, htonl(0xffff), a[0], port);
	else
		snprintf(out, size, "%08X%08X%08X%08X:%04X", a[0], a[1], a[2], a[3], port);
}

/* The list @fd is made anew whenever it is read from its beginning. */
static bool find_in_list(int fd, bool six, const struct end *peer, const struct end *own,
			 uid_t *ret)
{
	char from[48], to[48], line[256], a[48], b[48];
	unsigned uid;
	unsigned long inode;
	bool found = false;
	int copy = fd < 0 ? -1 : dup(fd);
	FILE *list = copy < 0 ? NULL : fdopen(copy, "r");
	if (!list)
		return false;
	rewind(list);
	write_end(peer, six, from, sizeof(from));
	write_end(own, six, to, sizeof(to));
	while (!found && fgets(line, sizeof(line), list))
		found = sscanf(line, " %*d: %47s %47s %*x %*x:%*x %*x:%*x %*x %u %*d %lu", a, b,
			       &uid, &inode) == 4 &&
			inode && !strcmp(a, from) && !strcmp(b, to);
	fclose(list);
	if (found)
		*ret = (uid_t)uid;
	return found;
}

/* Whose the socket at the other end is, which is on this machine. */
static bool find_uid(const struct peers *p, const struct end *peer, const struct end *own,
		     uid_t *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (size_t i = 0; p->diagnosis >= 0 && i < 2; i++)
		if ((i || peer->family == AF_INET) &&
		    send_question(p->diagnosis, families[i], peer, own) &&
		    read_answer(p->diagnosis, ret))
			return true;
	for (size_t i = 0; i < 2; i++)
		if ((i || peer->family == AF_INET) && find_in_list(p->lists[i], i, peer, own, ret))
			return true;
	return false;
}

/* ---- who it is ---- */

static bool is_known(const struct peers *p, uid_t uid)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->uids[i] == uid)
			return true;
	return false;
}

static bool is_in_group(const struct peers *p, int fd, gid_t first)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	if (!p->has_group)
		return false;
	if (first == p->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == p->group)
			return true;
	return false;
}

static bool refuse(uid_t uid, const char *option, struct buf *why)
{
	buf_addf(
		why,
		"user %u may not connect: this server is for who started it and for root; start it "
		"with %s to let others in",
		(unsigned)uid, option);
	return false;
}

static bool unix_uid(int fd, struct ucred *ret)
{
	socklen_t len = sizeof(*ret);
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len);
}

bool peer_uid(const struct peers *p, int fd, uid_t *ret)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct ucred who;
	struct end peer, own;
	if (getpeername(fd, (struct sockaddr *)&name, &len))
		return false;
	if (name.ss_family == AF_UNIX) {
		bool known = unix_uid(fd, &who);
		if (known)
			*ret = who.uid;
		return known;
	}
	bool good = take_end(&name, &peer);
	len = sizeof(name);
	good = good && !getsockname(fd, (struct sockaddr *)&name, &len) && take_end(&name, &own);
	return good && same_machine(&peer, &own) && find_uid(p, &peer, &own, ret);
}

static bool unix_may_come(const struct peers *p, int fd, struct buf *why)
{
	struct ucred who;
	if (!unix_uid(fd, &who)) {
		buf_addstr(why, "the system does not say whose connection it is");
		return false;
	}
	return is_known(p, who.uid) || is_in_group(p, fd, who.gid) ||
	       refuse(who.uid, "--group NAME or --any-user", why);
}

bool peer_may_come(const struct peers *p, int fd, struct buf *why)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct end peer, own;
	uid_t uid;
	if (p->any)
		return true;
	if (getpeername(fd, (struct sockaddr *)&name, &len)) {
		buf_addstr(why, "the client has gone");
		return false;
	}
	if (name.ss_family == AF_UNIX)
		return unix_may_come(p, fd, why);
	bool good = take_end(&name, &peer);
	len = sizeof(name);
	good = good && !getsockname(fd, (struct sockaddr *)&name, &len) && take_end(&name, &own);
	if (good && !same_machine(&peer, &own))
		return true;
	if (good && find_uid(p, &peer, &own, &uid))
		return is_known(p, uid) || refuse(uid, "--any-user", why);
	buf_addstr(why, "the system does not say whose connection it is; start the server with "
			"--any-user to let everybody on this machine in, or listen at unix:PATH");
	return false;
}
