"""The command ``syncsim check``."""

from __future__ import annotations

import sys

from syncsim.checking import check_program
from syncsim.core.deadlock.verdict import Verdict
from syncsim.explore.ahead import Process
from syncsim.explore.checker import CheckError, NotStartedError
from syncsim.explore.progress import Progress, is_wanted
from syncsim.explore.properties.properties import PropertyError
from syncsim.explore.request import Request
from syncsim.program.source import Program
from syncsim.terminal import complain, say, say_json


def run(
    program: Program, request: Request, process: Process | None = None, *, as_json: bool
) -> int:
    """``syncsim check``: says what came of it; the answer is the exit code."""
    progress = Progress(sys.stderr, request.seconds)
    shown = not as_json and is_wanted(sys.stdout, sys.stderr)
    try:
        show = progress.show if shown else lambda report: None
        checked = check_program(program, request, show, process)
    except CheckError as error:
        complain(f"{error}.")
        return 2 if isinstance(error, NotStartedError) else 3
    except PropertyError as error:
        complain(f"{error}.")
        return 2
    finally:
        progress.clear()
    from syncsim.checking.telling import told  # meanwhile most of it is there

    if as_json:
        say_json(checked.as_dict(), sys.stdout)
    else:
        for line in told(checked):
            say(line, sys.stdout)
    if checked.verdict is Verdict.FINISHED:
        return 0
    return 3 if checked.verdict is Verdict.UNDECIDED else 1
