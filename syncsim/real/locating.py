"""Where a process stands and what it sleeps on, in the words of the program.

The kernel knows addresses, files and pids; the records say which of them are primitives and
processes of the program.  What is found is told beside our own account, never in its place.
"""

from __future__ import annotations

import os
from pathlib import Path

from syncsim import instrument
from syncsim.core.atoms import ActorId
from syncsim.core.live import Frame
from syncsim.core.operation import Site, Verb
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.core.whereabouts import Whereabouts
from syncsim.core.words.listing import listing
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.kernel import python_stack, sleeping_on
from syncsim.real.kernel.sleep import Sleep, look

_OURS = os.path.dirname(os.path.abspath(instrument.__file__)) + os.sep
_STDLIB = os.path.dirname(os.__file__) + os.sep
#: Where the stack of a process begins: below are the frames of the parent that it was forked from.
_BOTTOMS = (
    (f"{_OURS}stage.py", "_run"),
    (f"{_OURS}probes/processes.py", "bootstrap"),
    (f"{_STDLIB}multiprocessing/popen_fork.py", "_launch"),
    (f"{_STDLIB}multiprocessing/forkserver.py", "main"),
)
#: From this number on the file descriptors of a process may be ours (see ``own_files``).
_OUR_FILES = 200
#: So many files of one poll are named.
_NAMED = 3


