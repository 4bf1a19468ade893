"""The monitor drives a run as one asks, and tells what happens in immutable updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from running import PATIENCE, PROGRAMS, wait_for

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import (
    Broken,
    Diagnosed,
    GrainChanged,
    Inspected,
    Mode,
    ModeChanged,
    Printed,
    Refused,
    Settled,
    Stepped,
    Update,
)
from syncsim.core.schedule import Choice, Grain, Move, format_schedule
from syncsim.core.scheduler import Random, Replay, RoundRobin, Scheduler
from syncsim.core.state import State
from syncsim.program.source import load
from syncsim.puzzles.catalogue import find
from syncsim.session.monitor import Monitor

Kind = TypeVar("Kind", bound=Update)


class Watcher:
    """Somebody who watches a run: keeps all that was told, and waits for what is to come."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.told: list[Update] = []

    def listen(self) -> list[Update]:
        while self.monitor.updates:
            update = self.monitor.updates.popleft()
            assert not isinstance(update, Broken), update.message
            self.told.append(update)
        return self.told

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [update for update in self.listen() if isinstance(update, kind)]

    def wait(
        self, kind: type[Kind], such: Callable[[Kind], bool] = lambda update: True, after: int = 0
    ) -> Kind:
        """The first update of that kind, of those that come after so many others."""

        def found() -> list[Kind]:
            self.listen()
            return [u for u in self.told[after:] if isinstance(u, kind) and such(u)]

        return wait_for(found)[0]

    @property
    def state(self) -> State:
        """The last that was told."""
        told = (u.state for u in reversed(self.listen()) if isinstance(u, Stepped | Settled))
        return next(told, State())

    @property
    def mode(self) -> Mode:
        told = (u.mode for u in reversed(self.listen()) if isinstance(u, ModeChanged))
        return next(told, Mode.PAUSED)

    def begin(self) -> None:
        """Waits until the main process stands at its first operation."""
        wait_for(lambda: self.state.choices())

    def step(self, actor: int | None = None) -> Stepped:
        """Asks for a step, and waits for it."""
        after = len(self.listen())
        self.monitor.step(actor)
        return self.wait(Stepped, after=after)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watcher]]:
    """Begins a run that is closed after the test."""
    monitors: list[Monitor] = []

    def begin(
        program: Path | str,
        scheduler: Scheduler | None = None,
        *arguments: str,
        patience: float = PATIENCE,
    ) -> Watcher:
        path = find(program).program if isinstance(program, str) else program
        loaded = load(path, arguments)
        monitors.append(Monitor(loaded, scheduler or RoundRobin(), patience=patience))
        return Watcher(monitors[-1])

    yield begin
    for monitor in monitors:
        monitor.close()


Watch = Callable[..., Watcher]

ENDLESS = """\
import multiprocessing
def work(gate, word):
    count = 0
    while True:
        with gate:
            count += 1
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    gate = multiprocessing.Lock()
    for name in ("Ada", "Bob"):
        multiprocessing.Process(name=name, target=work, args=(gate, [name, gate])).start()
"""


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    return program


def test_a_run_begins_paused_and_stays_so(watch: Watch) -> None:
    run = watch("dining-philosophers")
    run.begin()
    assert run.mode is Mode.PAUSED
    assert run.all(Stepped) == []
    assert run.state.n == 0
    assert run.state.choices() == (Choice(0),)


def test_a_step_is_one_step_of_whom_one_chooses(watch: Watch) -> None:
    run = watch("dining-philosophers")
    run.begin()
    for _ in range(4):
        assert run.step(0).step.call == "Process.start"
    stepped = run.step(2)
    assert stepped.step.process == "Socrates"
    assert stepped.step.sentence == "takes forks[1]"
    assert stepped.choice == Choice(2)
    assert stepped.state.n == stepped.step.n == 5
    assert run.mode is Mode.PAUSED


def test_a_step_without_a_choice_is_the_schedulers(watch: Watch) -> None:
    run = watch("dining-philosophers", Replay("a4cb"))
    run.begin()
    assert [run.step().step.process for _ in range(6)] == ["main"] * 4 + ["Socrates", "Plato"]


