"""Executors atom by atom: the feeder of their tasks, their end, and what a forked copy does."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from running import DEADLINE, LATE, PROGRAMS, Run, world
from xrayed import assert_same, control, switching

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice, Grain
from syncsim.core.scheduler import Random, Replay, RoundRobin

EXECUTOR = PROGRAMS / "executor.py"
EXECUTORS = PROGRAMS / "executors.py"
SAID = {
    "breaks": "ending BrokenProcessPool",
    "breaks_full": "ending BrokenProcessPool",
    "fills": "100000 100000 100000",
    "drops": "TypeError 4 TypeError",
    "cancels": "shut True",
    "inside": "0 1 4",
    "two": "4 9 1",
}
if sys.version_info < (3, 12):  # from then on workers that ignore SIGTERM are waited for, for ever
    SAID["ignores"] = "ending BrokenProcessPool"
seeds = pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 21))]
)


@pytest.mark.parametrize(
    "method",
    ["fork", *(pytest.param(m, marks=pytest.mark.slow) for m in ("spawn", "forkserver"))],
)
@seeds
def test_it_ends_by_atom_as_it_does_by_itself_and_is_replayed(method: str, seed: int) -> None:
    run = control(EXECUTOR, Random(seed), method)
    assert run.diagnosis.verdict is Verdict.FINISHED, run.diagnosis.explanation
    assert {"broken", "closed", "[0, 1, 4]"} <= set(run.text("stdout"))
    assert_same(run, control(EXECUTOR, Replay(run.schedule), method))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
@pytest.mark.parametrize("name", ["executor", "pool"])
def test_schedules_with_mixed_letters_are_replayed(name: str, seed: int) -> None:
    path = PROGRAMS / f"{name}.py"
    run = control(path, Random(seed), "fork", grains=switching(seed))
    assert run.diagnosis.verdict is not Verdict.DEADLOCK, run.diagnosis.explanation
    assert_same(run, control(path, Replay(run.schedule), "fork"))


@seeds
@pytest.mark.parametrize("story", SAID)
def test_no_task_on_its_way_keeps_it_from_its_end(story: str, seed: int) -> None:
    run = control(EXECUTORS, Random(seed), story, "fork")
    assert run.diagnosis.verdict is Verdict.FINISHED, run.diagnosis.explanation
    assert SAID[story] in run.text("stdout")
    assert_same(run, control(EXECUTORS, Replay(run.schedule), story, "fork"))


def test_the_feeder_of_tasks_and_a_worker_with_a_result_have_locks_of_their_own() -> None:
    run = control(EXECUTOR, Random(1), "fork")
    locks = {"acquire put lock", "acquire send lock", "release put lock", "release send lock"}
    taken = {(step.operation, step.process) for step in run.steps if step.operation in locks}
    feeders = {(operation, who) for operation, who in taken if who == "main's feeder"}
    assert {operation for operation, _ in feeders} == {"acquire send lock", "release send lock"}
    assert {operation for operation, _ in taken - feeders} == {
        "acquire put lock",
        "release put lock",
    }
    (moves,) = {step.sentence for step in run.steps if step.operation == "acquire send lock"} - {
        "takes the lock for sending tasks of executor#2"
    }
    assert moves == "takes the lock for sending tasks of executor"


BESIDE = f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
{LATE}
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with ProcessPoolExecutor(1) as executor:
        executor.submit(abs, 1).result()
        child = multiprocessing.Process(target=abs, args=(1,))
        child.start()
        child.join()
        executor.submit(task).result()
"""


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A child that is forked beside an executor.

    When it ends it wakes and joins the executor's thread, which is not there in it.
    """
    path = tmp_path / "program.py"
    path.write_text(BESIDE)
    return path


@pytest.mark.parametrize("grain", Grain)
def test_who_is_forked_beside_an_executor_need_not_wait_for_its_thread(
    beside: Path, grain: Grain
) -> None:
    run = control(beside, RoundRobin(), grains=iter(lambda: grain, None))
    assert run.diagnosis.verdict is Verdict.FINISHED, run.diagnosis.explanation


def test_a_result_is_waited_for_although_a_forked_copy_has_woken_the_thread(beside: Path) -> None:
    end = time.monotonic() + DEADLINE
    run = Run()
    with world(beside, run=run) as real:
        real.settle(end)
        scheduler = RoundRobin()
        while not any(s.verb == "put" and s.detail == "task()" for s in run.steps):
            choice = scheduler.choose(real.state, real.choices())
            assert choice is not None, real.state
            real.take(choice, end)
        assert Choice(0) in real.choices()
