"""The tasks of a Pool and what is waited for: plain values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.steps import Step
from syncsim.core.words.waiting import waiting_for
from syncsim.core.work import KNOWN, Task, TaskOutcome, Work

AWAIT = Operation(Verb.AWAIT, "work job 0 7", "AsyncResult.get", "pool", detail="f(3)")


def after(work: Work, *moves: tuple[Verb, int, str]) -> Work:
    for verb, actor, detail in moves:
        work, _ = work.apply(Operation(verb, "work", detail=detail), actor)
    return work


BUSY = after(
    Work().hired(1).hired(2),
    (Verb.QUEUE, 0, "7.0 f(3)"),
    (Verb.QUEUE, 0, "8.0 f(4)"),
    (Verb.BEGIN, 1, "7.0 f(3)"),
)


def test_a_task_goes_from_the_line_to_a_worker_and_is_done() -> None:
    assert BUSY.task_of(1) == Task("7.0", "f(3)")
    assert BUSY.waiting == (Task("8.0", "f(4)"),)
    done = after(BUSY, (Verb.SETTLE, 1, ""))
    assert (done.done, done.failed, done.running) == (1, 0, ())
    failed = after(BUSY, (Verb.SETTLE, 1, "failed"))
    assert (failed.done, failed.failed) == (0, 1)


def test_what_a_dead_worker_ran_is_lost() -> None:
    left = BUSY.left(1)
    assert (left.workers, left.running) == ((2,), ())
    assert left.lost == ((1, Task("7.0", "f(3)")),)
    assert BUSY.left(2).lost == ()


def test_what_is_cancelled_leaves_the_line_and_what_has_begun_does_not() -> None:
    assert after(BUSY, (Verb.CANCEL, 0, "8.0")).waiting == ()
    assert after(BUSY, (Verb.CANCEL, 0, "7.0")) == BUSY


@given(st.lists(st.sampled_from(["queue", "begin", "settle"]), max_size=60))
def test_no_task_is_lost_or_doubled(moves: list[str]) -> None:
    work, made = Work().hired(1), 0
    for move in moves:
        if move == "queue":
            work, made = after(work, (Verb.QUEUE, 0, f"{made}.0 f()")), made + 1
        elif move == "begin" and work.waiting and work.task_of(1) is None:
            work = after(work, (Verb.BEGIN, 1, f"{work.waiting[0].key} f()"))
        elif move == "settle":
            work = after(work, (Verb.SETTLE, 1, ""))
    assert len(work.waiting) + len(work.running) + work.done == made


def test_of_very_many_tasks_only_the_number_is_kept() -> None:
    work = Work().hired(1)
    for n in range(KNOWN + 3):
        work = after(work, (Verb.QUEUE, 0, f"{n}.0 f({n})"))
    assert (len(work.waiting), work.more) == (KNOWN, 3)
    work = after(work, (Verb.BEGIN, 1, f"{KNOWN + 1}.0 f()"), (Verb.SETTLE, 1, ""))
    assert (len(work.waiting), work.more, work.done) == (KNOWN, 2, 1)


def test_an_outcome_is_waited_for_until_it_is_there() -> None:
    nothing = TaskOutcome()
    assert not nothing.enabled(AWAIT, 0)
    assert nothing.enabled(Operation(Verb.VALUE), 0)
    assert nothing.enabled(Operation(Verb.AWAIT, blocking=False), 0)
    two, _ = nothing.apply(Operation(Verb.SETTLE, detail="2"), 1)
    one, result = two.apply(AWAIT, 0)
    assert (one.ready, result, one.enabled(AWAIT, 0)) == (1, "True", True)
    complete, _ = one.apply(Operation(Verb.SETTLE), 1)
    assert complete.complete
    none, _ = one.apply(Operation(Verb.SETTLE, detail="0"), 1)
    assert none == nothing


def scene(work: Work, *pending: Operation | None, dead: tuple[int, ...] = ()) -> State:
    """Main, and workers; who has no pending operation goes on."""
    actors = tuple(
        Actor(
            id=at,
            name=f"Worker-{at}" if at else "main",
            pid=4120 + at,
            parent=0 if at else None,
            life=Life.ENDED if at in dead else Life.ALIVE,
            exitcode=3 if at in dead else None,
            pending=operation,
        )
        for at, operation in enumerate(pending)
    )
    pool = Primitive("pool", "Pool", "pool", {"work": "work", "tasks": "pipe"}, capacity=2)
    return State(
        actors=actors, atoms={"work": work, AWAIT.atom: TaskOutcome()}, primitives={"pool": pool}
    )


def test_who_waits_for_a_result_waits_for_the_one_who_runs_it() -> None:
    state = scene(BUSY, AWAIT, None, None)
    wait = waiting_for(state, state.actors[0])
    assert wait is not None
    assert (wait.what, wait.on) == ("pool", (1,))
    assert wait.clause == "waits for the result of f(3) from pool: Worker-1 runs it"
    assert diagnose(state).verdict is None


def test_a_result_that_was_lost_is_waited_for_for_ever_although_workers_live() -> None:
    state = scene(BUSY.left(1), AWAIT, None, None, dead=(1,))
    wait = waiting_for(state, state.actors[0])
    assert wait is not None
    assert wait.clause.endswith("it was lost when Worker-1 ended")
    diagnosis = diagnose(state)
    assert diagnosis.stuck == (0,)
    assert "lost task" in {finding.kind for finding in diagnosis.findings}


def test_a_task_that_no_worker_is_free_for_says_so() -> None:
    busy = after(BUSY, (Verb.BEGIN, 2, "9.0 f(5)"))
    operation = Operation(Verb.AWAIT, "work job 0 8", "AsyncResult.get", "pool", detail="f(4)")
    state = scene(busy, operation, None, None)
    state = State(
        actors=state.actors,
        atoms={**state.atoms, "work job 0 8": TaskOutcome()},
        primitives=state.primitives,
    )
    wait = waiting_for(state, state.actors[0])
    assert wait is not None
    assert wait.clause == "waits for the result of f(4) from pool: no worker is free to begin it"
    assert wait.on == (1, 2)


def test_a_result_a_sentinel_and_an_exception_are_told_apart() -> None:
    def told(call: str, result: str) -> str:
        return Step(
            1,
            0,
            "main",
            4120,
            call,
            call.rpartition(".")[2],
            "pool",
            "Pool",
            result,
            "",
            0,
            "",
            "f(3)",
            True,
            0,
        ).sentence

    assert told("AsyncResult.get", "9") == "has the result of f(3) from pool: 9"
    assert told("AsyncResult.get", "False") == "has the result of f(3) from pool: False"
    assert told("AsyncResult.get", "ValueError") == "gets ValueError instead of the result of f(3)"
    assert told("Pool.next", "StopIteration") == "finds no more results of f(3) in pool"
    assert told("Pool.get", "f(3)") == "begins f(3), a task of pool"
    assert told("Pool.get", "None") == "is told by pool to end"
