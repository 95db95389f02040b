/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVER_MONITOR_DATES_H
#define SERVER_MONITOR_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a date and its end. */
enum { DATE_SIZE = 64 };

/* Seconds since 1970 as "2026-12-01 11:02:26 UTC"; false when they are unknown (0) or no date. */
bool date_format(int64_t date, char out[DATE_SIZE]);

#endif
