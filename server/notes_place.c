// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/notes_place.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/fnv.h"
#include "server/options.h"

struct err *notes_place(const struct options *o, struct buf *ret, mode_t *ret_mode)
{
	struct stat st;
	if (o->notes && !files_is_folder(o->notes))
		return err_new(ERR_INVALID, "--notes: %s is no folder", o->notes);
	if (o->live || !o->dumps.count || files_stat(o->dumps.list[0], &st) || !S_ISREG(st.st_mode))
		return NULL;
	char *path = files_real(o->dumps.list[0]);
	if (!path)
		return NULL;
	*ret_mode = st.st_mode & 0666;
	if (o->notes)
		buf_addf(ret, "%s/%s-%016" PRIx64 ".notes", o->notes, strrchr(path, '/') + 1,
			 fnv_add(FNV_BEGIN, path, strlen(path)));
	else
		buf_addf(ret, "%s.notes", path);
	free(path);
	return buf_error(ret);
}
