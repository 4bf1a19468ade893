"""What is said of a run in which nothing moves, as a diagnosis and as a report."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scene import Scene

from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.graph import Link
from syncsim.core.deadlock.verdict import Verdict, diagnose_standstill
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.whereabouts import Whereabouts
from syncsim.core.words.report import (
    WIDTH,
    PrimitiveReport,
    ProcessReport,
    Report,
    SourcePlace,
    StepReport,
    as_text,
)

SOCKET = Whereabouts("asleep in recvfrom on fd 5, a tcp socket", Site("/a/b.py", 12, "work"), True)


def outside(scene: Scene, who: str, where: Whereabouts) -> None:
    scene.recorder.change(scene.actor(who).id, outside=True, whereabouts=where)


def test_who_is_outside_is_told_with_what_it_does_and_where() -> None:
    scene = Scene("main", "Ada")
    scene.joins("main", "Ada")
    outside(scene, "Ada", SOCKET)
    told = diagnose_standstill(scene.state, "")
    assert told.verdict is Verdict.UNDECIDED
    assert told.explanation == (
        "Nothing moves. main waits for Ada to end; Ada is outside: "
        "asleep in recvfrom on fd 5, a tcp socket, at b.py:12."
    )


def test_a_place_that_is_only_that_of_the_last_step_is_told_as_such() -> None:
    assert Whereabouts("", Site("/a/b.py", 3, "f"), False).words == (
        "in something that we do not see, after b.py:3"
    )
    assert Whereabouts().words == "in something that we do not see"


def test_who_may_help_unseen_takes_away_the_certainty() -> None:
    scene = Scene("main")
    lock = scene.lock("lock")
    scene.takes("main", lock)
    scene.waits("main", lock)
    assert scene.diagnosis.verdict is Verdict.DEADLOCK
    told = diagnose_standstill(scene.state, "a thread of main is asleep")
    assert told.verdict is Verdict.UNDECIDED
    assert told.stuck == ()
    assert told.explanation.endswith(
        "Help may still come from where we do not see: a thread of main is asleep."
    )


def test_those_who_wait_for_ever_are_told_first() -> None:
    scene = Scene("main", "Ada", "Bob")
    one, two = scene.lock("one"), scene.lock("two")
    scene.takes("Ada", one)
    scene.takes("Bob", two)
    scene.waits("Ada", two)
    scene.waits("Bob", one)
    outside(scene, "main", SOCKET)
    told = diagnose_standstill(scene.state, "")
    assert told.verdict is Verdict.UNDECIDED  # main may still end them
    assert told.explanation.startswith("Nothing moves. Ada holds one and waits for two; Bob holds")
    assert told.explanation.endswith("at b.py:12.")
    assert len(told.cycle) == 2


def test_a_server_helps_nobody_by_itself() -> None:
    scene = Scene("main", "SyncManager-1")
    event = scene.condition("done", "Event")
    scene.sleeps_on("main", event)
    assert scene.diagnosis.verdict is None
    outside(scene, "SyncManager-1", Whereabouts("a server", serves=True))
    assert scene.diagnosis.verdict is Verdict.DEADLOCK
    assert [finding.kind for finding in scene.diagnosis.findings] == []


def test_what_a_thread_puts_is_its_process_to_deliver() -> None:
    scene = Scene("main")
    queue = scene.queue("answers")
    scene.born("Thread-1", thread="Thread-1")
    items = queue.parts["items"]
    put = Operation(Verb.PUT, items, "Queue.put", queue.id, "items", compound=True, detail="7")
    scene.recorder.effect(1, put)
    scene.recorder.move(0, Operation(Verb.SEND, items, "Queue.put", queue.id, "items"))
    assert [item.label for item in scene.state.channel(queue).items] == ["7"]
    assert scene.state.channel(queue).buffered == ()


TEXTS = st.text(max_size=300)
NAMES = st.tuples(TEXTS, TEXTS)


@given(TEXTS, NAMES, TEXTS, st.integers(0, 10**9))
def test_the_text_is_never_wider_than_a_hundred_columns(
    explanation: str, names: tuple[str, str], line: str, number: int
) -> None:
    report = Report(
        verdict=Verdict.DEADLOCK,
        explanation=explanation,
        steps=number,
        findings=(Finding("cycle", explanation),),
        cycle=(Link(names[0], names[1], names[0], 0, 0),),
        processes=(
            ProcessReport(
                names[0],
                number,
                "stuck",
                waits=explanation,
                held_by=names,
                since=number,
                place=SourcePlace(names[1], number, names[0], line),
                holds=names,
                kernel=line,
                doubt=line,
            ),
        ),
        primitives=(PrimitiveReport(names[1], "Lock", names[0], names, names),),
        last_steps=(StepReport(number, names[0], explanation, names[1][:60]),),
        python="CPython",
        platform=line,
        start_method="fork",
        command=line,
    )
    assert max(map(len, as_text(report).split("\n"))) <= WIDTH