def test_the_person_is_the_scheduler_and_reaches_the_deadlock(watch: Watch) -> None:
    run = watch("dining-philosophers")
    run.begin()
    for actor in (0, 0, 0, 0, 1, 2, 3, 4):
        run.step(actor)
    diagnosed = run.wait(Diagnosed)
    assert diagnosed.diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosed.n == 8
    assert len(diagnosed.diagnosis.cycle) == 4
    assert run.wait(ModeChanged).mode is Mode.OVER


def test_who_cannot_go_says_why(watch: Watch) -> None:
    run = watch("dining-philosophers")
    run.begin()
    run.monitor.step(7)
    assert run.wait(Refused).why == "There is no such process."
    for actor in (0, 0, 0, 0, 1, 4):
        run.step(actor)
    for actor, why in ((4, "Hume waits for forks[0], held by Plato."),):
        after = len(run.listen())
        run.monitor.step(actor)
        assert run.wait(Refused, after=after).why == why
    assert run.state.n == 6


def test_who_has_ended_says_so(watch: Watch) -> None:
    run = watch("bounded-resource")
    run.begin()
    run.step(0)
    for _ in range(5):
        run.step(1)
    after = len(run.listen())
    run.monitor.step(1)
    assert run.wait(Refused, after=after).why == "Ada has ended."


def test_after_the_end_nothing_more_is_offered(watch: Watch) -> None:
    run = watch("ab-ba", Random(2))
    run.monitor.speed(None)
    run.monitor.play()
    run.wait(ModeChanged, lambda change: change.mode is Mode.OVER)
    for order in (run.monitor.step, run.monitor.play, run.monitor.free):
        after = len(run.listen())
        order()
        assert "over" in run.wait(Refused, after=after).why


@pytest.mark.parametrize("speed", [None, 1000.0, 200.0])
def test_playing_goes_on_to_the_end_and_tells_every_step(watch: Watch, speed: float | None) -> None:
    run = watch("producer-consumer", Random(1))
    run.monitor.speed(speed)
    run.monitor.play()
    diagnosed = run.wait(Diagnosed)
    assert diagnosed.diagnosis.verdict is Verdict.FINISHED
    steps = [update.step.n for update in run.all(Stepped)]
    assert steps == list(range(1, diagnosed.n + 1))
    assert run.wait(ModeChanged, lambda change: change.mode is Mode.OVER)
    assert sum("sells" in update.text for update in run.all(Printed)) == 6


class StoppedClock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_playing_makes_one_step_at_once_and_the_next_an_interval_later(endless: Path) -> None:
    clock = StoppedClock()
    monitor = Monitor(load(endless), RoundRobin(), patience=PATIENCE, clock=clock)
    run = Watcher(monitor)

    def steps() -> int:
        """How many it has made once it has had every chance to make one more."""
        for _ in range(2):  # the second answer comes in another turn than the first
            after = len(run.listen())
            monitor.inspect(0)
            run.wait(Inspected, after=after)
        return len(run.all(Stepped))

    try:
        run.begin()
        monitor.speed(2)
        monitor.play()
        run.wait(Stepped)
        assert steps() == 1
        monitor.speed(4)
        assert steps() == 1
        clock.now += 0.25
        wait_for(lambda: len(run.all(Stepped)) > 1)
        assert steps() == 2
    finally:
        monitor.close()


def test_the_choices_that_were_told_are_a_schedule_that_replays_the_run(watch: Watch) -> None:
    first = watch("producer-consumer", Random(3))
    first.monitor.speed(None)
    first.monitor.play()
    first.wait(ModeChanged, lambda change: change.mode is Mode.OVER)
    chosen: list[Choice] = []
    for update in first.all(Stepped):
        assert update.choice is not None
        chosen.append(update.choice)
    again = watch("producer-consumer", Replay(format_schedule(chosen)))
    again.monitor.speed(None)
    again.monitor.play()
    again.wait(ModeChanged, lambda change: change.mode is Mode.OVER)
    assert [u.step.sentence for u in again.all(Stepped)] == [
        u.step.sentence for u in first.all(Stepped)
    ]


def test_a_pause_stops_playing_before_the_next_step(watch: Watch, endless: Path) -> None:
    run = watch(endless)
    run.monitor.speed(None)
    run.monitor.play()
    wait_for(lambda: run.state.n > 50)
    run.monitor.pause()
    run.wait(ModeChanged, lambda change: change.mode is Mode.PAUSED)
    n = run.state.n
    assert run.step().step.n == n + 1


