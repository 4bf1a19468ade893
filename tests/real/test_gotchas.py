"""What surprises people about multiprocessing stays true on real processes, and is explained."""

from __future__ import annotations

import pytest
from either import either
from running import DEADLINE, PROGRAMS, Told, control, tell

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Replay

free = pytest.mark.parametrize("scheduler", ["os"])
both = either("scheduler", ["os", "random:1"])
controlled = either("scheduler", ["round-robin", "random:1", "random:2"])


def run(name: str, scheduler: str, *words: object) -> Told:
    program = PROGRAMS / "gotchas" / f"{name}.py"
    return tell(program, "--scheduler", scheduler, "--timeout", 2 * DEADLINE, *words)


def findings(told: Told) -> dict[str, str]:
    return {finding["kind"]: finding["explanation"] for finding in told.verdict["findings"]}


def assert_deadlock(told: Told, *stuck: str) -> None:
    assert (told.exitcode, told.verdict["verdict"]) == (1, "deadlock"), told.verdict
    assert {p["name"] for p in told.verdict["processes"] if p["state"] == "stuck"} == set(stuck)


# -- queues ------------------------------------------------------------------------------------


@both
def test_join_before_get_hangs_because_the_child_waits_to_flush_its_queue(scheduler: str) -> None:
    told = run("join_before_get", scheduler)
    assert_deadlock(told, "main", "Ada")
    assert "Ada waits to flush results" in told.verdict["explanation"]
    assert "main waits for Ada to end" in told.verdict["explanation"]
    assert findings(told)["unflushed queue"] == (
        "what Ada has put into results fills the pipe, so Ada cannot end: "
        "get it before Ada is joined"
    )


@free
def test_empty_may_lie(scheduler: str) -> None:
    told = run("empty_lies", scheduler)
    assert told.exitcode == 0
    assert told.text("stdout").splitlines() == [
        "empty: True items: 1",
        "here",
        "empty: True items: 0",
    ]
    seen = [step["result"] for step in told.steps if step["call"] == "Queue.empty"]
    assert seen == ["True", "True"]


@free
def test_an_item_is_lost_by_os_exit(scheduler: str) -> None:
    told = run("lost_by_exit", scheduler)
    assert_deadlock(told, "main")
    assert told.text("stdout") == "Ada ended with 0\n"
    assert told.process("main")["waiting_for"] == "results"
    assert findings(told)["unflushed queue"] == "Ada ended before ‹Slow› reached results"


@both
def test_half_an_item_left_by_os_exit_is_never_received(scheduler: str) -> None:
    told = run("torn_by_exit", scheduler)
    assert_deadlock(told, "main")
    assert told.verdict["explanation"] == (
        "main waits for the rest of an item of results: Ada ended while sending it, "
        "and nobody is left who could help."
    )
    assert findings(told)["unflushed queue"].startswith("Ada ended in the middle of sending 'xxx")


@both
def test_an_item_that_cannot_be_pickled_is_noticed_by_the_feeder_alone(scheduler: str) -> None:
    told = run("unpicklable", scheduler)
    assert_deadlock(told, "main")
    assert told.text("stdout") == "put it\n"
    assert "main.<locals>.<lambda>" in told.text("stderr")
    assert told.text("stderr").startswith("Traceback (most recent call last):\n")
    assert "syncsim" not in told.text("stderr")
    assert findings(told)["unflushed queue"] == (
        "main put function <lambda> into results, and its feeder thread could not send it"
    )


@both
def test_an_item_that_cannot_be_pickled_when_its_process_ends_is_lost_without_a_word(
    scheduler: str,
) -> None:
    told = run("unpicklable_at_exit", scheduler)
    assert told.text("stdout").startswith("Ada ended with 0\n")
    assert findings(told)["unflushed queue"].startswith("Ada put function <lambda>")
    assert findings(told)["unflushed queue"].endswith("its feeder thread could not send it")
    assert told.process("Ada")["state"] == "done"


