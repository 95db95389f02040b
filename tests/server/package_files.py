# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of distributions, made byte by byte: deb(5) and the RPM format, version 4."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile

PACKERS = {"xz": lambda data: lzma.compress(data, preset=0),
           "gz": lambda data: gzip.compress(data, 1),
           "bz2": bz2.compress, "": lambda data: data}


def _ar_member(name, data):
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)


def tar(files):
    """Of (path, bytes), or (path, None, target) for a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, data, *target in files:
            info = tarfile.TarInfo(path)
            if target:
                info.type, info.linkname = tarfile.SYMTYPE, target[0]
            else:
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def deb_of(data, packer="xz"):
    """A .deb around the bytes of a data.tar."""
    end = packer and "." + packer
    return (b"!<arch>\n" + _ar_member("debian-binary", b"2.0\n") +
            _ar_member("control.tar.gz", gzip.compress(tar([("./control", b"Package: one\n")]))) +
            _ar_member("data.tar" + end, PACKERS[packer](data)))


def deb(files, packer="xz"):
    return deb_of(tar([(f"./{path}", *rest) for path, *rest in files]), packer)


def _cpio_entry(path, data, mode):
    name = path.encode() + b"\0"
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def cpio(files):
    """The same in the "new ASCII" format, as the payload of an RPM."""
    entries = [_cpio_entry(path, target[0].encode() if target else data,
                           0o120777 if target else 0o100644) for path, data, *target in files]
    return b"".join(entries) + _cpio_entry("TRAILER!!!", b"", 0)


def _rpm_header(pad):
    # One string: the tag 1000, of type 6, at 0.
    head = (b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, 4) +
            struct.pack(">IIII", 1000, 6, 0, 1) + b"one\0")
    return head + b"\0" * (-len(head) % 8 if pad else 0)


def rpm(files, packer="xz"):
    lead = (b"\xed\xab\xee\xdb\x03\0" + struct.pack(">HH66sHH16x", 0, 1, b"kernel-debuginfo", 1, 5))
    return (lead + _rpm_header(True) + _rpm_header(False) +
            PACKERS[packer](cpio([(f"./{path}", *rest) for path, *rest in files])))
