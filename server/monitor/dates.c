// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/dates.h"

#include <time.h>

bool date_format(int64_t date, char out[DATE_SIZE])
{
	time_t seconds = (time_t)date;
	struct tm tm;
	return date > 0 && gmtime_r(&seconds, &tm) &&
	       strftime(out, DATE_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm);
}
