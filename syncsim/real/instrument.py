"""The instrumentation: what is wrapped of the standard library inside the program's processes.

One C type, ``_multiprocessing.SemLock``, is replaced by a subclass that takes the way
through the gate; so every lock is instrumented, for every import style and start method.
Around it the public calls are marked, so that an operation knows the call it belongs to,
and the other atoms (pipes, shared memory, processes, clock, output) take the same way.
"""

from __future__ import annotations

import _multiprocessing
import collections
import functools
import io
import multiprocessing.connection as connection
import multiprocessing.popen_fork as popen_fork
import multiprocessing.popen_forkserver as popen_forkserver
import multiprocessing.process as process
import multiprocessing.queues as queues
import multiprocessing.sharedctypes as sharedctypes
import multiprocessing.synchronize as synchronize
import multiprocessing.util as util
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real import wire
from syncsim.real.gate import Call, Gate
from syncsim.real.safe import safe_text

gate: Gate

_RealSemLock: Any = _multiprocessing.SemLock
_real_exit = os._exit
_real_sleep = time.sleep


class SemLock(_RealSemLock):  # type: ignore[misc]
    """CPython's own SemLock, through the gate.  ``key`` is its name in every process."""

    __slots__ = ("_acquire", "_release", "key")

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> SemLock:
        self: SemLock = _RealSemLock.__new__(cls, kind, value, maxvalue, name, unlink)
        self._bind(name)
        return self

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str) -> SemLock:
        self: SemLock = super()._rebuild(handle, kind, maxvalue, name)
        self._bind(name)
        return self

    def _bind(self, name: str) -> None:
        self.key = name
        self._acquire = super().acquire
        self._release = super().release

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """As the real one."""
        if not gate.applies():
            return self._acquire(block, timeout)  # type: ignore[no-any-return]
        return gate.acquire(self.key, self._acquire, block, timeout)

    def release(self) -> None:
        """As the real one."""
        if gate.applies():
            gate.give(Verb.RELEASE, self.key)
        self._release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *args: object) -> None:
        self.release()

    def _get_value(self) -> int:
        value: int = super()._get_value()
        if gate.applies() and gate.here.call is not None:
            gate.take(Verb.VALUE, self.key, lambda: value)
        return value


def install(the_gate: Gate) -> None:
    """Wraps the standard library of this process; to be called once, before the program runs."""
    global gate
    gate = the_gate
    _multiprocessing.SemLock = SemLock  # type: ignore[misc]
    _wrap_primitives()
    _wrap_channels()
    _wrap_memory()
    _wrap_processes()
    _wrap_clock()


def name_semaphores(prefix: str) -> None:
    """Lets the names of the program's semaphores begin with ``prefix``, to find them again."""
    process.current_process()._config["semprefix"] = prefix  # type: ignore[attr-defined]


# -- calls -----------------------------------------------------------------------------


def _mark(
    cls: type,
    method: str,
    *,
    name: str = "",
    label: Callable[[Any], str] = str,
) -> None:
    """Marks a public method as a call: its operations belong to it, and its return is recorded."""
    original = getattr(cls, method)
    title = name or f"{cls.__name__}.{method}"

    @functools.wraps(original)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        if not gate.applies() or gate.here.call is not None:
            return original(self, *args, **keywords)
        here = gate.here
        here.call = Call(title, _id_of(self), gate.user_frame())
        result = "Exception"
        try:
            value = original(self, *args, **keywords)
            result = label(value)
            return value
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            here.call = None
            gate.write(wire.Back(gate.pid, here.tid, result))

    setattr(cls, method, call)


def _id_of(primitive: Any) -> str:
    found: str = type(primitive)._syncsim_id(primitive)
    return found


# -- primitives ------------------------------------------------------------------------


def _semaphore(role: str, lock: Any) -> wire.Part:
    sem = lock._semlock
    form = "recursive" if sem.kind == synchronize.RECURSIVE_MUTEX else "semaphore"
    return wire.Part(role, sem.key, form, _RealSemLock._get_value(sem), sem.maxvalue)


def _condition_parts(condition: Any) -> list[wire.Part]:
    return [
        _semaphore("lock", condition._lock),
        _semaphore("sleeping", condition._sleeping_count),
        _semaphore("woken", condition._woken_count),
        _semaphore("wait", condition._wait_semaphore),
    ]


def _queue_parts(queue: Any) -> list[wire.Part]:
    return [
        _semaphore("slots", queue._sem),
        wire.Part("items", channel_key(queue._writer), "channel"),
        _semaphore("get lock", queue._rlock),
        _semaphore("put lock", queue._wlock),
    ]


