"""Where a process leaves our view: it forks by itself, or becomes or starts another program."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from types import CodeType, FrameType
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real import wire
from syncsim.real.gate import Gate
from syncsim.real.probes.unseen import unseen

#: What of ``os`` does so; whether its first argument after ``self`` names a program.
_FORKS = ("fork", "forkpty")
_BECOMES = ("execv", "execve")
_STARTS = ("posix_spawn", "posix_spawnp", "system")


def install(gate: Gate) -> None:
    """Wraps what the program itself calls; what multiprocessing does for it is seen as such."""
    for name in (*_FORKS, *_BECOMES, *_STARTS):
        if hasattr(os, name):
            _wrap(gate, name)
    real = subprocess.Popen.__init__

    @unseen
    @functools.wraps(real)
    def init(self: Any, args: Any, *others: Any, **keywords: Any) -> None:
        if not gate.applies():
            real(self, args, *others, **keywords)
            return
        first = args[0] if isinstance(args, list | tuple) and args else args
        gate.give(Verb.LEAVE, "", "subprocess.Popen", _called(first))
        with gate.silence():
            real(self, args, *others, **keywords)

    vars(subprocess)["Popen"].__init__ = init


def _wrap(gate: Gate, name: str) -> None:
    real = getattr(os, name)

    @unseen
    @functools.wraps(real)
    def leave(*args: Any, **keywords: Any) -> Any:
        if gate.applies() and not gate.is_library(_caller()) and not _is_in_vain(name, args):
            program = "" if name in _FORKS or not args else _called(args[0])
            gate.give(Verb.LEAVE, "", f"os.{name}", program)
        try:
            return real(*args, **keywords)
        except OSError:
            if name in _FORKS and gate.active:
                gate.write(wire.Forked(0, gate.pid))
            raise

    vars(os)[name] = leave


def _caller() -> CodeType:
    """The code that called what is wrapped, past the functions of ``os`` that do so for others."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and frame.f_globals is vars(os):
        frame = frame.f_back
    assert frame is not None
    return frame.f_code


def _is_in_vain(name: str, args: tuple[Any, ...]) -> bool:
    """Whether it is asked to become what it cannot: ``execvp`` tries one folder after another."""
    path = args[0] if args and name in _BECOMES else None
    return isinstance(path, str | bytes | os.PathLike) and not os.access(path, os.X_OK)


def _called(program: object) -> str:
    """The name of a program, from its path or a line for the shell."""
    if isinstance(program, str | bytes):
        words = os.fsdecode(program).split()
        return os.path.basename(words[0])[:40] if words else ""
    return os.path.basename(os.fspath(program))[:40] if isinstance(program, os.PathLike) else ""
