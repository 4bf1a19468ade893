"""Faults on real processes: what they do, who notices, and that a run with one replays."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from either import either
from running import (
    DEADLINE,
    METHODS,
    PATIENCE,
    PROGRAMS,
    Run,
    control,
    processes_of,
    state_of,
    tell,
    wait_for,
    world,
)
from test_monitored_runs import ENDLESS, Watcher, watch  # noqa: F401 (a fixture)

from syncsim.core.deadlock.graph import halted
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.faults import possible
from syncsim.core.live import Diagnosed, Inspected, Mode, Refused, Stepped
from syncsim.core.schedule import Choice, Move, parse_schedule
from syncsim.core.scheduler import Replay
from syncsim.core.state import Actor, State
from syncsim.core.words.status import Status, status
from syncsim.real import kernel

VICTIMS = PROGRAMS / "victims.py"
each_method = pytest.mark.parametrize("method", METHODS)


class Vandal:
    """Picks anyone, and does harm to somebody now and then; from a seed."""

    def __init__(self, seed: int) -> None:
        self.name = f"vandal:{seed}"
        self._random = random.Random(seed)

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        faults = possible(state)
        if not choices:
            faults = tuple(choice for choice in faults if choice.move is Move.CONTINUE)
        if faults and (not choices or self._random.random() < 0.15):
            return self._random.choice(faults)
        return self._random.choice(choices) if choices else None


def replay(method: str, what: str, schedule: str) -> Run:
    """The run of that schedule, which is the same when it is made again."""
    run = control(VICTIMS, Replay(schedule), method, what)
    assert run.chosen == list(parse_schedule(schedule)), run.told
    again = control(VICTIMS, Replay(schedule), method, what)
    assert_same(run, again)
    return run


def assert_same(one: Run, other: Run) -> None:
    assert other.told == one.told
    assert other.actors == one.actors
    assert other.diagnosis == one.diagnosis
    assert other.text("stdout") == one.text("stdout")


def sentences(run: Run, who: str) -> list[str]:
    return [step.sentence for step in run.steps if step.process == who]


def findings(run: Run) -> dict[str, str]:
    return {finding.kind: finding.explanation for finding in run.diagnosis.findings}


def named(state: State, name: str) -> Actor:
    return next(actor for actor in state.actors if actor.name == name)


# -- kill ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_killed_lock_holder_never_gives_it_back(method: str) -> None:
    run = replay(method, "hold", "a2bb@ka")
    assert named(run.state, "A").exitcode == -9
    assert run.diagnosis.verdict is Verdict.DEADLOCK
    assert findings(run)["dead holder"] == (
        "A was killed by the person while it held lock; B cannot have it any more"
    )
    assert sentences(run, "main")[-1] == "joins A"


@each_method
def test_who_is_killed_before_it_holds_anything_harms_nobody(method: str) -> None:
    run = replay(method, "hold", "a2b@kac5a3")
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert run.diagnosis.explanation.endswith("A was killed by the person.")
    assert run.text("stdout") == ["[-9, 0]", "gave it back", "has it"]


@each_method
def test_a_process_killed_inside_event_wait_makes_the_next_set_hang(method: str) -> None:
    run = replay(method, "sleep", "a2bcb@kaca")
    assert run.diagnosis.verdict is Verdict.DEADLOCK
    assert findings(run)["dead sleeper"] == (
        "A was killed by the person while it slept on event, and is still counted there; "
        "main, in Event.set, waits for it to wake"
    )
    assert run.text("stdout") == []


@each_method
def test_children_live_on_when_the_main_process_is_killed(method: str) -> None:
    run = replay(method, "hold", "a2a@kb5c5")
    assert named(run.state, "main").exitcode == -9
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert run.text("stdout") == ["gave it back", "gave it back", "has it", "has it"]


def test_a_child_killed_after_its_parent_has_the_exit_code_of_the_signal() -> None:
    run = replay("fork", "hold", "a2a@kb@kc@e")
    assert [actor.exitcode for actor in run.state.actors] == [-9, -9, -15]
    assert [status(run.state, actor) for actor in run.state.actors] == [Status.KILLED] * 3


# -- terminate -----------------------------------------------------------------------------


@each_method
def test_who_has_no_handler_ends_when_it_is_told_to(method: str) -> None:
    run = replay(method, "hold", "a2bb@ea")
    assert named(run.state, "A").exitcode == -15
    assert run.diagnosis.verdict is Verdict.DEADLOCK
    assert "dead holder" in findings(run)


@each_method
def test_a_handler_may_print_and_take_locks_while_its_process_waits_at_the_gate(
    method: str,
) -> None:
    run = replay(method, "leave", "ab@eb4")
    assert sentences(run, "A")[:5] == [
        "is told by the person to end",
        "prints 'told to end in handle'",
        "takes lock",
        "prints 'has it'",
        "gives lock back",
    ]


@pytest.mark.parametrize("before", range(6))
def test_after_its_handler_a_process_goes_on_where_it_was(before: int) -> None:
    own = ["prints 'first'", "takes lock", "prints 'second'", "gives lock back"]
    own.append("finds event not set and goes to sleep")
    handles = ["takes lock", "prints 'has it'", "gives lock back", "prints 'stays'"]
    run = replay("fork", "stay", f"a{'b' * before}b@eb{'' if before in (2, 3) else 5}")
    told, where, *after = sentences(run, "A")[before:]
    assert told == "is told by the person to end"
    assert where.startswith("prints 'told to end in ")
    if before in (2, 3):  # it holds the lock that its handler wants
        assert after == []
        assert run.diagnosis.stuck == (1,)
        return
    assert after == handles
    again = replay("fork", "stay", f"{run.schedule}{'b' * (5 - before)}")
    assert sentences(again, "A")[before + 6 :] == own[before:]


def test_a_handler_that_leaves_ends_its_process_its_own_way() -> None:
    run = replay("fork", "leave", "ab@eb5a4")
    assert named(run.state, "A").exitcode == 3
    assert status(run.state, named(run.state, "A")) is Status.DONE
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert "killed" not in run.diagnosis.explanation


def test_who_ignores_it_goes_on_as_if_nothing_had_been() -> None:
    run = replay("fork", "ignore", "ab@eb4ab3a3")
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert named(run.state, "A").exitcode == 0


def test_a_handler_answers_also_when_the_program_itself_tells_its_process_to_end() -> None:
    run = replay("fork", "terminates", "a2b5a3")
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert named(run.state, "A").exitcode == 3


# -- stop and continue ---------------------------------------------------------------------


@each_method
def test_who_is_stopped_makes_no_step_until_it_is_continued(method: str) -> None:
    run = replay(method, "hold", "a2b@sc5b@cb5a4")
    assert run.diagnosis.verdict is Verdict.FINISHED
    told = [(step.process, step.move) for step in run.steps]
    stopped, goes_on = told.index(("A", Move.STOP)), told.index(("A", Move.CONTINUE))
    assert {process for process, _ in told[stopped + 1 : goes_on]} == {"B"}


def test_a_stopped_process_is_stopped_for_the_kernel_too() -> None:
    with world(VICTIMS, "fork", "hold") as real:
        real.settle()
        for choice in parse_schedule("a2b"):
            real.take(choice)
        pid = real.state.actors[1].pid
        assert real.faults() == possible(real.state)
        (step,) = real.take(Choice(1, Move.STOP))
        assert (step.sentence, state_of(pid)) == ("is stopped", "T")
        assert real.choices() == ()
        assert halted(real.state) == (1,)
        assert (
            real.inspection.inspect(1).note
            == "Its variables can be seen when it goes on: it is stopped."
        )
        real.take(Choice(1, Move.CONTINUE))
        assert state_of(pid) != "T"
        assert real.choices() == (Choice(1),)
        assert real.inspection.inspect(1).frames


def test_who_is_stopped_may_be_killed() -> None:
    run = replay("fork", "hold", "a2bb@sb@ka")
    assert "dead holder" in findings(run)
    assert not named(run.state, "A").stopped


def test_a_feeder_that_is_stopped_delivers_when_it_is_continued() -> None:
    with world(VICTIMS, "fork", "put") as real:
        real.settle()
        for choice in parse_schedule("ab2b@s"):
            real.take(choice)
        assert real.quiet  # nobody owes what a stopped feeder would deliver
        real.take(Choice(1, Move.CONTINUE))
        real.take(Choice(0))
        assert real.state.choices()
    run = replay("fork", "put", "ab2b@sb@cab2a3")
    assert "500000" in run.text("stdout")


def test_nothing_is_left_of_a_run_that_is_closed_while_somebody_is_stopped() -> None:
    with world(VICTIMS, "forkserver", "hold") as real:
        mark = real.directory
        real.settle()
        for choice in parse_schedule("a2ba@sb@sc@s"):
            real.take(choice)
        assert [actor.stopped for actor in real.state.actors] == [True] * 3
    wait_for(lambda: not processes_of(mark))


# -- who cannot be harmed --------------------------------------------------------------------


def test_a_thread_cannot_be_killed_but_dies_and_stops_with_its_process() -> None:
    with world(VICTIMS, "fork", "thread") as real:
        real.settle()
        real.take(Choice(0))
        thread = wait_for(lambda: [a for a in real.state.actors if a.thread] or real.pump(0.05))[0]
        assert {choice.actor for choice in real.faults()} == {0, 1}
        real.take(Choice(1, Move.STOP))
        assert real.state.actors[thread.id].stopped
        real.take(Choice(1, Move.CONTINUE))
        assert not real.state.actors[thread.id].stopped
        real.take(Choice(1, Move.KILL))
        assert real.state.actors[thread.id].ended


# -- any faults at all -----------------------------------------------------------------------


@either("seed", range(6))
@pytest.mark.parametrize("what", ["hold", "sleep", "leave", "stay", "put"])
@pytest.mark.parametrize("method", METHODS[:2])
def test_whatever_harm_is_done_the_run_replays(method: str, what: str, seed: int) -> None:
    run = control(VICTIMS, Vandal(seed), method, what)
    assert_same(run, control(VICTIMS, Replay(run.schedule), method, what))


# -- the program's own signals ---------------------------------------------------------------


@each_method
def test_signals_that_the_program_sends_are_seen(method: str) -> None:
    run = replay(method, "signals", "a5")
    assert sentences(run, "main")[2:] == [
        "sends SIGSTOP to A",
        "sends SIGCONT to A",
        "sends SIGKILL to A",
    ]
    assert run.diagnosis.verdict is None
    assert named(run.state, "A").exitcode == -9


def test_who_was_killed_by_the_program_has_its_exit_code_though_the_fork_server_was_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "exit_code", lambda pid: None)  # there is no zombie any more
    run = replay("forkserver", "signals", "a5")
    assert (named(run.state, "A").exitcode, named(run.state, "A").terminated) == (-9, True)


def test_a_process_that_stops_itself_can_be_continued() -> None:
    run = replay("fork", "stops", "ab2b@cb2a3")
    assert sentences(run, "A") == [
        "prints 'before'",
        "sends SIGSTOP to A",
        "goes on again",
        "prints 'after'",
        "ends",
    ]
    assert run.text("stdout") == ["[0]", "after", "before"]


def test_a_process_that_kills_itself_has_crashed() -> None:
    run = control(VICTIMS, Replay("ab"), "fork", "kills")
    assert run.diagnosis.verdict is Verdict.CRASH


def test_one_whom_somebody_unseen_has_stopped_does_not_hold_us_up() -> None:
    with world(VICTIMS, "fork", "hold") as real:
        real.settle()
        for choice in parse_schedule("a2"):
            real.take(choice)
        pid = real.state.actors[1].pid
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        real.take(Choice(1))  # its gate is opened, and nothing comes
        assert time.monotonic() - began < PATIENCE
        assert status(real.state, real.state.actors[1]) is Status.STOPPED
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: (real.pump(0.05), not real.state.actors[1].stopped)[1])
        real.settle(time.monotonic() + DEADLINE)
        assert Choice(1) in real.choices()


# -- headless --------------------------------------------------------------------------------


def test_headless_a_schedule_with_a_fault_is_told_and_told_again() -> None:
    told = tell(VICTIMS, "--schedule", "a2bb@ka", "--", "fork", "hold")
    assert told.exitcode == 1
    assert told.verdict["verdict"] == "deadlock"
    assert "dead holder" in told.findings
    assert told.verdict["schedule"] == "a2bb@ka"
    assert [step["move"] for step in told.steps] == ["", "", "", "k", ""]
    assert told.process("A")["state"] == "killed"


def test_headless_nobody_continues_who_is_stopped_so_nothing_is_decided() -> None:
    told = tell(VICTIMS, "--schedule", "a2bb@s", "--", "fork", "hold")
    assert told.exitcode == 3
    assert told.verdict["explanation"].startswith(
        "Nothing is decided: A is stopped, and nobody continues it."
    )
    assert told.findings == {"stopped process"}
    assert told.process("A")["state"] == "stopped"


def test_headless_a_fault_that_cannot_be_is_bad_input() -> None:
    told = tell(VICTIMS, "--schedule", "a2b@c", "--", "fork", "hold")
    assert told.exitcode == 2
    assert "its choice 3 is b@c (A), but A is not stopped" in told.stderr


# -- watched ---------------------------------------------------------------------------------

Watch = Callable[..., Watcher]

#: Without a flood of records, of which the telling takes its time.
CALMER = "import time\n" + ENDLESS.replace("count += 1", "time.sleep(0.001)")


def do(run: Watcher, actor: int, move: Move) -> Stepped:
    """Asks for the fault, and waits until it is told."""
    after = len(run.listen())
    run.monitor.fault(actor, move)
    return run.wait(Stepped, lambda stepped: stepped.step.move is move, after)


def test_a_fault_is_told_with_its_choice(watch: Watch) -> None:  # noqa: F811
    run = watch(VICTIMS, None, "fork", "hold")
    run.begin()
    for actor in (0, 0, 1):
        run.step(actor)
    stopped = do(run, 1, Move.STOP)
    assert stopped.choice == Choice(1, Move.STOP)
    after = len(run.told)
    run.monitor.step(None)
    assert run.wait(Refused, after=after).why == "Nobody can go on: A must be continued first."
    run.monitor.step(1)
    run.wait(Refused, lambda refused: refused.why == "A is stopped: continue it first.")
    run.monitor.inspect(1)
    assert "stopped" in run.wait(Inspected).note
    run.monitor.fault(1, Move.STOP)
    run.wait(Refused, lambda refused: refused.why == "A is stopped already.")
    run.monitor.fault(9, Move.KILL)
    run.wait(Refused, lambda refused: refused.why == "There is no such process.")
    assert run.mode is Mode.PAUSED
    killed = do(run, 1, Move.KILL)
    assert killed.state.actors[1].ended
    run.step(0)
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.DEADLOCK
    wait_for(lambda: run.mode is Mode.OVER)


def test_who_is_stuck_may_be_killed_and_the_run_goes_on(watch: Watch) -> None:  # noqa: F811
    run = watch(VICTIMS, None, "fork", "hold")
    run.begin()
    for actor in (0, 0, 1):
        run.step(actor)
    do(run, 1, Move.KILL)
    run.step(0)
    wait_for(lambda: run.mode is Mode.OVER)
    do(run, 2, Move.KILL)
    assert run.mode is Mode.PAUSED
    for _ in range(3):
        run.step(0)
    last = run.wait(Diagnosed, lambda told: told.diagnosis.verdict is Verdict.FINISHED)
    assert "A and B were killed by the person." in last.diagnosis.explanation
    run.monitor.fault(1, Move.KILL)
    run.wait(Refused, lambda refused: refused.why.startswith("The run is over"))


def test_in_free_running_what_is_done_stands_where_it_belongs(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    program = tmp_path / "endless.py"
    program.write_text(CALMER)
    run = watch(program)
    run.begin()
    run.monitor.free()
    run.wait(Stepped, lambda stepped: stepped.step.actor == 1)
    run.wait(Stepped, lambda stepped: stepped.step.actor == 2)
    assert do(run, 1, Move.STOP).choice is None
    pid = run.state.actors[1].pid
    assert state_of(pid) == "T"
    do(run, 1, Move.CONTINUE)
    after = len(run.listen())
    run.wait(Stepped, lambda stepped: stepped.step.actor == 1 and not stepped.step.move, after)
    do(run, 1, Move.KILL)
    wait_for(lambda: run.state.actors[1].ended)
    own = [stepped.step.move for stepped in run.all(Stepped) if stepped.step.actor == 1]
    stopped, killed = own.index(Move.STOP), own.index(Move.KILL)
    assert own[stopped : stopped + 2] == [Move.STOP, Move.CONTINUE]
    assert own[killed:] == [Move.KILL]


def test_what_is_done_is_told_also_in_a_flood_of_steps(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    program = tmp_path / "flood.py"
    program.write_text(ENDLESS.replace("args=(gate,", "args=(multiprocessing.Lock(),"))
    run = watch(program)
    run.begin()
    run.monitor.free()
    run.wait(Stepped, lambda stepped: stepped.step.actor == 1)
    run.wait(Stepped, lambda stepped: stepped.step.actor == 2)

    pump = run.monitor._world.pump

    def late(timeout: float) -> bool:
        run.monitor._world.pump = pump  # type: ignore[method-assign]
        time.sleep(1)  # as where the monitor is kept from the processor
        return pump(timeout)

    def stop() -> None:
        run.monitor._fault(Choice(1, Move.STOP))
        run.monitor._world.pump = late  # type: ignore[method-assign]
        run.monitor._next = time.monotonic() + 0.05

    run.monitor._order(stop)
    wait_for(lambda: run.state.actors[1].stopped)
    assert Move.STOP in {stepped.step.move for stepped in run.all(Stepped)}


def test_pausing_out_of_free_running_does_not_wait_for_who_is_stopped(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    program = tmp_path / "endless.py"
    program.write_text(CALMER)
    run = watch(program)
    run.begin()
    run.monitor.free()
    run.wait(Stepped, lambda stepped: stepped.step.actor == 1)
    do(run, 1, Move.STOP)
    run.monitor.pause()
    wait_for(lambda: run.mode is Mode.PAUSED)
    stopped = run.state.actors[1]
    assert stopped.stopped
    do(run, 1, Move.CONTINUE)
    wait_for(lambda: run.listen() and run.state.actors[1].pending is not None)
    assert not run.state.actors[1].outside
