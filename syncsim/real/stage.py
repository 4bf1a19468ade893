"""The stage: the process in which the program's main runs, and from which its children are born.

Started in a session of its own, with no Textual anywhere near.  It becomes the program:
``__main__``, ``sys.argv`` and ``sys.path`` are as under plain ``python PROGRAM``.
"""

from __future__ import annotations

import os
import signal
import sys
from types import ModuleType

from syncsim.real import child, guard, wire
from syncsim.real.gate import Gate
from syncsim.real.probes import output, processes, unseen


def main() -> None:
    """Runs the program that the command line names: ``PROGRAM [ARGUMENT …]``."""
    directory = os.environ[wire.RUN_VARIABLE]
    guard.watch(directory, int(os.environ.pop(wire.LIFELINE_VARIABLE)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gate = child.join_run()
    if gate is None:
        sys.exit("the run is over before it began")
    processes.name_semaphores("/mp" + os.path.basename(directory)[-6:])
    gate.bottoms.append(_run.__code__)
    gate.born("main", os.getppid())
    output.redirect(gate)
    path = sys.argv[1]
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    _run(path, gate)


def _run(path: str, gate: Gate) -> None:
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = module
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit as leaving:
        child.exit_code = _code(leaving.code)
        raise
    except BaseException as error:
        child.exit_code = 1
        # Our own frames are no part of the program's traceback.
        trace = error.__traceback__ = unseen.without_ours(error.__traceback__)
        processes.report_error(gate, error)
        sys.excepthook(type(error), error, trace)
        sys.exit(1)


def _code(code: object) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1