class ThreadLocator:
    """Looks for the actors of one run."""

    def __init__(self, recorder: Recorder, interpreter: RecordInterpreter) -> None:
        self._recorder = recorder
        self._interpreter = interpreter

    def of(self, actor: ActorId) -> Whereabouts:
        """Where the actor stands."""
        sleep = self.sleep(actor)
        doing = self.doing(actor, sleep) if sleep is not None else ""
        pid, tid = self._interpreter.actors.thread_of(actor)
        if sleep is not None and not tid and self.is_server(pid, sleep):
            return Whereabouts("a Manager's server, waits to be asked", serves=True)
        stack = self.stack(actor) if sleep is not None and sleep.asleep else ()
        if stack:
            top = stack[-1]
            site: Site | None = Site(top.file, top.line, top.function)
        else:
            site = self._recorder.last_site(actor)
        return Whereabouts(doing, site, bool(stack), sleep is not None and sleep.timed)

    def sleep(self, actor: ActorId) -> Sleep | None:
        """Return what the kernel says of the actor's thread."""
        return look(*self._interpreter.actors.thread_of(actor))

    def stack(self, actor: ActorId) -> tuple[Frame, ...]:
        """The actor's call stack in the program's own files, innermost last.

        It is read from outside, so it means something only while the actor sleeps.
        """
        key = self._interpreter.actors.thread_of(actor)
        found: list[Frame] = []
        for level in reversed(
            python_stack.stack_of(key[0], self._interpreter.actors.thread_states.get(key, 0))
        ):
            if (level.file, level.function) in _BOTTOMS:
                break
            if not level.file.startswith(_OURS) and not _is_library(level.file):
                found.insert(0, Frame(level.file, level.line, level.function))
        return tuple(found)

    def is_server(self, pid: int, sleep: Sleep) -> bool:
        """Return whether the process is a Manager's server: it wakes every second for nothing.

        (``multiprocessing.managers.Server.serve_forever``.)
        """
        if not sleep.timed:
            return False
        stack = python_stack.stack_of(pid, self._interpreter.actors.thread_states.get((pid, 0), 0))
        return any(
            level.function == "serve_forever" and level.file.endswith("managers.py")
            for level in stack
        )

    # -- what it sleeps on --------------------------------------------------------------------

    def doing(self, actor: ActorId, sleep: Sleep) -> str:
        """Return what the actor does, to follow "it is"."""
        if not sleep.asleep:
            return sleep.state
        if not sleep.call:
            where = f" in {sleep.channel} (of the kernel)" if sleep.channel else ""
            return f"asleep{where}"
        on = self.on(actor, sleep)
        return f"asleep in {sleep.call}" + (f" {on}" if on else "")

    def on(self, actor: ActorId, sleep: Sleep) -> str:
        """On what it sleeps: ``on fd 5, the pipe of q``, ``for the end of pid 9``; or empty."""
        pid = self._recorder.actors[actor].pid
        match sleep.call:
            case "futex":
                atom = self.semaphore_at(actor, sleep.arguments[0])
                if atom:
                    return f"on the semaphore of {self._name(atom)}"
                if "/sem." in sleeping_on.mapping_at(pid, sleep.arguments[0]):
                    return "on a semaphore that we do not know"
                return "on a lock or condition of its own threads"
            case "wait4" | "waitid":
                return self._child(sleep)
            case "nanosleep" | "clock_nanosleep":
                return "for some time"
        on = sleeping_on.slept_on(pid, sleep) or ()
        named = [self._file(pid, fd, sleep) for fd in on[:_NAMED]]
        more = [f"{len(on) - _NAMED} more"] if len(on) > _NAMED else []
        return f"on {listing(named + more)}" if named else ""

    def semaphore_at(self, actor: ActorId, address: int) -> str:
        """The semaphore (as an atom) at that address of the actor's process; empty if none.

        One that was opened by its name (spawn, forkserver) is mapped from a file of that name.  One
        that was inherited lies where the process that made it has it: the nearest one above.
        (Who makes one maps a file of another name: see ``sem_open`` of glibc.)
        """
        known = self._interpreter.primitives.semaphores
        who: Actor | None = self._recorder.actors[actor]
        path = sleeping_on.mapping_at(who.pid, address) if who is not None else ""
        _, found, name = path.removesuffix(" (deleted)").rpartition("/sem.")
        if not found:
            return ""
        if self._interpreter.primitives.with_atom(f"/{name}") is not None:
            return f"/{name}"
        while who is not None:
            atom = known.get((who.pid, address), "")
            if atom:
                return atom
            who = self._recorder.actors[who.parent] if who.parent is not None else None
        return ""

    def _child(self, sleep: Sleep) -> str:
        pid = sleep.arguments[0 if sleep.call == "wait4" else 1]
        if pid <= 0 or pid >= 1 << 31:
            return "for the end of any child"
        target = self._recorder.by_pid(pid)
        if target is not None:
            return f"for the end of {target.name}"
        if pid in self._interpreter.processes.untracked:
            return f"for the end of pid {pid}, which was forked past multiprocessing"
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            line = b" ".join(filter(None, words)).decode(errors="replace")
        except OSError:
            line = ""
        return f"for the end of pid {pid}" + (f" ({line[:40]})" if line else "")

    def _file(self, pid: int, fd: int, sleep: Sleep) -> str:
        target = sleeping_on.target_of(pid, fd)
        inode = sleeping_on.inode_of(target)
        name = {0: "its stdin", 1: "its stdout", 2: "its stderr"}.get(fd, f"fd {fd}")
        if inode:
            primitive = self._interpreter.primitives.with_atom(f"pipe:{inode}")
            if primitive is not None:
                return f"{name}, the pipe of {primitive.name}"
        if fd >= _OUR_FILES and target.startswith("socket:"):
            return "its gate"
        if target.startswith("socket:"):
            return f"{name}, a {sleeping_on.kind_of_socket(inode)} socket".replace("  ", " ")
        if target.startswith("pipe:"):
            return f"{name}, a pipe"
        if sleep.call in ("flock", "fcntl"):
            owners = [self._who(owner) for owner in sleeping_on.owners_of_lock(pid, fd)]
            held = f", locked by {listing(owners)}" if owners else ""
            return f"{name}, the file {os.path.basename(target)}{held}"
        return f"{name}, {target}" if target else name

    def _who(self, pid: int) -> str:
        actor = self._recorder.by_pid(pid)
        return actor.name if actor is not None else f"pid {pid}"

    def _name(self, atom: str) -> str:
        primitive = self._interpreter.primitives.with_atom(atom)
        return primitive.name if primitive is not None else "a primitive"

    # -- whether the kernel agrees ------------------------------------------------------------

    def account(self, actor: ActorId) -> tuple[str, str]:
        """Return what the kernel says of the actor, and where that is another account than ours."""
        sleep = self.sleep(actor)
        if sleep is None:
            return "", ""
        on = self.on(actor, sleep) if sleep.asleep else ""
        return f"{sleep.words} {on}".strip(), self.doubt(actor, sleep)

    def doubt(self, actor: ActorId, sleep: Sleep) -> str:
        """Return a sentence if the kernel's account is another than ours; empty if they agree."""
        who = self._recorder.actors[actor]
        operation = who.pending
        if operation is None or who.ended or self._recorder.can_go(who):
            return ""
        it = self._interpreter.primitives.with_atom(operation.atom)
        waits = f"we say that {who.name} waits" + (f" for {it.name}" if it is not None else "")
        if not sleep.asleep:
            return f"{waits}, the kernel that it is {sleep.state}"
        if sleep.call == "futex" and operation.verb is Verb.ACQUIRE:
            atom = self.semaphore_at(actor, sleep.arguments[0])
            if atom and atom != operation.atom:
                return f"{waits}, the kernel that it sleeps on the semaphore of {self._name(atom)}"
        return ""


def _is_library(file: str) -> bool:
    """Return whether the file is Python's own."""
    return file.startswith((_STDLIB, "<frozen")) and "-packages" not in file
