"""Every primitive is made of the parts that the table of kinds says, in both worlds."""

from __future__ import annotations

from pathlib import Path

from syncsim.core.kinds import KINDS, Family
from syncsim.core.state import State
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.virtual.run import VirtualRun

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
