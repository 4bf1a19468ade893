"""The life of a virtual process: start, birth, uncaught exception, exit, join, signals."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from syncsim.core.operation import Verb
from syncsim.program.failures import failure_of, place_of
from syncsim.program.ownership import is_library, root
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import AWAITED, Raised
from syncsim.virtual.process.body import ProcessBody, here


class Popen:
    """A child as its parent knows it, like ``popen_fork.Popen``."""

    _syncsim_plain = True
    method = "fork"
    sentinel = -1

    def __init__(self, process_obj: Any) -> None:
        self.returncode: int | None = None
        self.finalizer = None
        body = here()
        if body.replaying and body.helpers.current is None:
            body.state.started += 1
            self.pid = body.operate(Verb.START, body.state.employer, name="Process.start")
            return
        seed, ends = body.seed_of(process_obj, self.method)
        self.pid = body.operate(
            Verb.START,
            body.state.employer,
            name="Process.start",
            detail=process_obj.name,
            child=seed,
            payload=ends,
        )

    def poll(self, flag: int = 0, call: str = "") -> int | None:
        """The exit code, None while it lives."""
        # (What a helper knows of it, it was told.)
        if self.returncode is None and here().helpers.current is None:
            self.returncode = here().operate(Verb.ALIVE, str(self.pid), name=call, silent=True)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        return self.returncode

    def terminate(self) -> None:
        """End the child as SIGTERM does."""
        here().operate(Verb.TERMINATE, str(self.pid), name="Process.terminate")

    def kill(self) -> None:
        """End the child as SIGKILL does."""
        here().operate(Verb.TERMINATE, str(self.pid), name="Process.kill")

    def interrupt(self) -> None:
        """Refuse SIGINT, which may meet the other process between any two of its instructions."""
        raise NotVirtualError("Process.interrupt")

    def close(self) -> None:
        """Nothing to do."""


class SpawnPopen(Popen):
    """A child that begins with a fresh interpreter."""

    method = "spawn"


class Children(dict[Any, None]):
    """The children of a process, in the order in which they were started."""

    def add(self, child: Any) -> None:
        """Another one."""
        self[child] = None

    def discard(self, child: Any) -> None:
        """One less."""
        self.pop(child, None)


class _Family(tuple[Any, ...]):
    """The children that there are in the end: what is known of them is written elsewhere."""

    _syncsim_shared = True

    def _syncsim_key(self) -> str:
        return ""


def install(process: Any, context: Any) -> None:
    """Lets the private modules start and join virtual processes."""
    base = process.BaseProcess
    base._syncsim_plain = True
    process._cleanup = lambda: None  # nobody sees when a child was reaped
    context.ForkProcess._Popen = staticmethod(Popen)

    def spawned(process_obj: Any) -> SpawnPopen:
        # What the child is told of its parent has the start method in it, which is thereby chosen.
        context._default_context.get_start_method()
        return SpawnPopen(process_obj)

    for cls in (context.SpawnProcess, context.ForkServerProcess):
        cls._Popen = staticmethod(spawned)
    real_join, real_alive = base.join, base.is_alive

    def join(self: Any, timeout: float | None = None) -> None:
        body = here()
        if self._popen is not None and self._parent_pid == body.pid and not self._closed:
            code = body.operate(
                Verb.JOIN,
                str(self._popen.pid),
                name="Process.join",
                detail=self.name,
                timeout=timeout,
            )
            if code is None and timeout is not None:
                body.waited(timeout)
            self._popen.returncode = code if code is not None else self._popen.returncode
        real_join(self, timeout)

    def is_alive(self: Any) -> bool:
        body = here()
        if self._popen is not None and self._parent_pid == body.pid and not self._closed:
            code = body.operate(
                Verb.ALIVE, str(self._popen.pid), name="Process.is_alive", detail=self.name
            )
            self._popen.returncode = code
            if code is None:
                return True
        alive: bool = real_alive(self)
        return alive

    def active_children() -> list[Any]:
        return [child for child in list(process._children) if child._popen.poll() is None]

    base.join, base.is_alive = join, is_alive
    process.active_children = active_children
    context.BaseContext.active_children = staticmethod(active_children)
    context.BaseContext._syncsim_shared = True
    context.BaseContext._syncsim_key = lambda self: ""  # (which is chosen is written elsewhere)
    process.AuthenticationString = bytes


def leave_at_once(status: int) -> None:
    """``os._exit``: nothing is flushed, nothing is joined."""
    body = here()
    if body.helpers.waiting:
        raise NotVirtualError("os._exit while a Pool is open")
    code = status & 0xFF
    body.operate(Verb.EXIT, name="exit", detail=str(code))
    body.finish(code)


def send_signal(pid: int, number: int, /) -> None:
    """``os.kill``, where it ends the process itself or a child of it."""
    body = here()
    children = [child._popen.pid for child in body.identity.children if not child._popen.returncode]
    itself = pid == body.pid and body.who.key and not body.helpers.waiting
    if number not in (signal.SIGKILL, signal.SIGTERM) or not (itself or pid in children):
        raise NotVirtualError(f"os.kill({pid}, {number})")
    name = signal.Signals(number).name
    body.operate(Verb.TERMINATE, str(pid), name="os.kill", detail=name)
    if itself:
        body.finish(-number)


def leave(body: ProcessBody, code: int) -> int:
    """The last operation of a process."""
    body.operate(Verb.EXIT, name="exit", detail=str(code), sited=False)
    return code


def clean_up(body: ProcessBody) -> None:
    """``util._exit_function``, in its order.

    Pools are terminated, managers shut down, daemons terminated, the other children joined, queues
    flushed.
    """
    from syncsim.virtual.stdlib.queues import flush

    for finalize in reversed(list(body.state.finalizers)):
        finalize()
    for shut_down in list(body.state.servers.values())[::-1]:
        shut_down()
    # (What is flushed is pickled first, and an exception will be told of: the program may do that.)
    body.state.over = not body.state.fed and sys.exc_info()[0] is None
    children = _Family(body.identity.children)
    all_ = range(len(children))
    daemons = [n for n in all_ if children[n].daemon and children[n]._popen.poll() is None]
    for n in daemons:
        children[n]._popen.terminate()
    # Who has ended by itself meanwhile is not joined; the signal takes a moment to work.  (Whoever
    # is no daemon is only asked now, as no signal comes after its end.)
    alive = [
        n
        for n in all_
        if (n in daemons and children[n]._popen.poll() in (None, -signal.SIGTERM))
        or (not children[n].daemon and children[n]._popen.poll(call=AWAITED) is None)
    ]
    for n in alive:
        children[n].join()
    for name in reversed(list(body.state.fed)):
        flush(body, name)


def report(body: ProcessBody, error: BaseException) -> None:
    """The exception that nobody caught."""
    failure = failure_of(error, is_library)
    message = f": {failure.message}" if failure.message else ""
    place = place_of(failure.file, failure.line)
    body.state.raised = Raised(failure.exception + message, place, failure.is_assertion)


def code_of(error: SystemExit, body: ProcessBody) -> int:
    """The exit code that ``sys.exit`` was called with."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    body.wrote("stderr", f"{error.code}\n")
    return 1


def live_as_child(body: ProcessBody, process_obj: Any) -> int:
    """``BaseProcess._bootstrap`` and what comes after it."""
    head = f"Process {process_obj.name}:\n"
    return leave(body, come_to_an_end(body, run_and_clean_up, body, process_obj, head=head))


@root
def run_and_clean_up(body: ProcessBody, process_obj: Any) -> None:
    """A child, up to its end."""
    try:
        process_obj.run()
    finally:
        clean_up(body)


def live_as_main(body: ProcessBody, run: Callable[[ProcessBody, str], None]) -> int:
    """The main process, from its first line to its exit."""
    code = come_to_an_end(body, run, body, "__main__")
    clean_up(body)
    return leave(body, code)


@root
def come_to_an_end(body: ProcessBody, run: Callable[..., None], *given: Any, head: str = "") -> int:
    """Run that; the exit code, and what is written where an exception ends it."""
    try:
        run(*given)
    except SystemExit as leaving:
        return code_of(leaving, body)
    except MemoryError:
        raise  # a limit of ours: the real process might have had it
    except Exception as error:
        report(body, error)
        body.wrote("stderr", head + "".join(traceback.format_exception(error)))
        return 1
    return 0