def test_another_scheduler_can_take_over(watch: Watch, endless: Path) -> None:
    run = watch(endless)
    run.begin()
    run.step(0)
    run.step(0)
    run.monitor.use(Replay("b3c"))
    assert [run.step().step.process for _ in range(3)] == ["Ada"] * 3


def test_a_schedule_that_does_not_fit_is_refused_and_pauses(watch: Watch) -> None:
    run = watch("ab-ba", Replay("zz"))
    run.monitor.play()
    assert "cannot be followed" in run.wait(Refused).why
    assert run.wait(ModeChanged, lambda change: change.mode is Mode.PAUSED)


def test_a_step_by_hand_that_the_schedule_wants_next_is_the_schedules(watch: Watch) -> None:
    schedule = "A2C4B15C11A8"  # both read 0: an update is lost, atom by atom
    run = watch("lost-update", Replay(schedule))
    run.begin()
    run.monitor.xray(on=True)
    for actor in (0, None, 2, None):
        run.step(actor)
    run.monitor.speed(None)
    run.monitor.play()
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.ASSERTION
    assert format_schedule(u.choice for u in run.all(Stepped) if u.choice) == schedule
    assert run.all(Refused) == []


def test_a_schedule_that_was_left_by_hand_picks_no_more_and_is_no_fault(watch: Watch) -> None:
    run = watch("ab-ba", Replay("a3bc"))
    run.begin()
    run.step(0)
    run.step(0)
    run.step(1)
    after = len(run.listen())
    run.monitor.play()
    run.wait(ModeChanged, lambda change: change.mode is Mode.PAUSED, after)
    assert run.state.n == 3
    assert run.all(Refused) == []
    run.monitor.use(Replay("bc"))
    assert [run.step().choice for _ in range(2)] == [Choice(1), Choice(2)]


def test_a_fault_by_hand_that_the_schedule_wants_next_is_the_schedules(watch: Watch) -> None:
    run = watch("ab-ba", Replay("a2b@kc"))
    run.begin()
    run.step()
    run.step()
    after = len(run.listen())
    run.monitor.fault(1, Move.KILL)
    run.wait(Stepped, lambda stepped: stepped.choice == Choice(1, Move.KILL), after)
    assert run.step().choice == Choice(2)


def test_free_running_goes_to_the_end_without_choices(watch: Watch) -> None:
    run = watch("producer-consumer")
    run.monitor.free()
    diagnosed = run.wait(Diagnosed)
    assert diagnosed.diagnosis.verdict is Verdict.FINISHED
    assert all(update.choice is None for update in run.all(Stepped))
    assert [update.step.n for update in run.all(Stepped)] == list(range(1, diagnosed.n + 1))


def test_free_running_can_be_paused_and_stepped_on_from_there(watch: Watch, endless: Path) -> None:
    run = watch(endless)
    for _ in range(3):
        run.monitor.free()
        n = run.state.n
        wait_for(lambda n=n: run.state.n > n + 20)
        run.monitor.pause()
        run.wait(ModeChanged, lambda change: change.mode is Mode.PAUSED, after=len(run.told) - 1)
        for actor in (1, 2, 1, 2):
            after = len(run.listen())
            run.monitor.step(actor)
            answer = wait_for(
                lambda after=after: [
                    u for u in run.listen()[after:] if isinstance(u, Stepped | Refused)
                ]
            )[-1]
            if isinstance(answer, Refused):
                assert "gate" in answer.why
            else:
                assert answer.choice is None or answer.choice.actor == actor
    told = run.all(Stepped)
    numbers = [update.step.n for update in told]
    assert numbers == sorted(set(numbers))  # of a flood the oldest may be left out
    assert any(update.choice for update in told)
    for update in told:
        assert update.choice is None or update.choice.actor == update.step.actor


