"""Pools and executors: seen as what they are, stepped, replayed, and their deadlocks explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, LATE, PROGRAMS, Run, control, tell, world

from syncsim.core.schedule import Choice, Grain
from syncsim.core.scheduler import Random, Replay, RoundRobin
from syncsim.core.state import State
from syncsim.core.work import Work
from syncsim.real.run import RealRun

both = either("scheduler", ["os", "round-robin"])
each_program = pytest.mark.parametrize("name", ["pool", "executor"])
METHODS = (
    "fork",
    pytest.param("spawn", marks=pytest.mark.slow),
    "forkserver",
)


def work_of(state: State) -> Work:
    (primitive,) = state.primitives.values()
    work = state.work(primitive)
    assert work is not None
    return work


def step_until(real: RealRun, actor: int, such: Callable[[State], bool]) -> State:
    """Lets one actor go until the state is such."""
    end = time.monotonic() + DEADLINE
    real.settle(end)
    while not such(real.state):
        assert time.monotonic() < end, real.state
        real.take(Choice(actor), end)
    return real.state


MAIN = 'if __name__ == "__main__":\n'
FORKS = "    import multiprocessing; multiprocessing.set_start_method('fork')\n"


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(text.replace(MAIN, MAIN + FORKS))
        return path

    return write


Program = Callable[[str], Path]


@pytest.mark.parametrize("method", METHODS)
@each_program
def test_a_seed_gives_the_same_run_again_and_so_does_its_schedule(name: str, method: str) -> None:
    path = PROGRAMS / f"{name}.py"
    first = control(path, Random(5), method)
    assert first.state.actors[0].exitcode == 0, first.text("stderr")
    again = control(path, Random(5), method)
    assert again.told == first.told
    replayed = control(path, Replay(first.schedule), method)
    assert replayed.told == first.told
    assert replayed.actors == first.actors
    assert replayed.text("stdout") == first.text("stdout")


SQUARES = """
from multiprocessing import Pool

def f(n):
    if n == 5:
        raise ValueError(n)
    print("at work")
    return n * n

if __name__ == "__main__":
    with Pool(2) as pool:
        results = [pool.apply_async(f, (n,)) for n in (3, 4, 5)]
        for result in results:
            try:
                print(result.get())
            except ValueError:
                print("no")
"""


def test_tasks_are_seen_waiting_running_done_and_failed(program: Program) -> None:
    with world(program(SQUARES)) as real:
        state = step_until(real, 0, lambda s: s.actors[0].call == "AsyncResult.get" or s.n > 4)
        (pool,) = state.primitives.values()
        assert (pool.name, pool.kind, pool.capacity, pool.line) == ("pool", "Pool", 2, 12)
        assert work_of(state).workers == (1, 2)
        assert [task.label for task in work_of(state).waiting] == ["f(3)", "f(4)", "f(5)"]
        assert not real.state.enabled(real.state.actors[0])
        state = step_until(real, 1, lambda s: work_of(s).task_of(1) is not None)
        state = step_until(real, 2, lambda s: work_of(s).task_of(2) is not None)
        running = {who: task.label for who, task in work_of(state).running}
        assert running == {1: "f(3)", 2: "f(4)"}
        assert [task.label for task in work_of(state).waiting] == ["f(5)"]
        state = step_until(real, 1, lambda s: work_of(s).done == 1)
        assert work_of(state).task_of(1) is None
        assert real.state.enabled(real.state.actors[0])
        state = step_until(real, 1, lambda s: work_of(s).failed == 1)
        assert (work_of(state).done, work_of(state).waiting) == (1, ())


def test_each_part_of_its_work_is_told_in_words(program: Program) -> None:
    run = control(program(SQUARES), RoundRobin())
    told = {f"{step.process} {step.sentence}" for step in run.steps}
    for words in (
        "main starts ForkPoolWorker-1",
        "main hands f(3) to pool",
        "ForkPoolWorker-1 begins f(3), a task of pool",
        "ForkPoolWorker-1 is done with f(3), a task of pool",
        "main has the result of f(3) from pool: 9",
        "main gets ValueError instead of the result of f(5)",
        "main has terminated pool",
    ):
        assert words in told, told
    failed = [words for words in told if "has failed at f(5), a task of pool" in words]
    assert len(failed) == 1


def test_only_the_pool_is_shown_not_what_it_is_made_of() -> None:
    run = control(PROGRAMS / "executor.py", RoundRobin(), "fork")
    kinds = [(p.kind, p.name) for p in run.state.primitives.values()]
    assert kinds == [
        ("ProcessPoolExecutor", "executor"),
        ("ProcessPoolExecutor", "executor#2"),
    ]
    assert not any(step.kind in ("Queue", "SimpleQueue", "Pipe") for step in run.steps)


A_TASK_WAITS_FOR_THE_NEXT = """
from multiprocessing import Event, Pool

def share(event):
    global go
    go = event

def wait():
    go.wait()

def let():
    go.set()

if __name__ == "__main__":
    with Pool(1, share, (Event(),)) as pool:
        first, second = pool.apply_async(wait), pool.apply_async(let)
        first.get()
"""

A_WORKER_DIES = """
import os, sys
from multiprocessing import Pool

def die():
    os._exit(3)

if __name__ == "__main__":
    pool = Pool(2)
    result = pool.apply_async(die)
    if sys.argv[1] == "get":
        result.get()
    pool.close()
    pool.join()
