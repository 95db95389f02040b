// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/identify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/dump/file.h"

enum { HEAD = 1024 };

static const char unpack[] = "unpack it, and give the file that is in it";
static const char recapture[] = "take the dump with virsh dump --memory-only or with "
				"dump-guest-memory";
static const char use_kdump[] = "this format is not served";

/* Files that people give by mistake. */
static const struct stranger {
	unsigned offset;
	unsigned len;
	const char *magic;
	enum err_code code;
	const char *what;
	const char *advice;
} strangers[] = {
	{ 0, 2, "\x1f\x8b", ERR_FORMAT, "a file compressed with gzip", unpack },
	{ 0, 6, "\xfd\x37zXZ\0", ERR_FORMAT, "a file compressed with xz", unpack },
	{ 0, 4, "\x28\xb5\x2f\xfd", ERR_FORMAT, "a file compressed with zstd", unpack },
	{ 0, 3, "BZh", ERR_FORMAT, "a file compressed with bzip2", unpack },
	{ 0, 4, "\x04\x22\x4d\x18", ERR_FORMAT, "a file compressed with lz4", unpack },
	{ 0, 4, "\x89LZO", ERR_FORMAT, "a file compressed with lzop", unpack },
	{ 0, 4, "PK\3\4", ERR_FORMAT, "a zip archive", unpack },
	{ 0, 6, "7z\xbc\xaf\x27\x1c", ERR_FORMAT, "a 7z archive", unpack },
	{ 257, 5, "ustar", ERR_FORMAT, "a tar archive", unpack },
	{ 0, 4, "QFI\xfb", ERR_FORMAT, "a qcow2 disk image", recapture },
	{ 0, 4, "KDMV", ERR_FORMAT, "a VMDK disk image", recapture },
	{ 0, 4, "QEVM", ERR_UNSUPPORTED, "a QEMU machine state (savevm or migration)", recapture },
	{ 0, 16, "LibvirtQemudSave", ERR_UNSUPPORTED, "a libvirt save file", recapture },
	{ 0, 16, "LibvirtQemudPart", ERR_UNSUPPORTED, "an unfinished libvirt save file",
	  recapture },
	{ 0, 15, "LinuxGuestRecor", ERR_UNSUPPORTED, "a Xen save file", use_kdump },
	{ 0, 4, "\xed\xeb\x0f\xf0", ERR_UNSUPPORTED, "an old Xen core file", use_kdump },
	{ 0, 4, "\xd1\xba\xd1\xba", ERR_UNSUPPORTED, "a VMware machine state",
	  "convert it with vmss2core" },
	{ 0, 4, "\xd2\xbe\xd2\xbe", ERR_UNSUPPORTED, "a VMware machine state",
	  "convert it with vmss2core" },
	{ 0, 8, "\xed\x23\x8f\x61\x73\x01\x19\xa8", ERR_UNSUPPORTED, "an LKCD dump", use_kdump },
	{ 0, 8, "\xa8\x19\x01\x73\x61\x8f\x23\xed", ERR_UNSUPPORTED, "an LKCD dump", use_kdump },
	{ 0, 8, "\xa8\x19\x01\x73\x61\x8f\x23\xfd", ERR_UNSUPPORTED,
	  "a stand-alone dump of an s390x machine", "only x86-64 dumps are served" },
	{ 0, 4, "sadu", ERR_UNSUPPORTED, "a stand-alone dump (sadump)",
	  "make a kdump file of it with makedumpfile" },
	{ 0, 4, "AVML", ERR_UNSUPPORTED, "compressed memory as AVML writes it",
	  "make a LiME file of it with avml-convert" },
	{ 0, 8, "PAGEDU64", ERR_UNSUPPORTED, "a dump of a Windows machine",
	  "only dumps of Linux are served" },
	{ 0, 8, "PAGEDUMP", ERR_UNSUPPORTED, "a dump of a Windows machine",
	  "only dumps of Linux are served" },
	{ 0x202, 4, "HdrS", ERR_FORMAT, "a kernel image to boot (bzImage)",
	  "a dump is what was copied from /proc/vmcore, or written by makedumpfile or QEMU" },
	{ 0, 0, NULL, ERR_FORMAT, NULL, NULL },
};

static bool has(const uint8_t *head, size_t len, size_t offset, const void *magic, size_t magic_len)
{
	return offset + magic_len <= len && memcmp(head + offset, magic, magic_len) == 0;
}

static bool all_in(const uint8_t *bytes, size_t len, bool (*accept)(uint8_t))
{
	for (size_t i = 0; i < len; i++) {
		if (!accept(bytes[i]))
			return false;
	}
	return true;
}

static bool is_text(uint8_t c)
{
	return (c >= ' ' && c != 0x7f) || (c >= '\t' && c <= '\r') || c == 0x1b;
}

static bool is_zero(uint8_t c)
{
	return c == 0;
}

static struct err *not_a_dump(const uint8_t *head, size_t len)
{
	for (const struct stranger *s = strangers; s->magic; s++) {
		if (has(head, len, s->offset, s->magic, s->len))
			return err_new(s->code, "it is not a dump but %s: %s", s->what, s->advice);
	}
	if (all_in(head, len, is_zero))
		return err_new(ERR_FORMAT, "it is not a dump: it starts with zeros, as one does "
					   "that was never finished, or a raw image of memory, "
					   "which is not served");
	if (all_in(head, len, is_text))
		return err_new(ERR_FORMAT, "it is not a dump but text");
	return err_new(ERR_FORMAT,
		       "it is not a dump that is known here: neither an ELF core file nor a "
		       "kdump-compressed file, nor one of LiME's. A raw image of memory does not "
		       "say which addresses it has, and is not served");
}

struct err *dump_identify(const struct dump_file *f, enum dump_kind *ret)
{
	static const char flattened[16] = "makedumpfile";
	uint8_t head[HEAD];
	size_t len;
	struct err *e = dump_file_read_part(f, 0, head, sizeof(head), &len);
	if (e)
		return e;
	if (has(head, len, 0, "\177ELF", 4))
		*ret = DUMP_ELF;
	else if (has(head, len, 0, "KDUMP   ", 8) || has(head, len, 0, "DISKDUMP", 8))
		*ret = DUMP_KDUMP;
	else if (has(head, len, 0, "EMiL", 4))
		*ret = DUMP_LIME;
	else if (has(head, len, 0, flattened, sizeof(flattened)))
		*ret = DUMP_FLATTENED;
	else
		e = not_a_dump(head, len);
	return e;
}
