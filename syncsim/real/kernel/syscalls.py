"""The system calls in which a process sleeps, by their numbers.

From ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of
Linux.  Only those are named in which somebody can be found asleep.
"""

from __future__ import annotations

import os

_X86_64 = {
    0: "read", 1: "write", 2: "open", 3: "close", 7: "poll", 16: "ioctl", 17: "pread64",
    18: "pwrite64", 19: "readv", 20: "writev", 23: "select", 24: "sched_yield", 26: "msync",
    34: "pause", 35: "nanosleep", 40: "sendfile", 42: "connect", 43: "accept", 44: "sendto",
    45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 56: "clone", 58: "vfork", 59: "execve",
    61: "wait4", 65: "semop", 69: "msgsnd", 70: "msgrcv", 72: "fcntl", 73: "flock",
    74: "fsync", 75: "fdatasync", 101: "ptrace", 128: "rt_sigtimedwait", 130: "rt_sigsuspend",
    202: "futex", 208: "io_getevents", 217: "getdents64", 219: "restart_syscall",
    220: "semtimedop", 230: "clock_nanosleep", 231: "exit_group", 232: "epoll_wait",
    242: "mq_timedsend", 243: "mq_timedreceive", 247: "waitid", 257: "openat", 270: "pselect6",
    271: "ppoll", 275: "splice", 276: "tee", 281: "epoll_pwait", 288: "accept4", 299: "recvmmsg",
    426: "io_uring_enter", 435: "clone3", 441: "epoll_pwait2", 449: "futex_waitv",
}  # fmt: skip

_GENERIC = {
    4: "io_getevents", 22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 32: "flock", 56: "openat",
    57: "close", 61: "getdents64", 63: "read", 64: "write", 65: "readv", 66: "writev",
    67: "pread64", 68: "pwrite64", 71: "sendfile", 72: "pselect6", 73: "ppoll", 76: "splice",
    77: "tee", 82: "fsync", 83: "fdatasync", 94: "exit_group", 95: "waitid", 98: "futex",
    101: "nanosleep", 115: "clock_nanosleep", 117: "ptrace", 124: "sched_yield",
    128: "restart_syscall", 133: "rt_sigsuspend", 137: "rt_sigtimedwait",
    182: "mq_timedsend", 183: "mq_timedreceive", 188: "msgrcv", 189: "msgsnd",
    192: "semtimedop", 193: "semop", 202: "accept", 203: "connect", 206: "sendto",
    207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 220: "clone", 221: "execve", 227: "msync",
    242: "accept4", 243: "recvmmsg", 260: "wait4", 426: "io_uring_enter", 435: "clone3",
    441: "epoll_pwait2", 449: "futex_waitv",
}  # fmt: skip

_TABLES = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}

#: Calls with a file descriptor as their first argument, on which they sleep.
ON_A_FILE = frozenset(
    {
        "accept", "accept4", "connect", "fcntl", "fdatasync", "flock", "fsync", "ioctl",
        "pread64", "pwrite64", "read", "readv", "recvfrom", "recvmmsg", "recvmsg", "sendmsg",
        "sendto", "write", "writev",
    }
)  # fmt: skip

#: Where the bound of time stands among the arguments: a pointer, which is null without one.
_BOUND_POINTER = {
    "futex": 3, "ppoll": 2, "select": 4, "pselect6": 4, "epoll_pwait2": 3, "semtimedop": 3,
    "rt_sigtimedwait": 2, "mq_timedsend": 4, "mq_timedreceive": 4, "recvmmsg": 4,
    "futex_waitv": 3, "io_getevents": 4,
}  # fmt: skip
#: The same as a number of milliseconds, negative without one.
_BOUND_NUMBER = {"poll": 2, "epoll_wait": 3, "epoll_pwait": 3}
_ALWAYS_BOUND = frozenset({"nanosleep", "clock_nanosleep", "restart_syscall"})


def name_of(number: int) -> str:
    """Return what the system call is called on this machine."""
    name = _TABLES.get(os.uname().machine, {}).get(number)
    return name or f"system call {number}"


def is_timed(name: str, arguments: tuple[int, ...]) -> bool:
    """Return whether it comes back by itself after some time."""
    if name in _BOUND_NUMBER:
        return arguments[_BOUND_NUMBER[name]] & 0xFFFFFFFF < 1 << 31
    if name in _BOUND_POINTER:
        return arguments[_BOUND_POINTER[name]] != 0
    return name in _ALWAYS_BOUND
