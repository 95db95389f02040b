// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/slow_reads.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fiber.h"
#include "base/log.h"
#include "vmcore/dump/reading.h"

enum {
	/* Reads that are under way at once; more wait for their turn, in order. */
	THREADS_MAX = 16,
	THREAD_STACK = 128 << 10,
	/* How long those that have what they waited for may work before sockets are looked at. */
	GO_ON_NS = 2 * 1000 * 1000,
	/* Of files whose system cannot tell: so many quick reads one after the other, and no slow
	 * one for a minute, and they are taken for quick. */
	QUICK_NS = 1000 * 1000,
	QUICK_READS = 64,
};

#define SLOW_FOR_NS INT64_C(60000000000)

/* A read, on the stack of who waits for it, or work that nobody waits for, owned. */
struct job {
	void (*work)(void *closure); /* NULL: it is a read */
	void *closure;
	int fd;
	void *out;
	size_t len;
	uint64_t offset;
	ssize_t result;
	int error; /* errno's value if that is -1 */
	struct fiber *who;
	struct job *next;
};

struct jobs {
	struct job *first, *last;
};

struct slow_reads {
	struct ev_loop *loop; /* borrowed */
	struct reading reading;
	struct fibers *fibers; /* owned */
	struct fiber_turn turn;
	ev_async finished;
	ev_prepare goes_on;
	ev_timer again;	 /* of 0 seconds: there is more to do */
	int64_t slow_at; /* when a read was slow, of files whose system cannot tell; 0: never */
	unsigned quick;	 /* reads since */
	bool failing;	 /* reads are not made any more */
	unsigned processors;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t asked, answered;
	struct jobs to_do, done;
	unsigned to_do_count;
	pthread_t threads[THREADS_MAX];
	unsigned thread_count, idle;
	bool ending;
};

static void append(struct jobs *list, struct job *job)
{
	job->next = NULL;
	if (list->first)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

static struct job *take(struct jobs *list)
{
	struct job *job = list->first;
	if (job)
		list->first = job->next;
	return job;
}

/* ---- threads ---- */

static void *read_for_others(void *closure)
{
	struct slow_reads *s = closure;
	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		struct job *job = take(&s->to_do);
		if (!job) {
			s->idle++;
			pthread_cond_wait(&s->asked, &s->lock);
			s->idle--;
			continue;
		}
		s->to_do_count--;
		pthread_mutex_unlock(&s->lock);
		if (job->work) {
			job->work(job->closure);
			free(job);
			pthread_mutex_lock(&s->lock);
			continue;
		}
		job->result = pread(job->fd, job->out, job->len, (off_t)job->offset);
		job->error = errno;
		pthread_mutex_lock(&s->lock);
		append(&s->done, job);
		pthread_cond_signal(&s->answered);
		ev_async_send(s->loop, &s->finished);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Signals are the loop's, but for those that a thread gets for what it does itself. */
static int start_thread(struct slow_reads *s, pthread_t *ret)
{
	sigset_t none, before;
	pthread_attr_t how;
	sigfillset(&none);
	sigdelset(&none, SIGSYS);
	sigdelset(&none, SIGBUS);
	sigdelset(&none, SIGSEGV);
	int failed = pthread_attr_init(&how);
	if (failed)
		return failed;
	failed = pthread_attr_setstacksize(&how, THREAD_STACK);
	pthread_sigmask(SIG_BLOCK, &none, &before);
	if (!failed)
		failed = pthread_create(ret, &how, read_for_others, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&how);
	return failed;
}

/* With the lock. Those that are there have to do if there can be no more. */
static void want_threads(struct slow_reads *s)
{
	if (s->idle > s->to_do_count || s->thread_count == THREADS_MAX)
		return;
	int failed = start_thread(s, &s->threads[s->thread_count]);
	if (!failed)
		s->thread_count++;
	else
		log_debug(LOG_DUMP, "there are %u threads to read and no more: %s", s->thread_count,
			  strerror(failed));
}

/* ---- reading ---- */

/* False: there are no threads. */
static bool give_to_thread(struct slow_reads *s, struct job *job)
{
	pthread_mutex_lock(&s->lock);
	want_threads(s);
	bool possible = s->thread_count;
	if (possible) {
		append(&s->to_do, job);
		s->to_do_count++;
		pthread_cond_signal(&s->asked);
	}
	pthread_mutex_unlock(&s->lock);
	return possible;
}

static ssize_t read_elsewhere(struct slow_reads *s, struct job *job)
{
	if (!give_to_thread(s, job))
		return pread(job->fd, job->out, job->len, (off_t)job->offset);
	fiber_wait(s->fibers);
	errno = job->error;
	return job->result;
}

/* Of a file whose system does not say whether it would have to wait. */
static ssize_t read_by_habit(struct slow_reads *s, struct job *job)
{
	int64_t before = clock_ns();
	bool quick = s->quick >= QUICK_READS && (!s->slow_at || before - s->slow_at > SLOW_FOR_NS);
	ssize_t n = quick ? pread(job->fd, job->out, job->len, (off_t)job->offset)
			  : read_elsewhere(s, job);
	int64_t after = clock_ns();
	if (after - before > QUICK_NS) {
		s->slow_at = after;
		s->quick = 0;
	} else {
		s->quick++;
	}
	return n;
}

static ssize_t read_file(void *self, int fd, void *out, size_t len, uint64_t offset)
{
	struct slow_reads *s = self;
	struct job job = { .fd = fd, .out = out, .len = len, .offset = offset };
	struct iovec to = { out, len };
	if (s->failing) {
		errno = EIO;
		return -1;
	}
	job.who = fibers_current(s->fibers);
	if (!job.who)
		return pread(fd, out, len, (off_t)offset);
	ssize_t n = preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT);
	/* Kernels have been seen to say 0 for what is not in memory. */
	if (n > 0)
		return n;
	if (n == 0 || errno == EAGAIN)
		return read_elsewhere(s, &job);
	if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)
		return read_by_habit(s, &job);
	return -1;
}

