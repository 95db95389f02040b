# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's debuginfod on this machine."""

import contextlib
import socket
import subprocess


@contextlib.contextmanager
def debuginfod(*folders, **how):
    """Serves what it finds in the folders, which it may tell later; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(["debuginfod", "-F", "-p", str(port), "-d", ":memory:", "-t", "0",
                                "-g", "0", *folders], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
