"""Every primitive is made of the parts that the table of kinds says, in both worlds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import syncsim
from syncsim.core.kinds import KINDS, MADE_OF_SEMAPHORES, SINGLE_SEMAPHORES, Family, Kind, Role
from syncsim.core.state import State
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.virtual.run import VirtualRun
from syncsim.virtual.stdlib import primitives

PROGRAM = Path(__file__).parent / "programs" / "every_kind.py"
#: Of a Barrier the real world does not follow the two numbers in shared memory.
ONLY_VIRTUAL = {"phase", "count"}


def parts_of(run: RealRun | VirtualRun) -> dict[str, set[str]]:
    while choices := run.choices():
        run.take(choices[0])
    state: State = run.state
    return {primitive.kind: set(primitive.parts) for primitive in state.primitives.values()}


def test_a_primitive_has_the_parts_of_its_kind_in_both_worlds() -> None:
    program = load(PROGRAM)
    virtual, real = VirtualRun(program), RealRun(program, patience=30.0)
    try:
        real.settle()
        there, here = parts_of(virtual), parts_of(real)
    finally:
        real.close()
        virtual.close()
    for name, parts in there.items():
        assert parts == set(KINDS[name].roles)
        assert here[name] == parts - ONLY_VIRTUAL
    others = {kind.name for kind in KINDS.values() if kind.name not in there}
    assert all(KINDS[name].family in (Family.BLOCK, Family.WORKERS) for name in others)


def test_a_kind_whose_class_this_python_has_not_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = Kind("SpareLock", Family.LOCK, (Role.LOCK,), marked=("acquire",))
    monkeypatch.setattr(primitives, "SINGLE_SEMAPHORES", (missing, *SINGLE_SEMAPHORES))
    monkeypatch.setattr(primitives, "MADE_OF_SEMAPHORES", (missing, *MADE_OF_SEMAPHORES))
    spec = importlib.util.find_spec("multiprocessing.synchronize")
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    primitives.install(copy)
    for kind in MADE_OF_SEMAPHORES:
        assert callable(getattr(copy, kind.name)._syncsim_id)


OWN = """import multiprocessing
from multiprocessing import synchronize

class FairLock(synchronize.SemLock):
    def __init__(self):
        super().__init__(1, 1, 1, ctx=multiprocessing.get_context())

FairLock()
"""


def test_a_semlock_of_the_programs_own_is_refused_by_name_and_line(tmp_path: Path) -> None:
    program = tmp_path / "own.py"
    program.write_text(OWN, encoding="utf-8")
    checked = syncsim.check(program)
    assert checked.verdict == "undecided"
    assert "FairLock" in checked.explanation
    assert "(own.py, line 6)" in checked.explanation
