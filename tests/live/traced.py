# SPDX-License-Identifier: GPL-2.0-or-later
"""That a server changes nothing, from strace's record of all its system calls.

What may be called is listed, with what it may be called with; anything else is a finding. Calls of
SILENT cannot change anything but the process's own memory, whatever their arguments, and are not
even recorded: they are most of all."""

import re

SILENT = ["pread64", "read", "epoll_wait", "clock_gettime", "gettimeofday", "getrandom", "brk",
          "munmap", "lseek", "close", "newfstatat", "fstat", "access", "madvise", "sysinfo", "uname",
          "getuid", "geteuid", "getpid", "futex", "sched_getaffinity", "readlink"]

# Of the process itself: its start, its end, its signals' handlers, its privileges, its timers.
OWN = {"execve", "exit_group", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
       "prlimit64", "rt_sigaction", "rt_sigreturn", "rt_sigprocmask", "setgroups", "setresgid",
       "setresuid", "capset", "umask", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
       "landlock_restrict_self", "epoll_create1", "epoll_ctl", "eventfd2", "sigaltstack",
       "getdents64",
       # And of the process that removes the sockets at the end.
       "clone", "clone3", "fork", "vfork", "wait4", "setsid", "pipe2", "dup2", "dup3",
       "close_range"}

# Sockets: how clients come.
SOCKETS = {"socket", "connect", "bind", "listen", "accept4", "setsockopt", "getsockname",
           "getpeername", "getsockopt", "shutdown", "sendto", "recvfrom"}

# "155   write(2</run/server.log>, "listening"..., 44) = 44"
CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
OTHER = re.compile(r"^\d+ +(\+\+\+|---) ")
CONTINUED = re.compile(r"^\d+ +<\.\.\. \w+ resumed>")

# The arguments that one may have.
ALLOWED = {
    # To a socket, to a log that was opened for it, to wake itself up.
    "write": re.compile(r"\d+<(UNIX-STREAM|UNIX|TCP|TCPv6|anon_inode:\[eventfd\])|[12]<"),
    "openat": re.compile(r'AT_FDCWD[^,]*, "[^"]*"(\.\.\.)?, O_RDONLY(\|O_(CLOEXEC|NOCTTY|NONBLOCK|'
                         r"LARGEFILE|DIRECTORY|PATH))*[,)]"),
    # Memory of a file that is shared may not be writable.
    "mmap": re.compile(r"[^,]*, [^,]*, (?!.*PROT_WRITE[^,]*, MAP_SHARED[^,]*, \d)"),
    "mprotect": re.compile(""),
    "fcntl": re.compile(r"[^,]*, F_(GETFD|SETFD|GETFL|SETFL|DUPFD_CLOEXEC)\b"),
    "prctl": re.compile(r"PR_(SET_NAME|CAP_AMBIENT|SET_NO_NEW_PRIVS|SET_DUMPABLE|CAPBSET_\w+)\b"),
    # Its own socket.
    "unlink": re.compile(r'"/run/vmcore-gdbserver(\.sock|/[\w-]+)"'),
    # Their folder.
    "mkdir": re.compile(r'"/run/vmcore-gdbserver", 0700\)'),
    "rmdir": re.compile(r'"/run/vmcore-gdbserver"'),
}


def command(record):
    """What to put before a server's command line, so that its calls are recorded in a file and it
    keeps its process id. Silent calls cost nothing: a filter in the kernel lets them pass."""
    return f"strace -D -f --seccomp-bpf -yy -s 64 -e 'trace=!{','.join(SILENT)}' -o {record}"


def findings(lines):
    """The recorded calls that are not allowed; and how many there were in all."""
    bad, count = [], 0
    for line in lines:
        call = CALL.match(line)
        if not call:
            if line.strip() and not OTHER.match(line) and not CONTINUED.match(line):
                bad.append(line)
            continue
        count += 1
        name, arguments = call.groups()
        # Another process was about something at the same time: how it ended is in another line.
        arguments = arguments.replace(" <unfinished ...>", ")")
        if name in OWN or name in SOCKETS:
            continue
        if name not in ALLOWED or not ALLOWED[name].match(arguments):
            bad.append(line)
    return bad, count
