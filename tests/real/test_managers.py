"""Managers: the server serves, what it keeps is seen and stepped, and nothing freezes the run."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, Run, control, tell, wait_for, world

from syncsim.core.atoms import Cell
from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.schedule import Choice
from syncsim.core.scheduler import Random, Replay, RoundRobin, Scheduler
from syncsim.core.state import State
from syncsim.core.words.status import Status, status

MARKS = """
from multiprocessing import Manager, Process

def leave_mark(n, marks, log):
    marks[f"p{n}"] = n
    log.append(n)

if __name__ == "__main__":
    with Manager() as manager:
        marks, log = manager.dict(), manager.list()
        workers = [Process(target=leave_mark, args=(n, marks, log), name=f"W{n}") for n in (1, 2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(marks, log)
"""

AB_BA = """
from multiprocessing import Manager, Process, set_start_method
import sys

def both(first, second, meeting):
    with first:
        meeting.wait()
        with second:
            print("both")

if __name__ == "__main__":
    set_start_method(sys.argv[1])
    with Manager() as manager:
        left, right, meeting = manager.Lock(), manager.{lock}(), manager.Barrier(2)
        Process(target=both, args=(left, right, meeting), name="Ada").start()
        bob = Process(target=both, args=(right, left, meeting), name="Bob")
        bob.start()
        bob.join()
"""

MANAGED = Path(__file__).parent / "programs" / "managed.py"
each_method = pytest.mark.parametrize("method", METHODS)


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


def text_of(state: State, name: str) -> str:
    """What is in the primitive of that name."""
    primitive = next(p for p in state.primitives.values() if p.name == name)
    cell = state.atoms[primitive.parts["value"]]
    assert isinstance(cell, Cell)
    return cell.value


def sentences(run: Run, process: str) -> list[str]:
    return [step.sentence for step in run.steps if step.process == process]


def test_two_processes_leave_marks_in_a_dict_and_a_list(tmp_path: Path) -> None:
    run = control(program(tmp_path, MARKS), RoundRobin())
    assert run.diagnosis.verdict is Verdict.FINISHED
    for n in (1, 2):
        assert sentences(run, f"W{n}") == [
            f"sets marks['p{n}'] to {n}",
            f"appends {n} to log",
            "ends",
        ]
    assert sentences(run, "main") == [
        "starts the server of a SyncManager",
        "starts W1",
        "starts W2",
        "joins W1",
        "joins W2",
        "reads all of marks: \"{'p1': 1, 'p2': 2}\"",
        "reads all of log: '[1, 2]'",
        "prints \"{'p1': 1, 'p2': 2} [1, 2]\"",
        "shuts SyncManager-1 down",
        "ends",
    ]
    kinds = {p.name: p.kind for p in run.state.primitives.values()}
    assert kinds == {"marks": "Manager dict", "log": "Manager list"}
    assert text_of(run.state, "marks") == "{'p1': 1, 'p2': 2}"
    assert text_of(run.state, "log") == "[1, 2]"
    assert run.state.actors[1].exitcode == 0


def test_the_contents_are_shown_after_each_step_and_who_changed_them(tmp_path: Path) -> None:
    with world(program(tmp_path, MARKS)) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        for actor in (0, 0, 2, 2):
            real.take(Choice(actor), end)
        assert text_of(real.state, "marks") == "{'p1': 1}"
        assert text_of(real.state, "log") == "[1]"
        log = next(p for p in real.state.primitives.values() if p.name == "log")
        cell = real.state.atoms[log.parts["value"]]
        assert cell == Cell(value="[1]", previous="[]", writer=2)


def test_the_server_serves_and_is_never_chosen_nor_stuck(tmp_path: Path) -> None:
    with world(program(tmp_path, MARKS)) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        seen = set()
        scheduler = RoundRobin()
        while not real.over and (choices := real.choices()):
            assert real.quiet
            for actor in real.state.actors:
                if actor.name.startswith("SyncManager"):
                    seen.add(status(real.state, actor))
                    assert actor.id not in [choice.actor for choice in choices]
            real.take(scheduler.choose(real.state, choices), end)
    assert seen <= {Status.SERVES, Status.DONE}
    assert Status.SERVES in seen


@either("scheduler", ["os", "round-robin"])
@pytest.mark.parametrize(
    ("method", "lock"),
    [
        ("fork", "Lock"),
        ("fork", "RLock"),
        ("fork", "Semaphore"),
        ("spawn", "Lock"),
        ("forkserver", "Lock"),
    ],
)
def test_two_who_lock_in_opposite_order_wait_for_each_other(
    tmp_path: Path, scheduler: str, method: str, lock: str
) -> None:
    path = program(tmp_path, AB_BA.replace("{lock}", lock))
    told = tell(path, "--scheduler", scheduler, "--timeout", 2 * DEADLINE, "--", method)
    assert told.verdict["verdict"] == "deadlock", told.verdict
    assert {(link["process"], link["waits_for"]) for link in told.verdict["cycle"]} == {
        ("Ada", "right"),
        ("Bob", "left"),
    }
    server = next(p for p in told.verdict["processes"] if p["name"].startswith("SyncManager"))
    assert (server["state"], server["waiting_for"]) == ("serves", None)


@pytest.mark.parametrize(
    ("making", "waiting", "clause"),
    [
        ("Event()", "thing.wait()", "waits for thing to be set"),
        ("Queue()", "thing.get()", "waits for thing: it is empty"),
        ("Queue(1)", "thing.put(1), thing.put(2)", "waits for thing: the queue is full"),
        ("Queue()", "thing.put(1), thing.join()", "waits until all tasks of thing are done"),
        ("Barrier(2)", "thing.wait()", "waits at thing for the others"),
        ("Condition()", "thing.acquire(), thing.wait()", "waits on thing until it is notified"),
        ("Lock()", "thing.acquire(), thing.acquire()", "waits for thing, held by main"),
    ],
)
@either("scheduler", ["os", "round-robin"])
def test_who_waits_in_a_server_for_ever_is_said_to(
    tmp_path: Path, making: str, waiting: str, clause: str, scheduler: str
) -> None:
    text = f"""
from multiprocessing import Manager
if __name__ == "__main__":
    with Manager() as manager:
        thing = manager.{making}
        {waiting}
"""
    told = tell(
        program(tmp_path, text), "--scheduler", scheduler, "--timeout", 2 * DEADLINE
    ).verdict
    assert told["verdict"] == "deadlock"
    assert clause in told["explanation"] or "main holds thing" in told["explanation"]


@pytest.mark.parametrize(
    "scheduler",
    [RoundRobin(), *(Random(seed) for seed in range(3))],
    ids=["turns", "random-0", "random-1", "random-2"],
)
def test_a_schedule_with_a_manager_makes_the_same_run_again(scheduler: Scheduler) -> None:
    first = control(MANAGED, scheduler, "fork")
    again = control(MANAGED, Replay(first.schedule), "fork")
    assert first.diagnosis.verdict is Verdict.FINISHED
    assert first.told == again.told
    assert first.actors == again.actors
    assert first.text("stdout") == again.text("stdout")


def test_a_timeout_in_a_server_is_a_choice(tmp_path: Path) -> None:
    text = """
import queue
from multiprocessing import Manager, Process

def get(jobs):
    try:
        print("got", jobs.get(timeout=3600))
    except queue.Empty:
        print("empty")

if __name__ == "__main__":
    with Manager() as manager:
        jobs = manager.Queue()
        process = Process(target=get, args=(jobs,))
        process.start()
        jobs.put(7)
        process.join()
"""
    path = program(tmp_path, text)
    late = control(path, Replay("a2cc@tc2a"))
    assert "prints 'empty'" in sentences(late, "Process-2")
    in_time = control(path, Replay("a2cac2"))
    assert "gets 7 from jobs" in sentences(in_time, "Process-2")


def test_a_notification_that_nobody_hears_is_a_lost_wakeup(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager
if __name__ == "__main__":
    with Manager() as manager:
        ready = manager.Condition()
        with ready:
            ready.notify()
        with ready:
            ready.wait()
"""
    run = control(program(tmp_path, text), RoundRobin())
    assert run.diagnosis.verdict is Verdict.DEADLOCK
    assert "lost wakeup" in {finding.kind for finding in run.diagnosis.findings}


def test_who_is_notified_is_the_one_that_slept_longest(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager, Process

def sleep(ready):
    with ready:
        ready.wait()

if __name__ == "__main__":
    with Manager() as manager:
        ready = manager.Condition()
        for name in ("Ada", "Bob"):
            Process(target=sleep, args=(ready,), name=name).start()
        with ready:
            ready.notify()
        input()
"""
    with world(program(tmp_path, text)) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        for actor in (0, 0, 0, 3, 3, 2, 2, 0, 0, 0):
            real.take(Choice(actor), end)
        able = [choice.actor for choice in real.choices()]
        assert 3 in able
        assert 2 not in able
        names = [actor.name for actor in real.state.actors]
        assert names.index("Bob") == 3


def test_a_free_run_loses_nothing(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager, Process

def work(n, log, total, lock):
    for k in range(50):
        log.append((n, k))
        with lock:
            total.value += 1

if __name__ == "__main__":
    with Manager() as manager:
        log, total, lock = manager.list(), manager.Value("i", 0), manager.Lock()
        workers = [Process(target=work, args=(n, log, total, lock)) for n in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(total.value, len(log))
"""
    told = tell(program(tmp_path, text), "--scheduler", "os", "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == "finished"
    assert told.text("stdout") == "150 150\n"
    calls = Counter(step["call"] for step in told.steps)
    assert calls["Manager list.append"] == 150
    assert calls["Manager Lock.acquire"] == calls["Manager Lock.release"] == 150
    written = [int(s["detail"]) for s in told.steps if s["call"] == "Manager Value.set"]
    assert written == list(range(1, 151)), "inside the lock the order is the true one"


def test_a_call_that_waits_in_a_type_of_the_programs_own_is_outside_and_comes_back(
    tmp_path: Path,
) -> None:
    text = """
import threading
from multiprocessing import Process
from multiprocessing.managers import BaseManager

class Mailbox:
    def __init__(self):
        self.arrived = threading.Event()
    def read(self):
        self.arrived.wait()
        return self.letter
    def write(self, letter):
        self.letter = letter
        self.arrived.set()

class Post(BaseManager):
    pass

Post.register("Mailbox", Mailbox)

def read(box):
    print("got", box.read())

if __name__ == "__main__":
    with Post() as post:
        box = post.Mailbox()
        reader = Process(target=read, args=(box,))
        reader.start()
        box.write("hello")
        reader.join()
"""
    told = tell(program(tmp_path, text), "--schedule", "a2cac2a4", "--timeout", 2 * DEADLINE)
    assert told.text("stdout") == "got hello\n"
    assert told.verdict["verdict"] == "finished", told.verdict


def test_an_object_in_the_place_of_one_that_is_gone_is_a_new_one(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager
if __name__ == "__main__":
    with Manager() as manager:
        for _ in range(5):
            event = manager.Event()
            print(event.is_set())
            event.set()
            lock = manager.Lock()
            lock.acquire()
            del event, lock
"""
    run = control(program(tmp_path, text), RoundRobin())
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert run.text("stdout") == ["False"] * 5
    assert [step.result for step in run.steps if step.call.endswith("is_set")] == ["False"] * 5


def test_a_caller_that_dies_asleep_keeps_the_lock_it_would_have_got(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager, Process

def sleep(ready):
    with ready:
        ready.wait()

if __name__ == "__main__":
    with Manager() as manager:
        ready = manager.Condition()
        sleeper = Process(target=sleep, args=(ready,), name="Ada")
        sleeper.start()
        sleeper.kill()
        sleeper.join()
        with ready:
            ready.notify()
        print("notified")
        ready.acquire()
"""
    with world(program(tmp_path, text)) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        for actor in (0, 0, 2, 2, 0, 0, 0, 0, 0):
            real.take(Choice(actor), end)

        def holders() -> tuple[int, ...]:
            real.pump(0.05)
            state = real.state
            return state.holders(next(iter(state.primitives.values())))

        assert wait_for(holders) == (1,), "the server's thread has it, in the name of the dead"
        real.take(Choice(0), end)
        assert real.choices() == ()
        assert diagnose(real.state).verdict is Verdict.DEADLOCK


GONE = """
from multiprocessing import Manager, Process

def wait(thing, how):
    try:
        thing.{call}()
    except EOFError:
        print("gone")

if __name__ == "__main__":
    with Manager() as manager:
        thing = manager.{kind}({size})
        {before}
        child = Process(target=wait, args=(thing, "so"))
        child.start()
        if {late}:
            input()
    child.join()
"""


@pytest.mark.parametrize(
    ("kind", "size", "before", "call"),
    [
        ("Lock", "", "thing.acquire()", "acquire"),
        ("Semaphore", "0", "", "acquire"),
        ("Queue", "", "", "get"),
        ("Barrier", "2", "", "wait"),
        ("Event", "", "", "wait"),
    ],
)
def test_who_waits_in_a_server_that_is_shut_down_hears_of_it(
    tmp_path: Path, kind: str, size: str, before: str, call: str
) -> None:
    text = GONE.format(kind=kind, size=size, before=before or "pass", call=call, late=False)
    path = program(tmp_path, text)
    schedule = "a3" if before else "a2"
    schedule += ("" if call == "acquire" else "c") + "ac3a2"
    run = control(path, Replay(schedule), "fork")
    assert run.diagnosis.verdict is Verdict.FINISHED, run.diagnosis
    assert run.text("stdout") == ["gone"]


@each_method
def test_every_thing_of_a_manager_has_a_name_and_a_kind(method: str) -> None:
    run = control(MANAGED, RoundRobin(), method)
    assert run.diagnosis.verdict is Verdict.FINISHED
    names = {(p.kind, p.name) for p in run.state.primitives.values()}
    kinds = ("dict", "list", "Namespace", "Queue", "Lock", "RLock", "Semaphore", "Condition")
    kinds += ("Event", "Barrier", "Value", "Array", "Counter")
    assert {kind for kind, _ in names} == {f"Manager {kind}" for kind in kinds}
    assert ("Manager Namespace", "things['space']") in names
    assert text_of(run.state, "things['words']") in ("{1: [1], 2: [2]}", "{2: [2], 1: [1]}")
    assert text_of(run.state, "things['counter']") == "n=5"


def test_things_inside_things_are_shown_by_their_names(tmp_path: Path) -> None:
    text = """
from multiprocessing import Manager
if __name__ == "__main__":
    with Manager() as manager:
        outer = manager.dict()
        inner = manager.list([1])
        outer["in"] = inner
        outer["in"].append(2)
        print(inner)
"""
    run = control(program(tmp_path, text), RoundRobin())
    assert run.text("stdout") == ["[1, 2]"]
    assert text_of(run.state, "outer") == "{'in': inner}"
    assert text_of(run.state, "inner") == "[1, 2]"
    assert "appends 2 to inner" in sentences(run, "main")
    assert "sets outer['in'] to inner" in sentences(run, "main")
