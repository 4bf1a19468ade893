"""The Python call stack of another process, read from its memory while it sleeps.

No signal is sent (a system call of a C extension might be interrupted by one, and the program
may have handlers of its own), no thread is started in it, nothing of it is stopped: it cannot
notice.  Where the pieces of CPython's structures lie (``Include/internal/pycore_frame.h``,
``Include/cpython/code.h``) is not written down here but measured on ourselves, by looking for
what we know to be there; so it is right for the Python that runs us, or it is not found.  A
process that runs another one cannot be looked into.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import struct
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FrameType
from typing import NamedTuple

from syncsim.instrument.anchor import thread_state
from syncsim.real.kernel.process_memory import read_memory

_WORD = struct.calcsize("P")
#: So many levels of a stack are read, and so many characters and bytes of what belongs to one.
_DEEPEST, _LONGEST = 200, 1 << 16


class Level(NamedTuple):
    """One level of a stack: as in a traceback."""

    file: str
    line: int
    function: str


class _Layout(NamedTuple):
    """Offsets in bytes; see the names in CPython."""

    current_frame: int  # in the thread's state
    by_way: int | None  # in what that points to (``_PyCFrame``), up to Python 3.12
    f_code: int
    previous: int
    instruction: int
    co_filename: int
    co_name: int
    co_firstlineno: int
    co_linetable: int
    bytecode: int


def stack_of(pid: int, state: int) -> tuple[Level, ...]:
    """The stack of the thread with that ``thread_state``, innermost last.

    Empty where it cannot be read.  It is what it seems only if the thread sleeps meanwhile.
    """
    layout = _layout()
    if layout is None or not state or not _runs_our_python(pid):
        return ()
    return tuple(reversed(_levels(pid, state, layout)))


def _levels(pid: int, state: int, layout: _Layout) -> list[Level]:
    frame = _pointer(pid, state + layout.current_frame)
    if layout.by_way is not None:
        frame = _pointer(pid, frame + layout.by_way)
    found: list[Level] = []
    for _ in range(_DEEPEST):
        if not frame:
            break
        code = _pointer(pid, frame + layout.f_code)
        level = _level(pid, code, _pointer(pid, frame + layout.instruction), layout)
        # (Python 3.12 has a frame of its own wherever C calls Python.)
        if level is not None and level.file != "<shim>":
            found.append(level)
        frame = _pointer(pid, frame + layout.previous)
    return found


def _level(pid: int, code: int, instruction: int, layout: _Layout) -> Level | None:
    head = read_memory(pid, code, layout.bytecode)
    if head is None:
        return None
    file = _string(pid, _word(head, layout.co_filename))
    function = _string(pid, _word(head, layout.co_name))
    table = _bytes(pid, _word(head, layout.co_linetable))
    if not file or not function or table is None:
        return None
    (first,) = struct.unpack_from("i", head, layout.co_firstlineno)
    return Level(file, _line(first, table, instruction - code - layout.bytecode), function)


def _line(first: int, table: bytes, offset: int) -> int:
    """The line of the bytecode at that offset: we let CPython read its own table."""
    if not 0 <= offset < 1 << 24:
        return first
    like = _lines_of_nothing.replace(co_firstlineno=first, co_linetable=table)
    line = first
    for start, end, number in like.co_lines():
        if start <= offset < end:
            return number or line
        line = number or line
        if start > offset:
            break
    return first


#: A code of which only the table of lines counts.
_lines_of_nothing = compile("", "", "exec")


def _pointer(pid: int, address: int) -> int:
    data = read_memory(pid, address, _WORD)
    return _word(data, 0) if data else 0


def _word(data: bytes, offset: int) -> int:
    (word,) = struct.unpack_from("P", data, offset)
    return int(word)


def _size(pid: int, address: int) -> int:
    """The length of a ``str`` or ``bytes``: the first field after the head of an object."""
    data = read_memory(pid, address + object.__basicsize__, _WORD)
    size = _word(data, 0) if data else 0
    return size if 0 < size <= _LONGEST else 0


def _bytes(pid: int, address: int) -> bytes | None:
    return read_memory(pid, address + bytes.__basicsize__ - 1, _size(pid, address))


def _string(pid: int, address: int) -> str:
    """A compact ``str`` (``Include/cpython/unicodeobject.h``): all those in code objects are."""
    size = _size(pid, address)
    flags = read_memory(pid, address + object.__basicsize__ + 2 * _WORD, 4)
    if not size or flags is None:
        return ""
    bits = int.from_bytes(flags, sys.byteorder)
    width, ascii_only = bits >> 2 & 7, bits >> 6 & 1
    start = sys.getsizeof("") - 1 if ascii_only else sys.getsizeof("\u20ac") - 4
    data = read_memory(pid, address + start, size * width)
    if data is None or width not in (1, 2, 4):
        return ""
    coding = {1: "latin-1", 2: "utf-16", 4: "utf-32"}[width]
    order = "" if width == 1 else "-le" if sys.byteorder == "little" else "-be"
    return data.decode(coding + order, "replace")


@lru_cache(maxsize=64)
def _runs_our_python(pid: int) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/exe", "/proc/self/exe")
    except OSError:
        return False


# -- measuring ---------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _layout() -> _Layout | None:
    """The layout of this Python, tried on ourselves; None where it cannot be found out."""
    ready, over = _thread.allocate_lock(), _thread.allocate_lock()
    ready.acquire()
    over.acquire()
    told: list[tuple[FrameType, int]] = []

    def wait() -> None:
        told.append((sys._getframe(), thread_state()))
        ready.release()
        over.acquire()

    # A thread whose stack is known, and which stays where it is while we look.
    thread = threading.Thread(target=wait, name="a known stack")
    thread.start()
    ready.acquire()
    try:
        return _measure(*told[0])
    finally:
        over.release()
        thread.join()


def _measure(frame: FrameType, state: int) -> _Layout | None:
    above = frame.f_back
    code = _measure_code(frame.f_code)
    if above is None or code is None:
        return None
    inner, before = _inner(frame), _inner(above)
    begin = id(frame.f_code) + code["bytecode"]
    end = begin + len(frame.f_code.co_code)
    words = _own(inner, 12)
    f_code = _find(words, lambda word: word == id(frame.f_code))
    previous = _find(words, lambda word: word == before)
    instruction = _find(words, lambda word: begin - 2 <= word < end)
    way = _way_to(inner, state)
    if way is None or f_code is None or previous is None or instruction is None:
        return None
    layout = _Layout(*way, f_code, previous, instruction, **code)
    return layout if _is_right(layout, frame, state) else None


def _way_to(inner: int, state: int) -> tuple[int, int | None] | None:
    """Where in the thread's state its current frame stands, directly or in what it points to."""
    words = _own(state, 40)
    at = _find(words, lambda word: word == inner)
    if at is not None:
        return at, None
    for index, word in enumerate(words):
        inside = _find(_own(word, 3), lambda word: word == inner)
        if inside is not None:
            return index * _WORD, inside
    return None