# -- death -------------------------------------------------------------------------------------


@both
def test_a_killed_holder_never_gives_its_lock_back(scheduler: str) -> None:
    told = run("killed_holder", scheduler)
    assert told.exitcode == 1
    assert told.verdict["explanation"] == "Ada is killed by signal 9 (SIGKILL)."
    assert findings(told)["dead holder"] == (
        "Ada ended while it held gate; Bob cannot have it any more"
    )
    assert told.process("Bob")["state"] == "stuck"
    assert told.process("Ada")["holds"] == ["gate"]


@both
def test_who_sets_an_event_waits_for_a_sleeper_that_was_killed(scheduler: str) -> None:
    told = run("killed_sleeper", scheduler)
    assert_deadlock(told, "main")
    assert told.process("Ada")["state"] == "killed"
    assert told.process("main")["waiting_for"] == "ready"
    assert "main waits for Ada (who has ended) to wake from ready" in told.verdict["explanation"]
    assert findings(told)["dead sleeper"].startswith("Ada ended while it slept on ready")


@both
def test_who_ended_and_was_not_joined_is_a_zombie(scheduler: str) -> None:
    told = run("zombie", scheduler)
    assert (told.exitcode, told.verdict["verdict"]) == (0, "finished")
    assert told.text("stdout").splitlines() == ["done", "state Z"]
    assert told.process("Ada")["state"] == "zombie"
    assert findings(told)["zombie"] == "nobody has joined Ada after it ended"


# -- what is shared, and what is not -----------------------------------------------------------


@both
def test_a_global_that_a_child_changes_is_not_seen_by_its_parent(scheduler: str) -> None:
    told = run("own_globals", scheduler)
    assert told.exitcode == 0
    assert sorted(told.text("stdout").splitlines()) == ["Ada sees 5", "main sees 0"]


@both
def test_what_is_appended_inside_a_managers_dict_is_lost(scheduler: str) -> None:
    told = run("nested_append", scheduler)
    assert told.exitcode == 0, told.verdict
    assert told.text("stdout") == "Ada [] Bob ['kept']\n"


@controlled
def test_to_add_to_a_value_is_two_operations(scheduler: str) -> None:
    told = run("two_operations", scheduler)
    assert told.exitcode == 0
    for name in ("Ada", "Bob"):
        calls = [step["call"] for step in told.steps if step["process"] == name]
        assert calls == ["Value.get", "Value.set", "exit"]


def test_an_update_is_lost_between_the_two_operations_of_an_addition() -> None:
    program = PROGRAMS / "gotchas" / "two_operations.py"
    lost = control(program, Replay("a2bcbc"))
    written = [step.sentence for step in lost.steps if step.call.startswith("Value")]
    assert written == ["reads 0 from cell", "reads 0 from cell"] + ["writes 1 to cell"] * 2
    kept = control(program, Replay("a2b2c2"))
    assert [step.detail for step in kept.steps if step.call == "Value.set"] == ["1", "2"]


# -- new interpreters --------------------------------------------------------------------------


@both
def test_a_missing_guard_under_spawn_is_a_crash_that_says_so(scheduler: str) -> None:
    told = run("no_guard", scheduler)
    assert (told.exitcode, told.verdict["verdict"]) == (1, Verdict.CRASH)
    assert told.verdict["explanation"] == (
        "Ada ends with an exception that nobody catches: RuntimeError: An attempt has been made to "
        "start a new process before the current process has finished its bootstrapping phase. "
        "(no_guard.py, line 12)."
    )
    assert findings(told)["missing guard"].startswith("Ada is a new interpreter")
    assert "if __name__ == '__main__'" in findings(told)["missing guard"]
    assert told.text("stdout") == "Ada ended with 1\n"
    assert "freeze_support" in told.text("stderr")
    assert "syncsim/" not in told.text("stderr")
    assert told.process("Ada")["state"] == "crashed"