def test_the_puzzle_runs_free_then_paused_then_stepped_to_its_end(watch: Watch) -> None:
    run = watch("producer-consumer", Random(5))
    run.monitor.free()
    wait_for(lambda: run.state.n > 5)
    run.monitor.pause()
    run.wait(ModeChanged, lambda change: change.mode is Mode.PAUSED)
    run.monitor.speed(None)
    run.monitor.play()
    diagnosed = run.wait(Diagnosed)
    assert diagnosed.diagnosis.verdict is Verdict.FINISHED
    assert sum("sells" in update.text for update in run.all(Printed)) == 6


def test_a_deadlock_in_free_running_is_seen(watch: Watch, tmp_path: Path) -> None:
    program = tmp_path / "twice.py"
    program.write_text(
        "from multiprocessing import Lock\ngate = Lock()\ngate.acquire()\ngate.acquire()\n"
    )
    run = watch(program)
    run.monitor.free()
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.DEADLOCK


def test_an_inspection_shows_the_locals_and_calls_primitives_by_their_names(
    watch: Watch, endless: Path
) -> None:
    run = watch(endless)
    run.begin()
    run.step(0)
    run.step(1)
    run.step(1)
    run.monitor.inspect(1)
    inspected = run.wait(Inspected)
    assert inspected.actor == 1
    assert inspected.note == ""
    frame = inspected.frames[-1]
    assert (frame.file, frame.function, frame.line) == (str(endless), "work", 5)
    assert dict(frame.variables) == {
        "gate": "gate",
        "word": "['Ada', gate]",
        "count": "1",
    }
    assert "sleeping" in inspected.kernel


def test_an_inspection_says_when_there_is_nothing_to_see(watch: Watch) -> None:
    run = watch("bounded-resource")
    run.begin()
    run.step(0)
    for _ in range(5):
        run.step(1)
    run.monitor.inspect(1)
    assert run.wait(Inspected).note == "It has ended."


def test_an_inspection_in_free_running_says_what_to_do(watch: Watch, endless: Path) -> None:
    run = watch(endless)
    run.monitor.free()
    wait_for(lambda: run.state.n > 5)
    run.monitor.inspect(1)
    inspected = run.wait(Inspected)
    assert "pause" in inspected.note


def test_an_inspection_of_nobody_is_refused_and_the_run_goes_on(watch: Watch) -> None:
    run = watch("bounded-resource")
    run.begin()
    run.monitor.inspect(99)
    assert run.wait(Refused).why == "There is no such process."
    assert run.step(0).step.n == 1


def test_a_call_with_a_timeout_times_out_when_it_is_stepped_and_cannot_go(
    watch: Watch, tmp_path: Path
) -> None:
    program = tmp_path / "patient.py"
    program.write_text(
        "from multiprocessing import Queue\n"
        "jobs = Queue()\n"
        "try:\n"
        "    jobs.get(timeout=60)\n"
        "except Exception as error:\n"
        "    print(repr(error))\n"
    )
    run = watch(program)
    run.begin()
    while not run.all(Printed):
        stepped = run.step(0)
    assert any(u.choice == Choice(0, Move.TIME_OUT) for u in run.all(Stepped)), stepped
    assert run.all(Printed)[0].text == "Empty()\n"


def test_one_who_computes_is_called_outside_and_the_others_go_on(
    watch: Watch, tmp_path: Path
) -> None:
    program = tmp_path / "busy.py"
    program.write_text(
        "from multiprocessing import Process\n"
        "def spin():\n"
        "    while True:\n"
        "        pass\n"
        "if __name__ == '__main__':\n"
        "    Process(name='Ada', target=spin).start()\n"
        "    print('on it goes')\n"
    )
    run = watch(program, patience=1.0)
    run.begin()
    run.monitor.step(0)
    wait_for(lambda: len(run.state.actors) == 2 and run.state.actors[1].outside)
    after = len(run.listen())
    run.monitor.step(1)
    assert "outside our view" in run.wait(Refused, after=after).why
    wait_for(lambda: Choice(0) in run.state.choices())
    assert run.step(0).step.call == "print"


def test_closing_is_possible_at_any_time_and_more_than_once(endless: Path) -> None:
    monitor = Monitor(load(endless), RoundRobin())
    monitor.close()
    monitor.close()
    for order in (monitor.step, monitor.play, monitor.pause, monitor.free):
        order()
    assert not monitor._thread.is_alive()


