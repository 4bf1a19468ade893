"""Every call that has words of its own: those on primitives, and those on everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from syncsim.core.kinds import KINDS, CallWords

_OUT_OF_TIME: Final = "does not wait any longer for {detail}, a task of {it}"
_FORKED: Final = CallWords("forks by itself: the new process is outside our view")
_BECOMES: Final = CallWords("becomes {detail} and leaves our view")
_STARTS_UNSEEN: Final = CallWords("starts {detail} outside our view")

_OTHERS: Final = {
    "connection.wait": CallWords("finds ready: {result}", in_vain="finds nothing ready"),
    "AsyncResult.get": CallWords("has the result of {detail} from {it}: {result}"),
    "AsyncResult.wait": CallWords("knows that {detail} is done by {it}", in_vain=_OUT_OF_TIME),
    "AsyncResult.ready": CallWords("looks whether {detail} is done by {it}: {result}"),
    "Future.result": CallWords("has the result of {detail} from {it}: {result}"),
    "Future.exception": CallWords("has the exception of {detail} from {it}: {result}"),
    "Future.done": CallWords("looks whether {detail} is done by {it}: {result}"),
    "as_completed": CallWords(
        "knows that a task of {it} is done",
        in_vain="does not wait any longer for the tasks of {it}",
    ),
    "wait": CallWords(
        "knows that what it waits for is done by {it}",
        in_vain="does not wait any longer for the tasks of {it}",
    ),
    "Process.start": CallWords("starts {detail}"),
    "Process.join": CallWords("joins {detail}", in_vain="does not wait any longer for {detail}"),
    "Process.is_alive": CallWords("looks whether {detail} is alive: {result}"),
    "Process.exitcode": CallWords("looks for the exit code of {detail}: {result}"),
    "Process.terminate": CallWords("terminates {detail}"),
    "Process.kill": CallWords("kills {detail}"),
    "Process.interrupt": CallWords("interrupts {detail}"),
    "os.kill": CallWords("sends {detail}"),
    "Manager.start": CallWords("starts the server of a {detail}"),
    "Manager.shutdown": CallWords("shuts {detail} down"),
    "os.fork": _FORKED,
    "os.forkpty": _FORKED,
    "os.execv": _BECOMES,
    "os.execve": _BECOMES,
    "os.posix_spawn": _STARTS_UNSEEN,
    "os.posix_spawnp": _STARTS_UNSEEN,
    "os.system": CallWords("starts {detail} outside our view, and waits for it"),
    "subprocess.Popen": _STARTS_UNSEEN,
    "exit": CallWords("ends"),
    "sleep": CallWords("sleeps {detail} s"),
    "print": CallWords("prints {detail}"),
}

#: The words of each call by its full name: ``Queue.put``, ``Process.join``.
CALLS: Final[Mapping[str, CallWords]] = {
    f"{kind.class_name or kind.name}.{method}": words
    for kind in KINDS.values()
    for method, words in kind.calls.items()
} | _OTHERS

#: Calls by which a worker asks for its next task; None is the word to end.
TAKES_A_TASK: Final = frozenset(("Pool.get", "ProcessPoolExecutor.get"))
#: Calls that give the result of a task of the program, or raise what the task has raised.
GIVES_A_RESULT: Final = frozenset(
    ("Pool.apply", "Pool.map", "Pool.starmap", "Pool.next", "AsyncResult.get", "Future.result")
)
