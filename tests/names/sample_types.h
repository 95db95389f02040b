/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of every shape that kernel structures have. The sample files are built from this with
 * several DWARF versions; the test includes it too, so the compiler itself says what is right.
 */
#ifndef TESTS_NAMES_SAMPLE_TYPES_H
#define TESTS_NAMES_SAMPLE_TYPES_H

typedef struct {
	int counter;
} sample_atomic_t;

enum sample_state { STATE_IDLE, STATE_BUSY = 200, STATE_LATE = 70000, STATE_NEGATIVE = -3 };
enum { SAMPLE_ANONYMOUS_CONSTANT = 77 };

struct sample_list {
	struct sample_list *next, *prev;
};

struct sample_never_defined;

union sample_either {
	unsigned long whole;
	struct {
		unsigned int low, high;
	};
};

/* The older bit-field encodings of DWARF differ most where fields cross bytes. */
struct sample_bits {
	unsigned int before;
	unsigned int one : 1;
	unsigned int four : 4;
	unsigned int across : 13;
	int negative : 5;
	unsigned int : 0;
	unsigned long wide : 40;
	unsigned char byte : 7;
} __attribute__((packed));

struct sample_unpacked_bits {
	unsigned char a : 3;
	unsigned char b : 5;
	unsigned short c : 11;
	unsigned int d : 20;
	_Bool e : 1;
	int after;
};

struct sample_inner {
	short a;
	char b[6];
	const volatile struct sample_list *list;
};

struct sample_outer {
	char first;
	struct sample_inner inner;
	union {
		union sample_either either;
		struct {
			void *pointer;
			struct {
				unsigned char deep;
				unsigned short deeper;
			};
		};
		long number;
	};
	const struct sample_inner mem[3];
	int table[4][5];
	struct sample_inner *pointers[2];
	sample_atomic_t users;
	sample_atomic_t *users_pointer;
	struct sample_never_defined *opaque;
	enum sample_state state;
	int (*call)(int, struct sample_inner *);
	struct sample_bits bits;
	struct sample_unpacked_bits more_bits;
	signed char small;
	double real;
	struct {
		int named_member;
	} unnamed_type;
	unsigned char big[256];
	int none[0];
	struct sample_list tail[];
};

#endif