def test_a_state_that_was_told_never_changes(watch: Watch) -> None:
    run = watch("if-instead-of-while", Random(4))
    run.begin()
    pictures = []
    while run.mode is not Mode.OVER:
        stepped = run.step()
        pictures.append((stepped.state, repr(stepped.state)))
        if not stepped.state.choices():
            run.wait(ModeChanged, lambda change: change.mode is Mode.OVER)
    assert len(pictures) > 10
    assert all(repr(state) == picture for state, picture in pictures)


# -- the X-ray -------------------------------------------------------------------------------


def test_under_the_xray_a_step_is_one_operation(watch: Watch) -> None:
    run = watch(PROGRAMS / "feeder.py", RoundRobin(), "lies", "fork")
    run.begin()
    run.monitor.xray(on=True)
    assert run.wait(GrainChanged).grain is Grain.ATOM
    steps = [run.step(0) for _ in range(2)]
    assert [told.step.operation for told in steps] == ["acquire slots", "put items"]
    assert [told.choice for told in steps] == [Choice(0, grain=Grain.ATOM)] * 2
    feeder = steps[-1].state.actors[1]
    assert feeder.library
    assert run.step(feeder.id).step.sentence == "takes the put lock of queue"
    run.monitor.inspect(feeder.id)
    assert "thread of the library" in run.wait(Inspected).note


def test_what_is_let_go_when_the_xray_goes_off_is_in_the_schedule(watch: Watch) -> None:
    def to_the_end(run: Watcher) -> str:
        run.monitor.speed(None)
        run.monitor.play()
        run.wait(ModeChanged, lambda update: update.mode is Mode.OVER)
        assert all(told.choice is not None for told in run.all(Stepped))
        told = [u for u in run.listen() if isinstance(u, Stepped | Settled)]
        return format_schedule([update.choice for update in told if update.choice])

    run = watch(PROGRAMS / "feeder.py", RoundRobin(), "lies", "fork")
    run.begin()
    run.monitor.xray(on=True)
    for _ in range(2):
        run.step(0)
    run.monitor.xray(on=False)
    run.wait(Stepped, lambda told: told.step.operation == "release put lock")
    run.monitor.xray(on=True)
    run.step(0)
    run.monitor.xray(on=False)
    schedule = to_the_end(run)
    assert schedule.startswith("A2B3Aa")
    again = watch(PROGRAMS / "feeder.py", Replay(schedule), "lies", "fork")
    again.begin()
    again.monitor.speed(None)
    again.monitor.play()
    wait_for(lambda: len(again.all(Stepped)) == len(run.all(Stepped)))
    assert [u.step.sentence for u in again.all(Stepped)] == [
        u.step.sentence for u in run.all(Stepped)
    ]


BELT = """\
import multiprocessing
def put(belt):
    while True:
        belt.put(1)
def get(belt):
    while True:
        belt.get()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    belt = multiprocessing.Queue(3)
    for name, work in (("Ada", put), ("Bob", put), ("Cleo", get)):
        multiprocessing.Process(name=name, target=work, args=(belt,)).start()
"""


def test_the_xray_may_go_on_and_off_at_any_time(watch: Watch, tmp_path: Path) -> None:
    program = tmp_path / "belt.py"
    program.write_text(BELT)
    run = watch(program, Random(1))
    run.begin()
    run.monitor.speed(None)

    def more(steps: int) -> None:
        end = run.state.n + steps
        wait_for(lambda: run.state.n >= end)

    for turn in range(8):
        run.monitor.play()
        more(40)
        run.monitor.xray(on=turn % 2 == 0)
        more(40)
        run.monitor.free()
        more(100)
        run.monitor.xray(on=turn % 4 < 2)
        run.monitor.pause()
        run.step()
        run.step()
    run.monitor.xray(on=True)
    run.monitor.play()
    more(60)
    told = run.all(Stepped)[-30:]
    assert any(update.step.operation for update in told)
    assert [update.step.n for update in told] == list(range(told[0].step.n, told[0].step.n + 30))


def test_that_the_other_ends_were_closed_is_seen_before_a_deadlock_is_told(watch: Watch) -> None:
    run = watch(PROGRAMS / "several.py", Random(1), "fork")
    run.monitor.speed(None)
    run.monitor.play()
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.FINISHED
