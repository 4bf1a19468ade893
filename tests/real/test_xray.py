"""The X-ray on real processes: stepped atom by atom, feeder threads included, and replayed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from running import DEADLINE, PROGRAMS, Run, tell, wait_for, world
from xrayed import assert_same, control, switching

from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.schedule import Choice, Grain, format_schedule, parse_schedule
from syncsim.core.scheduler import Random, Replay, RoundRobin, Scheduler
from syncsim.core.state import Actor
from syncsim.core.steps import Step
from syncsim.puzzles.catalogue import find
from syncsim.real.run import RealRun

INSIDE = PROGRAMS / "inside.py"
MESSAGES = PROGRAMS / "messages.py"
FEEDER = PROGRAMS / "feeder.py"
ATOM = Grain.ATOM


@pytest.mark.parametrize(("method", "seed"), [("fork", 1), ("fork", 2), ("spawn", 1)])
def test_a_schedule_with_mixed_letters_is_the_same_run_step_for_step(
    method: str, seed: int
) -> None:
    run = control(INSIDE, Random(seed), method, grains=switching(seed))
    assert run.schedule.lower() != run.schedule != run.schedule.upper()
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert run.text("stdout") == ["0", "1", "2"]
    assert_same(run, control(INSIDE, Replay(run.schedule), method))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_thirty_schedules_with_mixed_letters(method: str) -> None:
    for seed in range(3, 33):
        run = control(INSIDE, Random(seed), method, grains=switching(seed))
        assert_same(run, control(INSIDE, Replay(run.schedule), method))


@pytest.mark.parametrize("slug", ["producer-consumer", "two-phase-handshake"])
def test_a_puzzle_by_atom_ends_and_is_replayed(slug: str) -> None:
    program = find(slug).program
    run = control(program, Random(5))
    assert {choice.grain for choice in run.chosen} == {ATOM}
    assert run.diagnosis.verdict is not None
    assert_same(run, control(program, Replay(run.schedule)))


@pytest.mark.parametrize("scheduler", [RoundRobin, lambda: Random(3)], ids=["turns", "random"])
def test_every_kind_of_queue_works_by_atom(scheduler: Callable[[], Scheduler]) -> None:
    run = control(MESSAGES, scheduler(), "fork")
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert "[0, 2, 4, 6, 8, 10]" in run.text("stdout")
    assert any(step.sentence.startswith("counts one unfinished task") for step in run.steps)


def test_what_is_done_at_a_pool_is_told_in_words() -> None:
    """Each operation has words of its own: none is told by its verb and its part."""
    run = control(PROGRAMS / "pool.py", Random(3), "fork")
    inner = [step for step in run.steps if step.operation]
    assert "hands square for 5 items over to pool (in map)" in {one.sentence for one in inner}
    for step in inner:
        assert not step.sentence.startswith(f"{step.operation} "), step.sentence


def test_by_atom_each_choice_is_one_operation() -> None:
    run = control(INSIDE, Random(1), "fork")
    assert len(run.steps) == len(run.chosen)
    inner = {step.operation for step in run.steps}
    assert {
        "acquire slots", "put items", "acquire put lock", "send items", "release put lock",
        "acquire get lock", "receive items", "release get lock", "release slots",
        "release sleeping", "release wait", "release woken", "acquire woken", "try flag",
    } <= inner  # fmt: skip


def test_by_call_nothing_of_all_this_is_seen() -> None:
    run = control(INSIDE, Random(1), "fork", grains=iter(lambda: Grain.CALL, None))
    assert not any(actor.library for actor in run.state.actors)
    assert not any(step.operation for step in run.steps)


# -- the feeder ------------------------------------------------------------------------------


class Stepper:
    """Steps a program by atom, by hand."""

    def __init__(self, real: RealRun, run: Run) -> None:
        self.real = real
        self.run = run
        self.end = time.monotonic() + 3 * DEADLINE

    def feeder(self, name: str = "") -> Actor | None:
        feeders = (a for a in self.real.state.actors if a.library and a.name.startswith(name))
        return next(feeders, None)

    def go(self, name: str) -> tuple[Step, ...]:
        """One atom of that process (or feeder)."""
        actor = next(a for a in self.real.state.actors if a.name == name)
        steps = self.real.take(Choice(actor.id, grain=ATOM), self.end)
        assert self.real.quiet
        return steps

    def until(self, name: str, what: str) -> None:
        """Atoms of that process until one of its steps begins with these words."""
        while not any(step.sentence.startswith(what) for step in self.go(name)):
            assert time.monotonic() < self.end

    def finish(self, grain: Grain = Grain.CALL) -> None:
        scheduler = RoundRobin()
        self.real.adapt(grain, self.end)
        while not self.real.over:
            choices = self.real.choices()
            assert choices, self.real.state
            self.real.take(scheduler.choose(self.real.state, choices), self.end)
        self.run.state = self.real.state


@contextmanager
def stepping(story: str, method: str = "fork") -> Iterator[Stepper]:
    run = Run()
    with world(FEEDER, story, method, run=run) as real:
        real.settle()
        yield Stepper(real, run)


def test_empty_lies_until_the_feeder_has_moved_the_item() -> None:
    with stepping("lies") as by_hand:
        by_hand.until("main", "lays 7 into its buffer for queue")
        by_hand.until("main", "looks whether something is in the pipe of queue: False")
        by_hand.until("main", "prints 'empty True'")
        feeder = by_hand.feeder()
        assert feeder is not None
        assert (feeder.name, feeder.parent, feeder.thread) == (
            "main's feeder",
            0,
            "QueueFeederThread",
        )
        told = [by_hand.go("main's feeder")[0].sentence for _ in range(3)]
        assert told == [
            "takes the put lock of queue",
            "moves 7 into the pipe of queue",
            "gives the put lock of queue back",
        ]
        assert all(choice.actor != feeder.id for choice in by_hand.real.choices())
        by_hand.finish()
        assert by_hand.run.text("stdout") == ["empty True", "got 7"]


def test_a_waiting_feeder_is_let_go_when_the_xray_goes_off() -> None:
    with stepping("lies") as by_hand:
        by_hand.until("main", "lays 7 into its buffer for queue")
        (queue,) = by_hand.real.state.primitives.values()
        assert not by_hand.real.state.channel(queue).items
        by_hand.real.adapt(Grain.CALL)
        assert [item.label for item in by_hand.real.state.channel(queue).items] == ["7"]
        feeder = by_hand.feeder()
        assert feeder is not None
        assert feeder.pending is None
        by_hand.finish()


def test_a_process_cannot_end_before_its_feeder_has_sent_all() -> None:
    with stepping("ends") as by_hand:
        by_hand.until("main", "starts Ada")
        by_hand.until("Ada", "lays 7 into its buffer for queue")
        ada = by_hand.real.state.actors[1]
        assert ada.pending is not None
        assert ada.pending.call == "Queue.flush"
        for _ in range(3):
            assert not by_hand.real.state.enabled(by_hand.real.state.actors[1])
            by_hand.go("Ada's feeder")
        by_hand.go("Ada")
        feeder = by_hand.feeder()
        assert feeder is not None
        assert feeder.ended
        by_hand.finish(ATOM)


def test_who_leaves_by_os_exit_loses_what_its_feeder_had_not_sent() -> None:
    with stepping("flees") as by_hand:
        by_hand.until("main", "starts Ada")
        by_hand.until("Ada", "lays 7 into its buffer for queue")
        by_hand.go("Ada's feeder")
        by_hand.until("Ada", "ends")
        by_hand.finish(ATOM)
        findings = {finding.kind for finding in by_hand.run.diagnosis.findings}
        assert "unflushed queue" in findings


@pytest.mark.parametrize("grain", Grain)
def test_who_is_killed_while_its_feeder_has_the_put_lock_stops_all_other_feeders(
    grain: Grain,
) -> None:
    with stepping("fills") as by_hand:
        real = by_hand.real
        by_hand.until("main", "starts Ada")
        by_hand.until("main", "starts Bob")
        by_hand.until("Ada", "lays 7 into its buffer for queue")
        assert by_hand.go("Ada's feeder")[0].sentence == "takes the put lock of queue"
        os.kill(real.state.actors[1].pid, signal.SIGKILL)
        wait_for(lambda: (real.pump(0.05), real.state.actors[1].ended)[1])
        by_hand.until("main", "joins Ada")
        by_hand.until("Bob", "lays 7 into its buffer for queue")
        real.adapt(grain)
        assert real.choices() == ()
        diagnosis = diagnose(real.state)
        assert diagnosis.stuck
        (why,) = [f.explanation for f in diagnosis.findings if f.kind == "dead holder"]
        assert why.startswith("Ada's feeder ended while it held queue")
        assert "Bob's feeder" in why


@pytest.mark.parametrize("grain", Grain)
def test_a_feeder_in_a_full_pipe_is_seen_when_the_xray_comes_on(grain: Grain) -> None:
    with stepping("clogs") as by_hand:
        real = by_hand.real
        real.take(Choice(0, grain=grain))  # starts Ada
        while not any(step.sentence == "prints 'put'" for step in by_hand.run.steps):
            real.take(Choice(1, grain=grain))
        if grain is ATOM:
            by_hand.until("Ada's feeder", "moves")
        real.adapt(ATOM)
        (queue,) = real.state.primitives.values()
        feeder = by_hand.feeder()
        assert feeder is not None
        assert real.state.holders(queue, "put lock") == (feeder.id,)
        assert feeder.pending is None
        by_hand.until("main", "takes b'xxx")
        feeder = by_hand.feeder()
        assert feeder is not None
        if feeder.pending is not None:  # the X-ray was on when it took its lock
            assert feeder.pending.role == "put lock"
        by_hand.finish(ATOM)
        assert by_hand.run.diagnosis.verdict is Verdict.FINISHED
        assert by_hand.run.text("stdout") == ["1000000", "put"]


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 9))]
)
@pytest.mark.parametrize("story", ["clogs_two", "fills", "drops", "lies", "flees"])
def test_what_feeders_do_in_any_order_is_replayed(story: str, seed: int) -> None:
    run = control(FEEDER, Random(seed), story, "fork", grains=switching(seed))
    assert_same(run, control(FEEDER, Replay(run.schedule), story, "fork"))


def test_a_fault_under_the_xray_is_replayed_where_it_was() -> None:
    words = (FEEDER, "--schedule", "A2B2DB@kAC2", "--timeout", 60, "--", "fills", "fork")
    first, second = tell(*words), tell(*words)
    assert first.verdict["schedule"] == "A2B2DB@kAC2"
    assert first.verdict["verdict"] == "deadlock"
    assert {"dead holder", "unflushed queue"} <= first.findings
    assert first.process("Ada's feeder")["exitcode"] is None
    for told in (first, second):
        for step in told.steps:
            step["pid"] = 0
    assert second.steps == first.steps


def test_a_run_by_atom_is_asked_for_on_the_command_line() -> None:
    told = tell(INSIDE, "--scheduler", "random:4", "--grain", "atom", "--", "fork")
    schedule = told.verdict["schedule"]
    assert told.exitcode == 0
    assert {choice.grain for choice in parse_schedule(schedule)} == {ATOM}
    again = tell(INSIDE, "--schedule", schedule, "--", "fork")
    strip = [{**step, "pid": 0} for step in told.steps]
    assert [{**step, "pid": 0} for step in again.steps] == strip
    assert format_schedule(parse_schedule(schedule)) == schedule


@pytest.mark.parametrize("words", [[], ["--schedule", "a"]])
def test_a_grain_goes_with_a_scheduler_of_ours(words: list[str]) -> None:
    told = tell(INSIDE, "--grain", "atom", *words, "--", "fork")
    assert told.exitcode == 2
    assert "--grain goes with --scheduler" in told.stderr
