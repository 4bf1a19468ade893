"""The check: every interleaving is visited, and each failure is replayed on real processes.

The search runs in a process of its own (``explore.worker``).  What it finds is not believed:
its schedule is replayed on the real processes first, and the verdict, the explanation and the
steps are those of the real run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator

from syncsim.checking.options import request_for
from syncsim.checking.result import Checked, Failure, Upheld
from syncsim.explore.ahead import Process
from syncsim.explore.bounds import USUAL, search_for
from syncsim.explore.checker import Checker, NotStartedError
from syncsim.explore.properties.properties import Property, PropertyError, unpack
from syncsim.explore.request import Report, Request
from syncsim.program.source import Program, load
from syncsim.program.start_methods import checked

__all__ = ["Checked", "Failure", "Upheld", "check", "check_program"]


def check(
    what: str | os.PathLike[str] | Callable[[], object],
    *,
    arguments: tuple[str, ...] = (),
    start_method: str | None = None,
    search: str = "exhaustive",
    grain: str | None = None,
    real: bool = False,
    first: bool = False,
    seed: int | None = None,
    max_states: int = USUAL.states,
    max_depth: int | None = None,
    timeout: float = USUAL.seconds,
    jobs: int | None = None,
    properties: Iterable[Property] = (),
) -> Checked:
    """Visit every interleaving of a program, or of a function at the top of a module.

    ``timeout`` is in seconds, from the start of the process that searches to the smallest
    counterexamples; their replays on real processes come after it (60 s each at the most, commonly
    a few hundredths).  ``max_depth`` is in steps in a row (10,000).  The ``grain`` is ``atom``
    or ``call``.  So many processes as there are ``jobs`` search at once, as many as there are cores
    unless said otherwise.  ``properties`` are judged besides: ``always``, ``never``, ``sometimes``
    and ``eventually`` make them.  ``real`` searches on real processes: the program is run many
    times, and what it does to files and the like is done each time; the grain is ``call`` then,
    unless it is given, for each step takes real time.  By ``start_method`` (``fork``, ``spawn``,
    ``forkserver``) processes are started where the program does not say so itself.  Raises
    ``ProgramError`` for what cannot be read, ``ValueError`` for a function that cannot be imported
    and for an option that there is not or that would do nothing, ``PropertyError`` (also a
    ``ValueError``) for a property that cannot be judged, ``CheckError`` when the check
    itself fails.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="syncsim-") as folder:
        path = _caller(what, folder) if callable(what) else os.fspath(what)
        method = checked(start_method) if start_method is not None else ""
        program = load(path, arguments, method)
        request = request_for(
            program,
            search=search,
            grain=grain,
            real=real,
            first=first,
            seed=seed,
            max_states=max_states,
            max_depth=max_depth,
            timeout=timeout,
            jobs=jobs,
            properties=properties,
        )
        return check_program(program, request)


def _caller(function: Callable[[], object], folder: str) -> str:
    """A program that does nothing but call that function; its path."""
    import inspect

    name = getattr(function, "__qualname__", "")
    file = inspect.getsourcefile(function)
    if file is None or not name.isidentifier():
        raise ValueError(
            f"{name or repr(function)} is no function at the top of a module, from which it could "
            "be imported by its name"
        )
    module = os.path.splitext(os.path.basename(file))[0]
    path = os.path.join(folder, f"check_{module}.py")
    with open(path, "w", encoding="utf-8") as program:
        program.write(
            f"import sys\n\nsys.path.insert(0, {os.path.dirname(os.path.abspath(file))!r})\n"
            f"from {module} import {name}\n\nif __name__ == '__main__':\n    {name}()\n"
        )
    return path


def check_program(
    program: Program,
    request: Request,
    on_progress: Callable[[Report], None] = lambda report: None,
    process: Process | None = None,
) -> Checked:
    """Search the program and replay what was found; raises ``CheckError``, ``PropertyError``.

    ``process`` is one for the search that was started ahead.
    """
    claims = unpack(request.properties)
    if claims and not search_for(request.search):
        raise PropertyError(
            f"properties are judged over all states, and the search {request.search} leaves most "
            "of them out: take graph, or a sampler"
        )
    if claims and request.real:
        raise PropertyError("properties are judged in the virtual world, not on real processes")
    if request.real:
        from syncsim.explore.real.search import RealSearch

        with _real_runs():
            report = RealSearch(program, request, on_progress).run()
    else:
        with Checker(request, process) as checker:
            # What comes after the search is imported while the process that searches begins.
            import syncsim.checking.telling  # noqa: F401

            report = checker.search(on_progress)
    on_progress(report)
    if report.wrong:
        raise PropertyError(report.wrong)
    from syncsim.checking.verdict import judge

    with _real_runs():
        return judge(program, report, claims)


@contextlib.contextmanager
def _real_runs() -> Iterator[None]:
    """Tell of a program that cannot be run that the check was not started."""
    from syncsim.real.launch import StageError

    try:
        yield
    except StageError as error:
        raise NotStartedError(str(error)) from error
