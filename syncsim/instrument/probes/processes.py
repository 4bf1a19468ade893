"""The life of a process: start, birth, uncaught exception, exit, join, signals."""

from __future__ import annotations

import functools
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import CodeType
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.library import (
    context,
    forkserver,
    popen_fork,
    popen_forkserver,
    popen_spawn,
    process,
    spawn,
    util,
)
from syncsim.instrument.probes.library_threads import took
from syncsim.instrument.probes.output import redirect
from syncsim.instrument.probes.presence import expect, put_in_place
from syncsim.instrument.probes.tracebacks import unseen, without_ours
from syncsim.instrument.shadows import give_way
from syncsim.program.failures import failure_of

#: The signal that a method sends.
_SIGNALS = {"terminate": "SIGTERM", "kill": "SIGKILL", "interrupt": "SIGINT"}
#: Marks the Popen of a daemon that was terminated at the end.
_ENDING = "_syncsim_ending"
#: Runs first in every interpreter that multiprocessing starts for the program.
_PRELUDE = (
    "import sys; at_start, path = set(sys.modules), sys.path[:]; "
    "sys.path[:] = [{root!r}, *filter(None, path)]; from syncsim.instrument import child, shadows; "
    "sys.path[:] = path; shadows.at_start |= at_start; child.join_run({run!r}); "
    "child.hide_prelude(); "
)
#: By which command such an interpreter is told from the resource tracker, which runs nothing of the
#: program.  (The text before these words is another in each patch release.)
_RUNS_PROGRAM = re.compile(r"\bmultiprocessing(\.|\s+import\s+)(spawn|forkserver)\b")


def install(gate: Gate) -> None:
    """Wrap what starts, ends and joins a process."""
    for wrap, blind in (
        (_wrap_process, "who starts and joins a process is not seen"),
        (_wrap_exit, "with which exit code a process ends is not seen"),
        (_report_uncaught, "exceptions that nobody catches are not seen"),
        (_wrap_polls, "who takes notice of the end of a process is not seen"),
        (_wrap_signals, "who terminates or kills a process is not seen"),
        (_give_way, "a module of the program that is called like one of the library is not found"),
        (_join_new_interpreters, "processes by spawn and forkserver are not seen"),
        (_report_failed_births, "new interpreters that cannot begin are not seen"),
        (_replace_start_method, "processes start by the default of this Python"),
    ):
        put_in_place(gate, wrap, blind)


def _replace_start_method(gate: Gate) -> None:
    """Replace the default; what the program itself chooses is kept elsewhere."""
    if gate.start_method:
        default = context._default_context
        default._default_context = context._concrete_contexts[gate.start_method]


def name_semaphores(prefix: str) -> None:
    """Let the names of the program's semaphores begin with ``prefix``, to find them again."""
    process.current_process()._config["semprefix"] = prefix


class _Children(set[Any]):
    """The children of a process, in the order in which they were started.

    A plain set of them is ordered by where they lie in memory, so that each run would join those
    that are left at its end in an order of its own.
    """

    def __init__(self, children: Iterable[Any]) -> None:
        super().__init__(children)
        self._order = dict.fromkeys(children)

    def add(self, child: Any) -> None:
        super().add(child)
        self._order[child] = None

    def discard(self, child: Any) -> None:
        super().discard(child)
        self._order.pop(child, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._order))