/* Only where it runs beside this one. */
static bool start_work(void *self, void (*work)(void *closure), void *closure)
{
	struct slow_reads *s = self;
	if (s->failing || s->processors < 2)
		return false;
	struct job *job = malloc(sizeof(*job));
	if (!job)
		return false;
	*job = (struct job){ .work = work, .closure = closure };
	bool given = give_to_thread(s, job);
	if (!given)
		free(job);
	return given;
}

/* ---- the loop's side ---- */

/* With the lock. */
static void wake_answered(struct slow_reads *s)
{
	struct job *job;
	while ((job = take(&s->done)))
		fiber_wake(s->fibers, job->who);
}

static void on_finished(struct ev_loop *loop, ev_async *w, int events)
{
	struct slow_reads *s = w->data;
	(void)loop;
	(void)events;
	pthread_mutex_lock(&s->lock);
	wake_answered(s);
	pthread_mutex_unlock(&s->lock);
}

/* That the loop turns is all that is wanted. */
static void on_again(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

/* Before it waits. */
static void on_goes_on(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct slow_reads *s = w->data;
	(void)events;
	if (!fibers_have_woken(s->fibers))
		return;
	int64_t begin = clock_ns();
	while (fibers_run(s->fibers) && clock_ns() - begin < GO_ON_NS)
		;
	if (fibers_have_woken(s->fibers))
		ev_timer_start(loop, &s->again);
}

struct err *slow_reads_new(struct ev_loop *loop, struct slow_reads **ret)
{
	struct slow_reads *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	struct err *e = fibers_new(&s->fibers);
	if (e) {
		free(s);
		return e;
	}
	s->loop = loop;
	s->reading = (struct reading){ .self = s, .read = read_file, .start = start_work };
	cpu_set_t own;
	s->processors = sched_getaffinity(0, sizeof(own), &own) ? 1 : (unsigned)CPU_COUNT(&own);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->asked, NULL);
	pthread_cond_init(&s->answered, NULL);
	ev_async_init(&s->finished, on_finished);
	ev_prepare_init(&s->goes_on, on_goes_on);
	ev_timer_init(&s->again, on_again, 0., 0.);
	s->finished.data = s->goes_on.data = s;
	ev_async_start(loop, &s->finished);
	ev_prepare_start(loop, &s->goes_on);
	*ret = s;
	return NULL;
}

void slow_reads_end(struct slow_reads *s)
{
	s->failing = true;
	while (fibers_alive(s->fibers)) {
		if (fibers_run(s->fibers))
			continue;
		pthread_mutex_lock(&s->lock);
		while (!s->done.first)
			pthread_cond_wait(&s->answered, &s->lock);
		wake_answered(s);
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->asked);
	pthread_mutex_unlock(&s->lock);
	while (s->thread_count)
		pthread_join(s->threads[--s->thread_count], NULL);
	/* Work that no thread has begun. */
	struct job *job;
	while ((job = take(&s->to_do)))
		free(job);
	ev_async_stop(s->loop, &s->finished);
	ev_prepare_stop(s->loop, &s->goes_on);
	ev_timer_stop(s->loop, &s->again);
}

void slow_reads_free(struct slow_reads *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->answered);
	pthread_cond_destroy(&s->asked);
	pthread_mutex_destroy(&s->lock);
	fibers_free(s->fibers);
	free(s);
}

const struct reading *slow_reads_reading(const struct slow_reads *s)
{
	return &s->reading;
}

struct err *slow_reads_serve(struct slow_reads *s, void (*work)(void *closure), void *closure,
			     bool *ret_waits)
{
	return fiber_start(s->fibers, work, closure, ret_waits);
}

void slow_reads_take_turn(void *self)
{
	struct slow_reads *s = self;
	fiber_turn_take(s->fibers, &s->turn);
}

void slow_reads_leave_turn(void *self)
{
	struct slow_reads *s = self;
	fiber_turn_leave(s->fibers, &s->turn);
}

bool slow_reads_turn_taken(void *self)
{
	return ((struct slow_reads *)self)->turn.holder;
}
