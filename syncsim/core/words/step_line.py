"""A step as one line of text."""

from __future__ import annotations

from functools import lru_cache

from syncsim.core.schedule import Move
from syncsim.core.steps import Step
from syncsim.core.text import clean


def step_line(step: Step) -> str:
    """Return a step as a line of text: its number, its process, its sentence, its place."""
    text = _text(
        step.process,
        step.call,
        step.verb,
        step.primitive,
        step.kind,
        step.result,
        step.file,
        step.line,
        step.detail,
        step.complete,
        step.operation,
        step.move,
    )
    return f"{step.n:5}  {text}"


@lru_cache(maxsize=4096)
def _text(
    process: str,
    call: str,
    verb: str,
    primitive: str,
    kind: str,
    result: str,
    file: str,
    line: int,
    detail: str,
    complete: bool,
    operation: str,
    move: Move,
) -> str:
    """Return a step as text, without its number; cached, for most steps of a long run are alike."""
    sentence = Step(
        n=0,
        actor=0,
        process=process,
        pid=0,
        call=call,
        verb=verb,
        primitive=primitive,
        kind=kind,
        result=result,
        file=file,
        line=line,
        function="",
        detail=detail,
        complete=complete,
        waited=0,
        operation=operation,
        move=move,
    ).sentence
    where = f"{file.rpartition('/')[2]}:{line}" if file else ""
    return f"{clean(process):<12} {clean(sentence):<52} {where}".rstrip()
