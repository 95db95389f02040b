/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's machine protocol (QEMU, docs/interop/qmp-spec.rst): one command at a time, with the events
 * that come in between. Nothing waits longer than QMP_WAIT_MS for the peer, and what it sends is
 * bounded. A command that was not answered in time is owed: as long as its answer is not there,
 * further ones fail at once.
 */
#ifndef VMCORE_LIVE_QMP_H
#define VMCORE_LIVE_QMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct json_object; /* of json-c */
struct qmp;

enum { QMP_WAIT_MS = 5000 };

/* What events tell, as bits. */
enum qmp_news {
	QMP_NEWS_STATE = 1 << 0,  /* the CPUs were stopped or set going */
	QMP_NEWS_RESET = 1 << 1,  /* the machine begins anew */
	QMP_NEWS_MEMORY = 1 << 2, /* memory was plugged in or out */
	QMP_NEWS_OTHER = 1 << 3,
	QMP_NEWS_GONE = 1 << 4, /* the connection is over */
};

/* Connects to the socket @path, and is ready for commands. ERR_IO; ERR_FORMAT for what is no QMP.
 */
__attribute__((warn_unused_result)) struct err *qmp_open(const char *path, struct qmp **ret);
void qmp_close(struct qmp *q);

/* "7.2.22", as the greeting said; empty if it did not. */
const char *qmp_version(const struct qmp *q);
/* The process that listens on the socket; 0 if it cannot be told. */
pid_t qmp_peer(const struct qmp *q);

/*
 * Runs the command @name. @arguments (a JSON object, or NULL) is taken over, in failure too. @fd
 * goes with it if it is not -1. *ret is what it returned, to be given back with json_object_put();
 * ret may be NULL. ERR_IO.
 */
__attribute__((warn_unused_result)) struct err *qmp_command(struct qmp *q, const char *name,
							    struct json_object *arguments, int fd,
							    struct json_object **ret);

/* For arguments: sets the member @key, in an object that is made if *@object is NULL. */
void qmp_put_string(struct json_object **object, const char *key, const char *value);
void qmp_put_number(struct json_object **object, const char *key, uint64_t value);

/* The member @key of @object, borrowed; NULL if there is none, or @object is no object. */
struct json_object *qmp_member(struct json_object *object, const char *key);
/* The same, for a member that is a string; NULL for others. */
const char *qmp_member_string(struct json_object *object, const char *key);

/* Runs @line in the human monitor. *ret_text is what it printed, owned by the caller. */
__attribute__((warn_unused_result)) struct err *qmp_monitor(struct qmp *q, const char *line,
							    char **ret_text);

/*
 * What the events that are there have told since the last time, without waiting (bits of enum
 * qmp_news). ERR_IO when the connection is gone.
 */
__attribute__((warn_unused_result)) struct err *qmp_take_news(struct qmp *q, unsigned *ret_news);
/* The same, and they stay; with QMP_NEWS_GONE. */
unsigned qmp_peek_news(struct qmp *q);

#endif
