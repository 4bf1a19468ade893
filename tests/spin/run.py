"""The explorer beside SPIN: the same programs, the same verdicts, the same states at their ends.

    apt-get install spin gcc
    python tests/spin/run.py

Each program is there twice, for SPIN (``*.pml``) and as a ``multiprocessing`` program.  A state
at an end is one in which nobody can go on: because all have ended, or because they wait for
one another.  It is what can be seen of it that is compared: what everybody has printed there.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple

import syncsim
from syncsim.core.operation import Verb
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

HERE = Path(__file__).parent
End = tuple[int, ...]


class Case(NamedTuple):
    """A program: its arguments for both, how its end is read, and what each end amounts to."""

    name: str
    arguments: tuple[str, ...]
    defines: tuple[str, ...]
    read: Callable[[list[str]], End]
    verdict: Callable[[End], str]


class Spun(NamedTuple):
    """What SPIN came to: the ends, its states, seconds to translate and compile, and to search."""

    ends: set[End]
    states: int
    compile: float
    search: float


def _philosophers(count: int, *, lefty: bool) -> Case:
    def read(lines: list[str]) -> End:
        times = Counter(lines)
        return tuple(times[str(me)] for me in range(count))

    return Case(
        "philosophers",
        (str(count), *(["lefty"] if lefty else [])),
        (f"-DN={count}", *(["-DLEFTY"] if lefty else [])),
        read,
        lambda end: "finished" if end == (2,) * count else "deadlock",
    )


def _buffer(size: int, many: int, *, greedy: bool) -> Case:
    def read(lines: list[str]) -> End:
        by_whom: dict[str, list[int]] = {"0": [], "1": []}
        for line in lines:
            who, item = line.split()
            by_whom[who].append(int(item))
        return tuple(
            item
            for got in by_whom.values()
            for item in (got + [0] * many)[:many]  # nothing yet is 0
        )

    return Case(
        "buffer",
        (str(size), str(many), *(["greedy"] if greedy else [])),
        (f"-DSIZE={size}", f"-DK={many}", *(["-DGREEDY"] if greedy else [])),
        read,
        lambda end: "finished" if all(end) else "deadlock",
    )


def _peterson(*, hasty: bool) -> Case:
    return Case(
        "peterson",
        ("hasty",) if hasty else (),
        ("-DHASTY",) if hasty else (),
        lambda lines: tuple(map(int, lines[-1].split())),
        lambda end: "finished" if end[0] == 2 else "assertion",
    )


CASES = [
    *(_philosophers(count, lefty=lefty) for lefty in (False, True) for count in range(2, 7)),
    *(_buffer(size, 2, greedy=greedy) for greedy in (False, True) for size in (1, 2)),
    *(_peterson(hasty=hasty) for hasty in (False, True)),
]


def spin(case: Case, *, reduced: bool = False) -> Spun:
    """Have SPIN visit every state; with partial order reduction only where that is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _call(folder, "spin", *case.defines, "-o2", "-a", str(HERE / f"{case.name}.pml"))
        options = [] if reduced else ["-DNOREDUCE"]
        # A search in depth that tells of the ends that it comes to, and stops at none.
        _call(folder, "gcc", "-O2", "-w", "-DSAFETY", "-DPRINTF", *options, "-o", "pan", "pan.c")
        compiled = time.perf_counter()
        said = _call(folder, "./pan", "-E", "-A", "-m1000000", "-w22").splitlines()
        over = time.perf_counter()
    ends = {tuple(map(int, line.split()[1:])) for line in said if line.strip().startswith("END")}
    (states,) = (int(line.split()[0]) for line in said if "states, stored" in line)
    assert not any("max search depth too small" in line for line in said)
    return Spun(ends, states, compiled - began, over - compiled)


def _call(folder: str, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def our_ends(case: Case) -> tuple[set[End], int]:
    """The ends that we come to, and our states; every state with what was printed is visited."""
    path = HERE / f"{case.name}.py"
    system = System(VirtualProgram(load(str(path), case.arguments)).main())
    ends: set[End] = set()
    start = system.start()
    todo: list[tuple[State, tuple[str, ...]]] = [(start.state, _printed((), start.did))]
    known: set[Hashable] = {(start.state.key, todo[0][1])}
    while todo:
        state, printed = todo.pop()
        moves = system.moves(state)
        if not moves:
            ends.add(case.read(list(printed)))
        for move in moves:
            after, did = system.take(state, move)
            now = _printed(printed, did)
            if (after.key, now) not in known:
                known.add((after.key, now))
                todo.append((after, now))
    return ends, len(known)


def _printed(before: tuple[str, ...], did: tuple[Did, ...]) -> tuple[str, ...]:
    """What was printed, but not in which order by different processes."""
    lines = [
        ast.literal_eval(one.request.operation.detail)
        for one in did
        if one.verb is Verb.OUTPUT and one.request is not None
    ]
    # (A line begins with who prints it, so a stable sort keeps the order of each.)
    return tuple(sorted((*before, *lines), key=lambda line: line.split()[0])) if lines else before


def agree(case: Case) -> bool:
    """Compare, and tell."""
    spun = spin(case)
    ends, states = our_ends(case)
    checked = syncsim.check(HERE / f"{case.name}.py", arguments=case.arguments)
    bad = sorted({case.verdict(end) for end in spun.ends} - {"finished"})
    verdict = bad[0] if bad else "finished"
    same = ends == spun.ends and checked.verdict == verdict and checked.complete
    print(
        f"{'the same' if same else 'DIFFERENT'}: {case.name} {' '.join(case.arguments)}: "
        f"{verdict} / {checked.verdict}, {len(spun.ends)} / {len(ends)} ends "
        f"({spun.states:,} / {states:,} states)",
        flush=True,
    )
    return same


def beside(count: int) -> None:
    """How long both take to the complete answer."""
    case = _philosophers(count, lefty=False)
    spun = min((spin(case, reduced=True) for _ in range(3)), key=lambda one: one.search)
    path, found = HERE / f"{case.name}.py", []
    for _ in range(3):
        began = time.perf_counter()
        system = System(VirtualProgram(load(str(path), case.arguments)).main())
        number = sum(1 for _ in DPOR(VirtualSystem(system)).executions())
        found.append(time.perf_counter() - began)
    began = time.perf_counter()
    command = [sys.executable, "-m", "syncsim", "check", str(path), "--", *case.arguments]
    subprocess.run(command, capture_output=True, check=False)
    whole = time.perf_counter() - began
    print(
        f"philosophers {count}: SPIN {spun.search:.3f} s for {spun.states:,} states, "
        f"{spun.compile + spun.search:.2f} s with compiling; we {min(found):.3f} s for "
        f"{number:,} executions, {whole:.2f} s with all that a check is (confirmed, told)",
        flush=True,
    )


def main() -> int:
    """Compare all; 1 if one differs, 2 if something is missing."""
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing; on Debian: apt-get install spin gcc", file=sys.stderr)
            return 2
    different = [case for case in CASES if not agree(case)]
    for count in (6, 8):
        beside(count)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
