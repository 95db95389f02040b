/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets on the wire (gdb manual, "Overview" of the remote protocol): a push parser for what a
 * client sends, and the way back. No I/O.
 *
 *	$payload#cs	cs: the sum of the payload's raw bytes modulo 256, two hex digits
 *	}X		in a payload: the byte X ^ 0x20
 *	C*N		in a payload: C, repeated N - 29 times more
 *	+ - 0x03	between packets: acknowledgements, and Ctrl-C
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* PacketSize of qSupported. */
#define FRAME_PACKET_MAX (1u << 20)
/*
 * The largest payload, in and out. gdb asks for half of PacketSize bytes at once, and counts
 * neither the framing nor the letter before the data of an x reply: room for all of it saves a
 * second, tiny read each time.
 */
#define FRAME_PAYLOAD_MAX (FRAME_PACKET_MAX + 1)

enum frame_event {
	FRAME_NONE,	    /* all input used up, no event yet */
	FRAME_PACKET,	    /* frame.payload holds one */
	FRAME_ACK,	    /* + */
	FRAME_NAK,	    /* - : send the last packet again */
	FRAME_INTERRUPT,    /* Ctrl-C */
	FRAME_BAD_CHECKSUM, /* a packet that was damaged on the way */
	FRAME_UNUSABLE,	    /* a packet that came whole, but is oversized or encoded wrongly */
};

struct frame {
	struct buf payload; /* decoded; complete after FRAME_PACKET, until the next call */
	int state;	    /* enum frame_state of frame.c */
	uint8_t sum;	    /* of the raw payload so far */
	char first_digit;   /* of the checksum */
	bool unusable;	    /* the rest of this packet is swallowed */
};

#define FRAME_INIT                   \
	{                            \
		.payload = BUF_INIT, \
	}

void frame_free(struct frame *f);

/* Whether no packet is under way: what has come of the last one was all of it. */
bool frame_is_between(const struct frame *f);

/*
 * Takes bytes of @data up to the first event; *ret_used says how many. Never keeps more than
 * FRAME_PAYLOAD_MAX bytes. When memory is out, the packet becomes FRAME_UNUSABLE.
 */
enum frame_event frame_parse(struct frame *f, const char *data, size_t len, size_t *ret_used);

/* The sum of bytes modulo 256. */
uint8_t frame_sum(const char *data, size_t len);

/* Appends "#cs" for a payload with that sum. */
void frame_end(struct buf *out, uint8_t sum);

/* Appends "#cs" for the payload that starts at @start of @out, behind its "$". */
void frame_close(struct buf *out, size_t start);

/*
 * Appends @data with $ # } and * escaped, as far as it fits in @max bytes of output; returns how
 * many bytes of @data that was. Adds what was appended to the sum.
 */
size_t frame_add_escaped(struct buf *out, const void *data, size_t len, size_t max, uint8_t *sum);

#endif
