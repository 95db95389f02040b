/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON into a buffer. Commas are the writer's business, not the caller's:
 *
 *	struct json j = JSON_INIT(out);
 *	json_object(&j, NULL);
 *	json_str(&j, "comm", comm);
 *	json_hex(&j, "task", address);		an address is a "0x..." string: JSON numbers are
 *	json_end(&j);				doubles in most readers and lose 64-bit values
 *
 * A key is NULL for the outermost value and inside arrays.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct json {
	struct buf *out; /* borrowed */
	uint64_t arrays; /* bit n: level n is an array */
	unsigned depth;	 /* at most 63 */
	bool need_comma;
};

#define JSON_INIT(buffer)       \
	{                       \
		.out = (buffer) \
	}

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
/* Ends the innermost object or array. */
void json_end(struct json *j);

/* Bytes that are not valid UTF-8 come out as U+FFFD. */
void json_str(struct json *j, const char *key, const char *text);
void json_u64(struct json *j, const char *key, uint64_t number);
void json_bool(struct json *j, const char *key, bool value);
/* "0x..." */
void json_hex(struct json *j, const char *key, uint64_t address);

#endif
