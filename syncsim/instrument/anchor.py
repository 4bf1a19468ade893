"""Where a look at a thread from outside begins: told once, when the thread is first heard of."""

from __future__ import annotations

import ctypes


def thread_state() -> int:
    """The address of the calling thread's ``PyThreadState``; see ``kernel.python_stack``."""
    function = ctypes.pythonapi.PyThreadState_Get
    function.restype = ctypes.c_void_p
    return function() or 0
