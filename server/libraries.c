// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/libraries.h"

#include <inttypes.h>

#include "base/buf.h"
#include "server/host.h"
#include "server/image/entry_frames.h"
#include "server/kernel/orc_tables.h"
#include "server/kernel/unwind_source.h"
#include "server/made_image.h"

void libraries_describe(const struct host *host, struct buf *out)
{
	buf_addstr(out, "<library-list version=\"1.0\">\n");
	/* The last one: gdb takes the first frames that it finds. Made of ORC, which older kernels
	 * do not have. */
	if (host->extra_cfi && orc_tables_count(unwinder_orc(host->unwinder), NULL))
		buf_addf(out,
			 "<library name=\"%s\"><section address=\"0x%" PRIx64 "\"/></library>\n",
			 made_entry_frames_name, ENTRY_FRAMES_ADDRESS);
	buf_addstr(out, "</library-list>\n");
}
