"""The guard: a small process that ends a run when the one who watches is gone.

It holds the reading end of a pipe, the lifeline, of which only the watcher holds the other
end.  At end of file, however the watcher died, it kills what is left of the run and removes
its directory and its semaphores.  (``PR_SET_PDEATHSIG`` would reach the stage alone, not the
processes born from it, and fires already when the *thread* that started the stage ends.)
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal

from syncsim import wire

#: What the watcher writes when it has cleaned up itself.
DISMISSED = b"x"


def watch(directory: str, lifeline: int) -> int:
    """Leave a guard behind, which is no child of this process, and goes on; the guard's pid."""
    stage = os.getpid()
    reader, writer = os.pipe()
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        pid = int(os.read(reader, 20))
        for fd in (lifeline, reader, writer):
            os.close(fd)
        return pid
    os.setsid()
    second = os.fork()
    if second:
        os.write(writer, str(second).encode())
        os._exit(0)
    os.close(reader)
    os.close(writer)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    if os.read(lifeline, 1) != DISMISSED:
        end_run(directory, stage)
    os._exit(0)


def end_run(directory: str, stage: int) -> None:
    """Kill every process of the run and remove what it leaves on the machine."""
    with contextlib.suppress(OSError):
        os.killpg(stage, signal.SIGKILL)
    for pid in _processes_of(directory):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    # Named semaphores of spawn and forkserver; those of fork never have a name on disk.
    for name in glob.glob(f"/dev/shm/sem.mp{os.path.basename(directory)[-6:]}-*"):
        with contextlib.suppress(OSError):
            os.unlink(name)
    for name in glob.glob(f"{directory}/{wire.BLOCK}*"):
        with contextlib.suppress(OSError):
            os.unlink(f"/dev/shm/{os.path.basename(name).removeprefix(wire.BLOCK)}")
    shutil.rmtree(directory, ignore_errors=True)


def _processes_of(directory: str) -> list[int]:
    """Those that have left the stage's process group but belong to the run (Linux only).

    It is in the environment of each, or, where the program has cleared that, among the words
    that a new interpreter was started with.
    """
    found = []
    for entry in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            for marks in ("environ", "cmdline"):
                with open(f"{entry}/{marks}", "rb") as file:
                    if directory.encode() in file.read():
                        found.append(int(entry.split("/")[2]))
                        break
    return [pid for pid in found if pid != os.getpid()]