def _wrap_process(gate: Gate) -> None:
    base = process.BaseProcess
    expect(base.start, "_children", "_popen")
    expect(base.join, "_popen", "_parent_pid")
    launch = popen_fork.Popen._launch
    real_start, real_join, real_alive = base.start, base.join, base.is_alive
    real_bootstrap = base._bootstrap

    @unseen
    @functools.wraps(real_start)
    def start(self: Any) -> None:
        if not gate.applies():
            real_start(self)
            return

        def go() -> int:
            if not isinstance(process._children, _Children):  # each process begins with a new set
                process._children = _Children(process._children)
            real_start(self)
            pid: int = self.pid
            return pid

        gate.take(Verb.START, gate.here.employer, go, "Process.start", self.name)

    @unseen
    @functools.wraps(real_join)
    def join(self: Any, timeout: float | None = None) -> None:
        # A call that is only going to raise an AssertionError is no operation.
        if not gate.applies() or self._popen is None or self._parent_pid != os.getpid():
            real_join(self, timeout)
            return
        gate.take(
            Verb.JOIN,
            str(self.pid),
            lambda: real_join(self, timeout),
            "Process.join",
            self.name,
            timeout=timeout,
        )
        if timeout is None:
            took(gate)

    @unseen
    @functools.wraps(real_alive)
    def is_alive(self: Any) -> bool:
        alive: bool
        if gate.applies() and self._popen is not None and self._parent_pid == os.getpid():
            alive = gate.take(
                Verb.ALIVE, str(self.pid), lambda: real_alive(self), "Process.is_alive", self.name
            )
        else:
            alive = real_alive(self)
        return alive

    def bootstrap(self: Any, parent_sentinel: Any = None) -> int:
        method = self._start_method or context._default_context.get_start_method(allow_none=True)
        gate.born(self.name, self._parent_pid, daemon=self.daemon, method=method or "")
        redirect(gate)
        code: int = real_bootstrap(self, parent_sentinel)
        return code

    # (From Python 3.13 on a forked child makes its exit beneath the bootstrap; from 3.14 on a fork
    # server's does.)
    server = popen_forkserver.forkserver.main
    gate.code.bottoms += (bootstrap.__code__, launch.__code__, server.__code__)
    real_code = base.exitcode

    @property  # type: ignore[misc]
    @unseen
    def exitcode(self: Any) -> int | None:
        """Give the real one: where it is not known yet, to look for it is an operation."""

        def look() -> int | None:
            code: int | None = real_code.fget(self)
            return code

        unknown = self._popen is not None and self._popen.returncode is None
        asked = unknown and self._parent_pid == os.getpid() and gate.applies()
        # (Two frames up: ours for the traceback is between.)
        if not asked or gate.here.library or gate.code.is_asked_by_library(2):
            return look()
        code: int | None = gate.take(Verb.ALIVE, str(self.pid), look, "Process.exitcode", self.name)
        return code

    base.start, base.join, base.is_alive, base.exitcode = start, join, is_alive, exitcode
    base._bootstrap = functools.wraps(real_bootstrap)(bootstrap)


def _wrap_exit(gate: Gate) -> None:
    """``os._exit`` is how a forked child ends, and how the program skips all flushing."""
    real = os._exit

    def leave(status: int) -> Any:
        if gate.applies() and isinstance(status, int):
            asked_for = not gate.code.is_asked_by_library(1)
            gate.give(Verb.EXIT, "", "exit", str(status & 0xFF), sited=asked_for)
        real(status)

    wrapped = functools.wraps(real)(leave)
    # Also where pickle looks for it: it may be the target of a process, or a task.
    for module in (os, sys.modules[real.__module__]):
        vars(module)["_exit"] = wrapped


def _report_uncaught(gate: Gate) -> None:
    """``BaseProcess._bootstrap`` prints a child's uncaught exception: there it passes by."""
    real = traceback.print_exc
    bootstrap = process.BaseProcess._bootstrap
    bootstrap = getattr(bootstrap, "__wrapped__", bootstrap)
    expect(bootstrap, "print_exc")
    printer: CodeType = bootstrap.__code__

    @functools.wraps(real)
    def print_exc(*args: Any, **keywords: Any) -> None:
        if sys._getframe(1).f_code is printer:
            report_error(gate, sys.exc_info()[1])
        real(*args, **keywords)

    vars(traceback)["print_exc"] = print_exc


def report_error(gate: Gate, error: BaseException | None, why: str = "") -> None:
    """Report the exception that ends this process; an ``assert`` of the program is told apart."""
    if error is None:
        return
    failure = failure_of(error, gate.code.is_library)
    message = " ".join(failure.message.strip().partition("\n\n")[0].split())[:500] + why
    gate.write(wire.Error(gate.pid, *failure._replace(message=message)))  # its first paragraph


def _wrap_polls(gate: Gate) -> None:
    for popen in (popen_fork.Popen, popen_forkserver.Popen):
        _wrap_poll(gate, popen)


