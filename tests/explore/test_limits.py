"""What runs too long is broken off, and nothing else: a machine that was busy is no reason."""

from __future__ import annotations

from syncsim.explore.limits import TOO_LONG, takes_too_long
from syncsim.virtual.stopwatch import Stopwatch


def test_who_has_had_the_processor_for_too_long_is_broken_off() -> None:
    now = Stopwatch.now()
    assert takes_too_long(now._replace(processor=now.processor - TOO_LONG))


def test_who_was_held_up_is_not() -> None:
    now = Stopwatch.now()
    assert not takes_too_long(now._replace(clock=now.clock - 2 * TOO_LONG))


def test_who_sleeps_and_does_not_wake_up_is() -> None:
    now = Stopwatch.now()
    assert takes_too_long(now._replace(clock=now.clock - 60))


def test_where_nobody_is_at_work_nobody_is() -> None:
    assert not takes_too_long(None)