def _is_right(layout: _Layout, frame: FrameType, state: int) -> bool:
    """Return whether it shows the stack as Python itself does (the innermost line may move on)."""
    known: list[Level] = []
    above: FrameType | None = frame
    while above is not None:
        known.insert(0, Level(above.f_code.co_filename, above.f_lineno, above.f_code.co_name))
        above = above.f_back
    seen = _levels(os.getpid(), state, layout)[::-1]
    return len(known) > 2 and seen[:-1] == known[:-1] and seen[-1][::2] == known[-1][::2]


def _measure_code(code: CodeType) -> dict[str, int] | None:
    size = CodeType.__basicsize__
    words = _own(id(code), size // _WORD)
    numbers = struct.unpack(f"{size // 4}i", ctypes.string_at(id(code), size // 4 * 4))
    table = id(code.co_linetable)
    firsts = [at for at, number in enumerate(numbers) if number == code.co_firstlineno]
    if id(code.co_filename) not in words or id(code.co_name) not in words:
        return None
    if table not in words or not firsts:
        return None
    return {
        "co_filename": words.index(id(code.co_filename)) * _WORD,
        "co_name": words.index(id(code.co_name)) * _WORD,
        "co_firstlineno": firsts[0] * 4,
        "co_linetable": words.index(table) * _WORD,
        "bytecode": size,
    }


def _inner(frame: FrameType) -> int:
    """The address of the frame proper: ``f_frame``, after the head of the object and ``f_back``."""
    return _word(ctypes.string_at(id(frame) + object.__basicsize__ + _WORD, _WORD), 0)


def _own(address: int, words: int) -> list[int]:
    """Words of our own memory; fewer where it ends, and none where there is none."""
    data = read_memory(os.getpid(), address, words * _WORD) or b""
    return list(struct.unpack(f"{len(data) // _WORD}P", data))


def _find(words: list[int], wanted: Callable[[int], bool]) -> int | None:
    return next((at * _WORD for at, word in enumerate(words) if wanted(word)), None)
