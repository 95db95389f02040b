/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors are values that travel up: a function that can fail returns `struct err *`, NULL for
 * success. The message says what was being done, from the outside in, because every level that
 * knows more wraps what it got: "open vmcore: read ELF header: file is truncated at 0x40".
 *
 * Ownership: whoever receives an error owns it, and either returns it (perhaps wrapped), or calls
 * err_free(). Outputs named ret_* are untouched when a function fails.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_code {
	ERR_NOMEM,	 /* allocation failed */
	ERR_IO,		 /* the operating system said no; the message holds its reason */
	ERR_INVALID,	 /* an argument, option or packet makes no sense */
	ERR_FORMAT,	 /* a file or structure is not what it must be */
	ERR_NOTFOUND,	 /* a symbol, type, member, file or thread does not exist */
	ERR_UNSUPPORTED, /* understood, and not something we do */
	/* The four kinds of memory that is not there; see vmcore/memory/memory.h. */
	ERR_EXCLUDED,	/* filtered out when the dump was written */
	ERR_NOTPRESENT, /* the page tables say that nothing is mapped */
	ERR_MISSING,	/* not in the dump: a hole, or cut off */
	ERR_CORRUPT,	/* in the dump, and cannot be decoded */
};

struct err;

#define ERR_MUST_CHECK __attribute__((warn_unused_result))

/* A new error. Never NULL: when memory is out, a static object that says so. */
ERR_MUST_CHECK __attribute__((format(printf, 2, 3))) struct err *err_new(enum err_code code,
									 const char *fmt, ...);

/* A new ERR_IO error that ends in ": " and strerror(errnum). */
ERR_MUST_CHECK __attribute__((format(printf, 2, 3))) struct err *err_errno(int errnum,
									   const char *fmt, ...);

/* The error for a failed allocation; static, need not (but may) be freed. */
ERR_MUST_CHECK struct err *err_nomem(void);

/*
 * Puts "fmt: " in front of the message of @e and keeps its code. Takes @e, returns an error to own;
 * NULL stays NULL, so that `return err_wrap(f(), "...")` works.
 */
ERR_MUST_CHECK __attribute__((format(printf, 2, 3))) struct err *err_wrap(struct err *e,
									  const char *fmt, ...);

/* The whole message, borrowed from @e; never NULL. */
const char *err_msg(const struct err *e);
enum err_code err_code(const struct err *e);

/* The kind of missing memory as a word ("excluded", "not present", ...), or NULL if @code is none.
 */
const char *err_memory_kind(enum err_code code);

/* Frees @e; NULL is allowed. */
void err_free(struct err *e);

#endif