"""

A_COPY = """
from multiprocessing import Pool, Process

def use():
    pool.apply(int)

if __name__ == "__main__":
    pool = Pool(1)
    child = Process(target=use)
    child.start()
    child.join()
"""

AN_IDLE_WORKER_IS_KILLED = """
import time
from multiprocessing import Pool

def sleeps(process):
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"

if __name__ == "__main__":
    pool = Pool(1)
    print(pool.apply(abs, (-2,)))
    while not sleeps(pool._pool[0]):  # then it has the lock, and waits for the next task
        time.sleep(0.01)
    pool._pool[0].kill()
    print(pool.apply(abs, (-3,)))
"""


@both
def test_a_task_that_waits_for_another_of_the_only_worker_is_a_deadlock(
    program: Program, scheduler: str
) -> None:
    told = tell(program(A_TASK_WAITS_FOR_THE_NEXT), "--scheduler", scheduler, "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "deadlock", told.verdict
    explanation = told.verdict["explanation"]
    assert "main waits for the result of wait() from pool: ForkPoolWorker-1 runs it" in explanation
    assert "ForkPoolWorker-1 waits for" in explanation


@both
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("get", "main waits for the result of die() from pool: it was lost when"),
        ("join", "main waits for pool to end, which still expects die(), lost when"),
    ],
)
def test_a_task_whose_worker_dies_is_lost_and_waited_for_for_ever(
    program: Program, scheduler: str, how: str, words: str
) -> None:
    told = tell(program(A_WORKER_DIES), "--scheduler", scheduler, "--timeout", DEADLINE, "--", how)
    assert told.verdict["verdict"] == "deadlock", told.verdict
    assert words in told.verdict["explanation"]
    assert "lost task" in told.findings
    # The worker was replaced, and the new one waits for work.
    assert len(told.verdict["processes"]) == 4
    assert told.process("ForkPoolWorker-3")["state"] == "stuck"


@both
def test_a_forked_copy_of_a_pool_does_nothing_and_that_is_said(
    program: Program, scheduler: str
) -> None:
    told = tell(program(A_COPY), "--scheduler", scheduler, "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "deadlock", told.verdict
    assert "its threads are in main alone" in told.verdict["explanation"]


@both
def test_a_worker_killed_while_it_waits_for_a_task_keeps_the_others_from_theirs(
    program: Program, scheduler: str
) -> None:
    told = tell(program(AN_IDLE_WORKER_IS_KILLED), "--scheduler", scheduler, "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "deadlock", told.verdict
    assert "dead holder" in told.findings
    assert "ForkPoolWorker-1 ended while it was in line" in told.verdict["explanation"]


@either("scheduler", ["os", "round-robin", "random:4"])
def test_a_pipe_full_of_tasks_is_no_deadlock(program: Program, scheduler: str) -> None:
    text = """
from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(len, ["x" * 30_000] * 8, chunksize=1))
"""
    told = tell(program(text), "--scheduler", scheduler, "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "finished", told.verdict
    assert told.text("stdout") == f"{[30_000] * 8}\n"


def test_a_timeout_on_a_result_is_a_choice(program: Program) -> None:
    text = """
from multiprocessing import Pool, TimeoutError

if __name__ == "__main__":
    with Pool(1) as pool:
        result = pool.apply_async(abs, (-3,))
        try:
            print(result.get(timeout=1000))
        except TimeoutError:
            print("late")
"""
    path = program(text)
    late = control(path, Replay("a2a@ta"))
    assert "late\n" in {words for _, words in late.output}
    in_time: Run = control(path, RoundRobin())
    assert in_time.text("stdout") == ["3"]


A_LATE_RESULT = f"""
from multiprocessing import Pool
{LATE}
if __name__ == "__main__":
    with Pool(1) as pool:
        pool.apply(task)
"""


def test_under_the_xray_a_result_that_was_sent_is_there_when_it_is_quiet(program: Program) -> None:
    with world(program(A_LATE_RESULT)) as real:
        step_until(real, 0, lambda state: state.actors[0].call == "Pool.apply")
        steps = [step for _ in range(5) for step in real.take(Choice(1, grain=Grain.ATOM))]
        assert steps[-1].operation == "send results"
        assert Choice(0, grain=Grain.ATOM) in real.choices()


RENEWED = """
from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(1, maxtasksperchild=1) as pool:
        print(pool.apply(abs, (-1,)))
"""


def test_a_worker_is_replaced_although_its_owner_waits_to_print(program: Program) -> None:
    """Who starts a process flushes what the others print before, and nobody prints it twice."""
    run = Run()
    with world(program(RENEWED), run=run) as real:
        scheduler, end = RoundRobin(), time.monotonic() + DEADLINE
        real.settle(end)
        while (pending := real.state.actors[0].pending) is None or pending.call != "print":
            choice = scheduler.choose(real.state, real.choices())
            assert choice is not None, real.state
            real.take(choice, end)
        old = step_until(real, 1, lambda state: state.actors[1].ended)
        (new,) = old.actors[2:]
        assert new.pending is not None
        assert new.pending.call == "Pool.get"
        while not real.over:
            choice = scheduler.choose(real.state, real.choices())
            assert choice is not None, real.state
            real.take(choice, end)
    assert run.text("stdout") == ["1"]
