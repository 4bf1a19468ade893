"""The stage: the process in which the program's main runs, and from which its children are born.

Started in a session of its own, with no Textual anywhere near.  It becomes the program:
``__main__``, ``sys.argv`` and ``sys.path`` are as under plain ``python PROGRAM``, ``python
FOLDER`` and ``python -m MODULE``; so a child that imports main again finds the same.
"""

from __future__ import annotations

import builtins
import os
import pkgutil
import runpy
import signal
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from types import ModuleType

from syncsim import wire
from syncsim.instrument import child, guard
from syncsim.instrument.file_limit import leave_room
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes import output, processes, tracebacks
from syncsim.instrument.shadows import give_way


def main() -> None:
    """Run the program that the command line names: ``PROGRAM [ARGUMENT …]``."""
    directory = os.environ[wire.RUN_VARIABLE]
    leave_room(int(os.environ.pop(wire.ROOM_VARIABLE)))
    guarding = guard.watch(directory, int(os.environ.pop(wire.LIFELINE_VARIABLE)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gate = child.join_run(directory)
    if gate is None:
        sys.exit("the run is over before it began")
    processes.name_semaphores("/mp" + os.path.basename(directory)[-6:])
    gate.code.bottoms.append(_run.__code__)
    gate.write(wire.Joined(guarding))
    gate.born("main", os.getppid())
    output.redirect(gate)
    del sys.argv[0]
    begin = _beginning()
    give_way(sys.path)
    _run(begin, gate)


def _beginning() -> Callable[[ModuleType], object]:
    """Return the beginning of the named program (see CPython's ``Modules/main.c``)."""
    target = sys.argv[0]
    run_module = vars(runpy)["_run_module_as_main"]
    if target == "-m":
        name = sys.argv.pop(1)
        _search_first(os.getcwd())
        return lambda main: run_module(name)
    path = os.path.abspath(target)
    if pkgutil.get_importer(path) is not None:  # a folder or an archive
        sys.path[: 0 if sys.flags.safe_path else 1] = [path]
        return lambda main: run_module("__main__", False)
    _search_first(os.path.dirname(os.path.realpath(target)))
    return lambda main: _run_file(path, main)


def _search_first(directory: str) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _run_file(path: str, main: ModuleType) -> None:
    main.__file__ = path
    main.__loader__ = SourceFileLoader("__main__", path)
    vars(main)["__cached__"] = None
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, vars(main))


def _run(begin: Callable[[ModuleType], object], gate: Gate) -> None:
    main = ModuleType("__main__")
    vars(main)["__builtins__"] = builtins
    # By the second name it is known to who was not forked (see ``multiprocessing/__init__.py``).
    sys.modules["__main__"] = sys.modules["__mp_main__"] = main
    try:
        begin(main)
    except SystemExit as leaving:
        child.exit_code = _code(leaving.code)
        raise
    except BaseException as error:
        child.exit_code = 1
        # Our own frames are no part of the program's traceback.
        trace = error.__traceback__ = tracebacks.without_ours(error.__traceback__)
        processes.report_error(gate, error)
        sys.excepthook(type(error), error, trace)
        sys.exit(1)


def _code(code: object) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1
