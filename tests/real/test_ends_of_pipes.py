"""The end of a process closes its ends of Pipes, which no report says."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncsim.core.schedule import parse_schedule
from syncsim.program.source import load
from syncsim.real.run import RealRun

PROGRAM = """\
from multiprocessing import Pipe, Value, get_context

context = get_context('fork')


def read(reader, writer, value):
    writer.close()
    try:
        reader.recv()
    except EOFError:
        assert value.value == 2


def write(writer, value):
    value.value = 1


if __name__ == '__main__':
    value = Value('i', 0)
    reader, writer = Pipe(False)
    context.Process(target=read, args=(reader, writer, value)).start()
    context.Process(target=write, args=(writer, value)).start()
    writer.close()
"""


@pytest.mark.parametrize("end", ["C4", "C@k"], ids=["exits", "is killed"])
def test_who_waits_at_a_pipe_can_go_as_soon_as_the_last_writer_has_ended(
    tmp_path: Path, end: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    run = RealRun(load(path), patience=30.0)
    try:
        run.settle()
        for choice in parse_schedule("A2"):
            run.take(choice)
        run.choices()  # nobody has closed anything yet
        for choice in parse_schedule(end):
            assert 1 not in {offered.actor for offered in run.choices()}
            run.take(choice)
        assert run.state.actors[2].ended
        assert 1 in {offered.actor for offered in run.choices()}
    finally:
        run.close()