def _introduce(
    cls: type,
    identify: Callable[[Any], str],
    parts: Callable[[Any], list[wire.Part]],
    capacity: Callable[[Any], int | None] = lambda _: None,
    kind: str = "",
) -> None:
    """Records each creation of a ``cls`` by the program (not those inside other primitives)."""
    original = cls.__init__  # type: ignore[misc]
    cls._syncsim_id = identify  # type: ignore[attr-defined]
    kind = kind or cls.__name__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        if not gate.applies() or type(self)._syncsim_id is not identify:
            original(self, *args, **keywords)
            return
        gate.here.silent = True
        try:
            original(self, *args, **keywords)
        finally:
            gate.here.silent = False
        frame = gate.user_frame()
        file, line, end_line, column, end_column = "", 0, 0, 0, 0
        if frame is not None:
            file = frame.f_code.co_filename
            at = list(frame.f_code.co_positions())[frame.f_lasti // 2]
            line, end_line, column, end_column = (n or 0 for n in at)
        gate.write(
            wire.Made(
                gate.pid,
                identify(self),
                kind,
                parts(self),
                capacity(self),
                file,
                line,
                end_line,
                column,
                end_column,
            )
        )

    cls.__init__ = init  # type: ignore[misc]


def _wrap_primitives() -> None:
    def own(lock: Any) -> str:
        key: str = lock._semlock.key
        return key

    def condition_id(condition: Any) -> str:
        return f"condition {condition._wait_semaphore._semlock.key}"

    def queue_id(queue: Any) -> str:
        return f"queue {channel_key(queue._writer)}"

    def bounded(queue: Any) -> int | None:
        size: int = queue._maxsize
        return None if size >= synchronize.SEM_VALUE_MAX else size

    def permits(semaphore: Any) -> int | None:
        return _RealSemLock._get_value(semaphore._semlock) or None

    for lock in (synchronize.Lock, synchronize.RLock):
        _introduce(lock, own, lambda self: [_semaphore("lock", self)])
    for semaphore in (synchronize.Semaphore, synchronize.BoundedSemaphore):
        _introduce(semaphore, own, lambda self: [_semaphore("permits", self)], permits)
        _mark(semaphore, "get_value")
    _introduce(synchronize.Condition, condition_id, _condition_parts)
    _introduce(
        synchronize.Event,
        lambda event: f"event {event._flag._semlock.key}",
        lambda event: [_semaphore("flag", event._flag), *_condition_parts(event._cond)],
    )
    _introduce(
        synchronize.Barrier,
        lambda barrier: f"barrier {barrier._cond._wait_semaphore._semlock.key}",
        lambda barrier: _condition_parts(barrier._cond),
        lambda barrier: barrier._parties,
    )
    for method in ("wait", "wait_for", "notify", "notify_all"):
        _mark(synchronize.Condition, method)
    for method in ("is_set", "set", "clear", "wait"):
        _mark(synchronize.Event, method)
    for method in ("wait", "reset", "abort"):
        _mark(synchronize.Barrier, method)
    for queue in (queues.Queue, queues.JoinableQueue):
        _introduce(queue, queue_id, _queue_parts, bounded)
        _mark(queue, "put")
    for method, label in (("get", safe_text), ("empty", str), ("qsize", str), ("full", str)):
        _mark(queues.Queue, method, label=label)
    for method in ("task_done", "join"):
        _mark(queues.JoinableQueue, method)
    _introduce(
        queues.SimpleQueue,
        queue_id,
        lambda queue: [
            wire.Part("items", channel_key(queue._writer), "channel"),
            _semaphore("get lock", queue._rlock),
            _semaphore("put lock", queue._wlock),
        ],
    )
    _mark(queues.SimpleQueue, "put")
    _mark(queues.SimpleQueue, "get", label=safe_text)


# -- pipes -----------------------------------------------------------------------------


def channel_key(end: Any) -> str:
    """What names a pipe in every process: the number of its file."""
    key: str | None = getattr(end, "_syncsim_key", None)
    if key is None:
        key = end._syncsim_key = f"pipe:{os.fstat(end.fileno()).st_ino}"
    return key


def _wrap_channels() -> None:
    """The pipe inside a Queue: put into the buffer, sent by the feeder thread, received."""
    cls = connection.Connection
    real_send = cls._send_bytes  # type: ignore[attr-defined]
    real_receive = cls._recv_bytes  # type: ignore[attr-defined]
    real_poll = cls._poll  # type: ignore[attr-defined]

    def of_queue(self: Any) -> bool:
        return getattr(self, "_syncsim_queue", False)

    def send(self: Any, buf: Any) -> None:
        if not of_queue(self) or not gate.applies():
            real_send(self, buf)
            return
        gate.note(Verb.SEND, channel_key(self))
        real_send(self, buf)  # may block in the middle: the pipe is full
        gate.note(Verb.SENT, channel_key(self))
        buffer = getattr(self, "_syncsim_buffer", None)
        if buffer is not None:
            buffer.unsent -= 1

    def receive(self: Any, maxsize: int | None = None) -> Any:
        if not of_queue(self) or not gate.applies():
            return real_receive(self, maxsize)
        return gate.take(
            Verb.RECEIVE, channel_key(self), lambda: real_receive(self, maxsize), label=lambda _: ""
        )

    def poll(self: Any, timeout: float | None) -> Any:
        if not of_queue(self) or not gate.applies():
            return real_poll(self, timeout)
        waits = timeout is None or timeout > 0
        return gate.take(
            Verb.POLL,
            channel_key(self),
            lambda: real_poll(self, timeout),
            timeout=timeout if waits else None,
            block=waits,
            in_vain=False,
        )

    cls._send_bytes = send  # type: ignore[attr-defined]
    cls._recv_bytes = receive  # type: ignore[attr-defined]
    cls._poll = poll  # type: ignore[attr-defined]

    for queue in (queues.Queue, queues.SimpleQueue):
        _own_pipe(queue)

    real_start = queues.Queue._start_thread  # type: ignore[attr-defined]
    real_join = queues.Queue._finalize_join  # type: ignore[attr-defined]

    def start_thread(self: Any) -> None:
        real_start(self)
        self._thread._syncsim_buffer = self._buffer

    def finalize_join(reference: Any) -> None:
        buffer = getattr(reference(), "_syncsim_buffer", None)
        if buffer is None or not buffer.unsent or not gate.applies():
            real_join(reference)
        else:
            gate.take(Verb.FLUSH, buffer.channel, lambda: real_join(reference), "Queue.flush")

    queues.Queue._start_thread = start_thread  # type: ignore[attr-defined]
    queues.Queue._finalize_join = staticmethod(finalize_join)  # type: ignore[attr-defined]


class _Buffer(collections.deque[Any]):
    """The buffer between ``Queue.put`` and the feeder thread: what is appended is recorded."""

    __slots__ = ("channel", "unsent")

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel
        self.unsent = 0

    def append(self, item: Any) -> None:
        if item is not queues._sentinel and gate.applies():  # type: ignore[attr-defined]
            self.unsent += 1
            gate.note(Verb.PUT, self.channel, detail=safe_text(item))
        super().append(item)


def _own_pipe(cls: Any) -> None:
    """Marks the pipe of each queue as one, also in a process that has unpickled the queue."""
    is_queue = cls is queues.Queue

    def claim(self: Any) -> None:
        self._reader._syncsim_queue = self._writer._syncsim_queue = True
        channel_key(self._reader)
        channel_key(self._writer)
        if is_queue:
            self._buffer = self._writer._syncsim_buffer = _Buffer(channel_key(self._writer))

    if is_queue:
        real_reset = cls._reset

        def reset(self: Any, after_fork: bool = False) -> None:
            real_reset(self, after_fork)
            claim(self)

        cls._reset = reset
    else:
        real_init, real_setstate = cls.__init__, cls.__setstate__

        def init(self: Any, *args: Any, **keywords: Any) -> None:
            real_init(self, *args, **keywords)
            claim(self)

        def setstate(self: Any, state: Any) -> None:
            real_setstate(self, state)
            claim(self)

        cls.__init__, cls.__setstate__ = init, setstate


# -- shared memory ---------------------------------------------------------------------


def _wrap_memory() -> None:
    def cell(self: Any) -> str:
        key: str | None = getattr(self, "_syncsim_key", None)
        if key is None:
            (arena, start, _), _ = self._obj._wrapper._state
            file = os.fstat(arena.fd).st_ino if arena.fd >= 0 else id(arena)
            key = self._syncsim_key = f"cell:{file}+{start}"
        return key

    def text(self: Any) -> str:
        obj = self._obj
        return safe_text(obj.value if hasattr(obj, "value") else list(obj[:8]))

    def parts(self: Any) -> list[wire.Part]:
        return [
            wire.Part("value", cell(self), "cell", text=text(self)),
            _semaphore("lock", self._lock),
        ]

    for cls, name in (
        (sharedctypes.Synchronized, "Value"),
        (sharedctypes.SynchronizedArray, "Array"),
    ):
        _introduce(cls, lambda self: f"memory {cell(self)}", parts, kind=name)

    for maker in ("Value", "Array"):
        _make_lock_silently(maker)

    value = sharedctypes.Synchronized.value

    def locked(self: Any, work: Callable[[], Any]) -> Any:
        self.acquire()
        try:
            return work()
        finally:
            self.release()

    def get(self: Any) -> Any:
        if not gate.applies():
            return value.fget(self)
        return locked(
            self, lambda: gate.take(Verb.READ, cell(self), lambda: self._obj.value, label=safe_text)
        )

    def put(self: Any, new: Any) -> None:
        if not gate.applies():
            value.fset(self, new)
            return

        def write() -> None:
            gate.give(Verb.WRITE, cell(self), detail=safe_text(new))
            self._obj.value = new

        locked(self, write)

    def get_item(self: Any, at: Any) -> Any:
        return locked(
            self, lambda: gate.take(Verb.READ, cell(self), lambda: self._obj[at], label=safe_text)
        )

    def set_item(self: Any, at: Any, new: Any) -> None:
        def write() -> None:
            before = list(self._obj)
            before[at] = new
            gate.give(Verb.WRITE, cell(self), detail=safe_text(before))
            self._obj[at] = new

        locked(self, write)

    sharedctypes.Synchronized._syncsim_get = get
    sharedctypes.Synchronized._syncsim_set = put
    _mark(sharedctypes.Synchronized, "_syncsim_get", name="Value.get", label=safe_text)
    _mark(sharedctypes.Synchronized, "_syncsim_set", name="Value.set")
    sharedctypes.Synchronized.value = property(
        sharedctypes.Synchronized._syncsim_get, sharedctypes.Synchronized._syncsim_set
    )
    real_get, real_set = (
        sharedctypes.SynchronizedArray.__getitem__,
        sharedctypes.SynchronizedArray.__setitem__,
    )
    sharedctypes.SynchronizedArray.__getitem__ = _when_watched(get_item, real_get)
    sharedctypes.SynchronizedArray.__setitem__ = _when_watched(set_item, real_set)
    _mark(sharedctypes.SynchronizedArray, "__getitem__", name="Array.get", label=safe_text)
    _mark(sharedctypes.SynchronizedArray, "__setitem__", name="Array.set")


def _make_lock_silently(maker: str) -> None:
    """The lock inside a Value or an Array is a part of it, not a primitive of its own."""
    real = getattr(sharedctypes, maker)

    @functools.wraps(real)
    def make(typecode: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:
        if lock in (True, None) and gate.applies():
            gate.here.silent = True
            try:
                lock = (ctx or sharedctypes.get_context()).RLock()  # type: ignore[attr-defined]
            finally:
                gate.here.silent = False
        return real(typecode, *args, lock=lock, ctx=ctx)

    setattr(sharedctypes, maker, make)


def _when_watched(watched: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        return (watched if gate.applies() else real)(self, *args)

    return functools.wraps(real)(method)


# -- processes -------------------------------------------------------------------------


def _wrap_processes() -> None:
    base = process.BaseProcess
    real_start, real_join, real_alive = base.start, base.join, base.is_alive
    real_bootstrap = base._bootstrap  # type: ignore[attr-defined]
    real_print = traceback.print_exc

    def start(self: Any) -> None:
        if not gate.applies():
            real_start(self)
            return

        def go() -> int:
            real_start(self)
            pid: int = self.pid
            return pid

        gate.take(Verb.START, "", go, "Process.start", self.name)

    def join(self: Any, timeout: float | None = None) -> None:
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

    def is_alive(self: Any) -> bool:
        if not gate.applies() or self._popen is None:
            return real_alive(self)
        answer: bool = gate.take(
            Verb.ALIVE, str(self.pid), lambda: real_alive(self), "Process.is_alive", self.name
        )
        return answer

    def bootstrap(self: Any, parent_sentinel: Any = None) -> int:
        gate.born(self.name, self._parent_pid, daemon=self.daemon)
        stream_output()
        code: int = real_bootstrap(self, parent_sentinel)
        return code

    def print_exc(*args: Any, **keywords: Any) -> None:
        # The one place where a child's uncaught exception passes by.
        if sys._getframe(1).f_code is real_bootstrap.__code__:
            report_error(sys.exc_info()[1])
        real_print(*args, **keywords)

    def leave(code: int) -> None:
        if gate.applies():
            asked_for = not gate.is_library(sys._getframe(1).f_code)
            gate.give(Verb.EXIT, "", "exit", str(code), sited=asked_for)
        _real_exit(code)

    gate.bottoms.append(bootstrap.__code__)
    base.start, base.join, base.is_alive = start, join, is_alive  # type: ignore[method-assign]
    base._bootstrap = bootstrap  # type: ignore[attr-defined]
    traceback.print_exc = print_exc
    os._exit = leave  # type: ignore[assignment]
    for method, name in (("terminate", "Process.terminate"), ("kill", "Process.kill")):
        _wrap_signal(method, name)
    _wrap_poll(popen_fork.Popen)
    _wrap_poll(popen_forkserver.Popen)
    _wrap_new_interpreters()


def _wrap_signal(method: str, name: str) -> None:
    real = getattr(popen_fork.Popen, method)

    def send(self: Any) -> None:
        if gate.applies():
            gate.give(Verb.TERMINATE, str(self.pid), name)
        real(self)

    setattr(popen_fork.Popen, method, functools.wraps(real)(send))


def _wrap_poll(popen: Any) -> None:
    """The one place where a parent learns that its child has ended."""
    real = popen.poll

    def poll(self: Any, flag: int = os.WNOHANG) -> int | None:
        before = self.returncode
        code: int | None = real(self, flag)
        if before is None and code is not None and gate.active:
            gate.write(wire.Reaped(gate.pid, self.pid, code))
        return code

    popen.poll = poll


#: Runs first in every interpreter that multiprocessing starts for the program.
PRELUDE = (
    "import sys; path = sys.path[:]; sys.path.insert(0, {root!r}); "
    "from syncsim.real import child; sys.path[:] = path; child.join_run(); "
)


def _wrap_new_interpreters() -> None:
    """spawn and forkserver begin a new interpreter: ours goes in before theirs."""
    real = util.spawnv_passfds  # type: ignore[attr-defined]
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def spawnv_passfds(path: Any, args: Any, passfds: Any) -> Any:
        starts = ("from multiprocessing.spawn import", "from multiprocessing.forkserver import")
        words = [
            PRELUDE.format(root=root) + word
            if isinstance(word, str) and word.startswith(starts)
            else word
            for word in args
        ]
        return real(path, words, passfds)

    util.spawnv_passfds = spawnv_passfds  # type: ignore[attr-defined]


def report_error(error: BaseException | None) -> None:
    """Reports the exception that ends this process; an ``assert`` of the program is told apart."""
    if error is None:
        return
    file, line = "", 0
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    library = False
    for frame, number in traceback.walk_tb(error.__traceback__):
        library = gate.is_library(frame.f_code)
        if not library:
            file, line = frame.f_code.co_filename, number
    kind = type(error)
    assertion = isinstance(error, AssertionError) and not library
    try:
        message = str(error)
    except Exception:  # the exception's own __str__ is the program's
        message = ""
    gate.write(wire.Error(gate.pid, kind.__name__, message[:500], file, line, assertion))


# -- clock and output --------------------------------------------------------------------


def _wrap_clock() -> None:
    def sleep(seconds: float, /) -> None:
        if (
            not gate.applies()
            or not isinstance(seconds, int | float)
            or seconds < 0
            or gate.is_library(sys._getframe(1).f_code)
        ):
            _real_sleep(seconds)
            return

        def pass_time() -> None:
            if not gate.shut:
                _real_sleep(seconds)

        gate.take(Verb.SLEEP, "", pass_time, "sleep", f"{seconds:g}")

    time.sleep = functools.wraps(_real_sleep)(sleep)  # type: ignore[assignment]


class _Stream(io.RawIOBase):
    """The program's stdout or stderr: what is written is recorded, and shown by us."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raw = bytes(data)
        if not gate.active:
            return os.write(self._fd, raw)
        text = raw.decode("utf-8", "backslashreplace")
        if self._stream == "stdout" and gate.applies():
            # What is left in the buffer when a process ends is written from no line of the program.
            act = gate.give if gate.user_frame() is not None else gate.note
            act(Verb.OUTPUT, "", "print", safe_text(text.rstrip("\n"), 80))
        size = wire.LIMIT // 4
        for start in range(0, len(text), size):
            gate.write(wire.Text(gate.pid, self._stream, text[start : start + size]))
        return len(raw)


def stream_output() -> None:
    """Sends this process's stdout and stderr our way, by line, as to a terminal."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        buffered = io.BufferedWriter(_Stream(name, fd), 1 << 16)
        errors = "strict" if name == "stdout" else "backslashreplace"
        stream = io.TextIOWrapper(buffered, "utf-8", errors, line_buffering=True)
        stream.mode = "w"  # type: ignore[misc]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