def _wrap_poll(gate: Gate, popen: Any) -> None:
    """The one place where a parent learns that its child has ended."""
    real = popen.poll

    @functools.wraps(real)
    def poll(self: Any, flag: int = os.WNOHANG) -> int | None:
        before = self.returncode
        if before is None and flag and vars(self).pop(_ENDING, False):
            return None  # (see ``_wrap_signal``)
        if before is None and self.method == "forkserver" and gate.active and gate.shut:
            # The exit code comes by way of the fork server, a moment after the death: what a
            # process sees of it must not depend on that moment.
            flag = 0 if _is_dead(self.pid) else flag
        code: int | None = real(self, flag)
        if before is None and code is not None and gate.active:
            gate.write(wire.Reaped(gate.pid, self.pid, code))
        return code

    popen.poll = poll


def _is_dead(pid: int) -> bool:
    """Return whether that process has ended; false where that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return os.path.exists("/proc/self/stat")
    except OSError:
        return True  # it went while we looked


def _wrap_signals(gate: Gate) -> None:
    for method, name in _SIGNALS.items():
        if hasattr(popen_fork.Popen, method):  # one can be interrupted from 3.14 on
            _wrap_signal(gate, method, name)


def _wrap_signal(gate: Gate, method: str, name: str) -> None:
    real = getattr(popen_fork.Popen, method)

    @unseen
    @functools.wraps(real)
    def send(self: Any) -> None:
        if gate.applies():
            gate.give(Verb.TERMINATE, str(self.pid), f"Process.{method}", name)
        real(self)
        # Whether somebody who is killed has gone by the time that it is looked for next must not be
        # a matter of chance; nor for the daemons that are terminated at the end, which may take
        # their time: those have not.
        if method == "terminate" and gate.shut and util._exiting:
            setattr(self, _ENDING, True)
        elif method == "kill" and gate.shut and self.returncode is None:
            with suppress(ChildProcessError):  # a fork server's, or its own child's, to wait for
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    setattr(popen_fork.Popen, method, send)


def _join_new_interpreters(gate: Gate) -> None:
    """spawn and forkserver begin a new interpreter: it joins the run before anything else."""
    real = util.spawnv_passfds
    expect(popen_spawn.Popen._launch, "spawnv_passfds")
    expect(forkserver.ForkServer.ensure_running, "spawnv_passfds")
    root = os.path.abspath(f"{os.path.dirname(__file__)}/../../..")
    prelude = _PRELUDE.format(root=root, run=gate.directory)

    @functools.wraps(real)
    def spawnv_passfds(path: Any, args: Any, passfds: Any) -> Any:
        words = list(args)
        for place, word in enumerate(words):
            if isinstance(word, str) and _RUNS_PROGRAM.search(word):
                words[place] = prelude + word
                break
        return real(path, words, passfds)

    util.spawnv_passfds = spawnv_passfds


def _give_way(gate: Gate) -> None:
    """A new interpreter imports main: from now on the program's own modules are found."""
    prepare, import_main = spawn.prepare, spawn.import_main_path

    @unseen
    @functools.wraps(prepare)
    def prepared(data: Any) -> None:
        give_way(data.get("sys_path", sys.path))
        prepare(data)

    @unseen
    @functools.wraps(import_main)
    def imported(main_path: Any) -> None:
        give_way(sys.path)
        import_main(main_path)

    spawn.prepare, spawn.import_main_path = prepared, imported


def _report_failed_births(gate: Gate) -> None:
    """A new interpreter imports main and unpickles its ``Process`` before it becomes one."""
    real = spawn._main

    @functools.wraps(real)
    def main(*args: Any) -> Any:
        try:
            return real(*args)
        except Exception as error:
            itself = process.current_process()
            gate.write(wire.Born(gate.pid, 0, os.getppid(), itself.name, itself.daemon, ""))
            report_error(gate, error, _why_unborn(error))
            error.__traceback__ = without_ours(error.__traceback__)
            raise

    spawn._main = main


def _why_unborn(error: Exception) -> str:
    """Return what to say besides, where a semaphore of the parent could not be opened any more."""
    *_, (frame, _) = traceback.walk_tb(without_ours(error.__traceback__))
    opens = "_semlock" in frame.f_code.co_names and frame.f_code.co_name == "__setstate__"
    if not (opens and isinstance(error, FileNotFoundError)):
        return ""
    return " (a lock or queue that it was given is gone: who made it has ended, or let go of it)"
