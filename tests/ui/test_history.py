"""What was seen of a run, and looking back at it."""

from __future__ import annotations

from plays import START_ALL, Play, philosophers

from syncsim.core.live import Printed, Settled, Stepped
from syncsim.core.schedule import Choice
from syncsim.session.history import History


def seen(live: Play, limit: int = 2000) -> History:
    history = History(limit)
    while live.updates:
        update = live.updates.popleft()
        if isinstance(update, Stepped):
            history.add(update)
        elif isinstance(update, Settled):
            history.settle(update)
        elif isinstance(update, Printed):
            history.hear(update)
    return history


def told(history: History, n: int | None = None) -> list[str]:
    names = [actor.name for actor in history.now.state.actors]
    return [
        f"{line.n or ''} {names[line.actor] if line.actor is not None else '?'} {line.text}".strip()
        for line in history.lines(n)
    ]


def test_the_newest_step_stands_first() -> None:
    live = philosophers()
    live.run(*START_ALL, 1)
    assert told(seen(live))[0] == "5 Plato takes forks[0]"


def test_who_begins_to_wait_is_told_once_and_without_a_number() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 2, 3)
    lines = told(seen(live))
    assert lines.count("Plato waits for forks[1], held by Socrates") == 1
    assert lines.index("Plato waits for forks[1], held by Socrates") < lines.index(
        "6 Socrates takes forks[1]"
    )


def test_a_moment_of_the_past_tells_only_of_what_was_before() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 2)
    history = seen(live)
    assert history.at(4).state.n == 4
    assert told(history, 4)[-1] == "1 main starts Plato"
    assert not any("forks" in line for line in told(history, 4))


def test_what_a_print_said_is_not_said_twice() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 1, 1)
    assert sum("eats" in line for line in told(seen(live))) == 1


def test_a_traceback_is_not_upside_down() -> None:
    live = philosophers()
    live.run(0)
    live.updates.append(Printed(0, "stderr", "Traceback:\n  line 1\n"))
    live.updates.append(Printed(0, "stderr", "ValueError\n"))
    assert told(seen(live))[:3] == ["main Traceback:", "main   line 1", "main ValueError"]


def test_the_choices_that_led_to_a_moment_are_its_schedule() -> None:
    live = philosophers()
    live.run(*START_ALL, 2)
    history = seen(live)
    assert history.schedule(history.now) == [Choice(0)] * 4 + [Choice(2)]
    assert history.schedule(history.at(2)) == [Choice(0)] * 2


def test_nobody_knows_the_schedule_of_what_the_system_scheduled() -> None:
    live = philosophers()
    live.run(0)
    live.free()
    live.advance(2)
    live.pause()
    live.run(0)
    history = seen(live)
    assert history.schedule(history.at(1)) == [Choice(0)]
    assert history.schedule(history.now) is None


def test_the_oldest_moments_are_forgotten_but_not_the_choices() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 2, 3)
    history = seen(live, limit=3)
    assert len(history.moments) == 3
    assert history.at(0).state.n == 5
    assert len(history.schedule(history.now) or ()) == 7


def test_having_been_ready_but_not_picked_is_no_waiting() -> None:
    live = philosophers()
    live.run(*START_ALL, 3)
    newest = next(seen(live).past(5))
    assert newest.step.waited > 0
    assert newest.waited == 0


def test_ten_megabytes_of_output_are_not_kept() -> None:
    history = History()
    for _ in range(10_000):
        history.hear(Printed(0, "stdout", "x" * 1000))
    assert sum(len(printed.text) for printed in history.now.prints) < 10_000


def test_each_moment_knows_the_last_line_of_each_process_until_then() -> None:
    live = philosophers()
    live.run(*START_ALL)
    live.updates.append(Printed(1, "stdout", "one\ntwo\n\n"))
    live.updates.append(Printed(2, "stdout", "\x1b[31mthree\x1b[0m\n"))
    live.run(3)
    live.updates.append(Printed(1, "stdout", "four\n"))
    live.updates.append(Printed(None, "stdout", "nobody knows\n"))
    live.updates.append(Printed(1, "stdout", "\n"))
    history = seen(live)
    assert history.at(3).last == {}
    assert history.at(4).last == {1: "two", 2: "three"}
    assert history.now.last == {1: "four", 2: "three"}


def test_what_a_print_wrote_is_not_known_before_it() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 1)
    live.updates.append(Printed(2, "stdout", "hm\n"))
    live.run(1)  # "eats" is told before its step
    history = seen(live)
    assert history.at(6).last == {2: "hm"}
    assert history.now.last == {1: "eats", 2: "hm"}


def test_what_a_step_led_to_is_told_before_it_and_belongs_to_it() -> None:
    live = philosophers()
    live.updates.append(Printed(0, "stdout", "before all\n"))
    live.updates.append(Settled(live.state))
    live.updates.append(Printed(1, "stdout", "of another\n"))
    live.updates.append(Printed(0, "stdout", "started\n"))
    live.updates.append(Printed(0, "stdout", "before all\n"))
    live.run(0)
    history = seen(live)
    assert history.at(0).last == {0: "before all", 1: "of another"}
    assert history.now.last == {0: "before all", 1: "of another"}
    assert told(history)[:2] == ["main started", "main before all"]
    assert told(history, 0) == ["Plato of another", "main before all"]
