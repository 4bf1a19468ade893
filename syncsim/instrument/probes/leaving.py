"""Where a process leaves our view: it forks by itself, or becomes or starts another program."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.library import posix_subprocess
from syncsim.instrument.probes.tracebacks import unseen

#: What of ``os`` does so; whether its first argument after ``self`` names a program.
_FORKS = ("fork", "forkpty")
_BECOMES = ("execv", "execve")
_STARTS = ("posix_spawn", "posix_spawnp", "system")


def install(gate: Gate) -> None:
    """Wrap what the program itself calls; what multiprocessing does for it is seen as such."""
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


def report_starts(gate: Gate) -> None:
    """Has every program told that a process starts, whoever asks for it, with its pid."""
    for module, name in ((subprocess, "_fork_exec"), (posix_subprocess, "fork_exec")):
        _report_start(gate, module, name)


def _report_start(gate: Gate, module: Any, name: str) -> None:
    real = getattr(module, name)

    @functools.wraps(real)
    def fork_exec(args: Any, executables: Any, *others: Any) -> Any:
        pid = real(args, executables, *others)
        gate.write(wire.Launched(pid, os.getpid(), *program_of(args, executables)))
        return pid

    setattr(module, name, fork_exec)


def _wrap(gate: Gate, name: str) -> None:
    real = getattr(os, name)

    @unseen
    @functools.wraps(real)
    def leave(*args: Any, **keywords: Any) -> Any:
        if gate.applies() and not _is_asked_by_library(gate) and not _is_in_vain(name, args):
            program = "" if name in _FORKS or not args else _called(args[0])
            gate.give(Verb.LEAVE, "", f"os.{name}", program)
        if name in _BECOMES:
            _tell(gate, gate.pid, args)
        elif name == "system":
            _tell(gate, 0, ("/bin/sh", ("sh", "-c", *args)))
        try:
            pid = real(*args, **keywords)
        except OSError:
            if name in _FORKS and gate.active:
                gate.write(wire.Forked(0, gate.pid))
            elif name in _BECOMES:
                gate.write(wire.Launched(gate.pid, gate.pid, "", ""))
            raise
        if name.startswith("posix_spawn"):
            _tell(gate, pid, args)
        return pid

    vars(os)[name] = leave


def _tell(gate: Gate, pid: int, args: tuple[Any, ...]) -> None:
    """Tell of a start with these arguments; where they are wrong there is none."""
    with suppress(TypeError, ValueError, IndexError):
        gate.write(wire.Launched(pid, gate.pid, *program_of(args[1], [args[0]])))


def program_of(words: Any, files: Any) -> tuple[str, str]:
    """Return the file that the kernel is going to run, and the command, as text.

    The first of ``files`` that there is: a path, or a name to be looked for.
    """
    texts = [os.fsdecode(word) for word in words]
    for file in files:
        found = shutil.which(os.fsdecode(file))
        if found is not None:
            return _interpreter_of(os.path.realpath(found)), shlex.join(texts)
    return texts[0], shlex.join(texts)


def _interpreter_of(file: str) -> str:
    """The file itself, or what its first line says that it is run by."""
    try:
        with open(file, "rb") as text:
            first = text.readline(256)
    except OSError:
        return file
    words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    found = shutil.which(words[0]) if words else None
    return os.path.realpath(found) if found is not None else file


def _is_asked_by_library(gate: Gate) -> bool:
    """Return whether the library does it, past functions of ``os`` that do so for others."""
    frame: FrameType | None = sys._getframe(2)
    frame = frame.f_back if frame is not None else None  # (none where the interpreter calls)
    while frame is not None and frame.f_globals is vars(os):
        frame = frame.f_back
    return frame is not None and gate.code.is_library(frame.f_code)


def _is_in_vain(name: str, args: tuple[Any, ...]) -> bool:
    """Return whether it cannot become that: ``execvp`` tries one folder after another."""
    path = args[0] if args and name in _BECOMES else None
    return isinstance(path, str | bytes | os.PathLike) and not os.access(path, os.X_OK)


def _called(program: object) -> str:
    """The name of a program, from its path or a line for the shell."""
    if isinstance(program, str | bytes):
        words = os.fsdecode(program).split()
        return os.path.basename(words[0])[:40] if words else ""
    return os.path.basename(os.fspath(program))[:40] if isinstance(program, os.PathLike) else ""
