"""What a feeder thread cannot send, and what it has not sent when its process ends."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up import Act
from test_brute_force import Plan, compare

from syncsim.core.operation import Verb

pytestmark = pytest.mark.once

_LARGE = Act(Verb.PUT, "queue", item="large")
_UNSENDABLE = Act(Verb.PUT, "queue", item="unsendable")
_PUT, _RECEIVE = Act(Verb.PUT, "queue"), Act(Verb.RECEIVE, "queue")
_POLL, _FLUSH = Act(Verb.POLL, "queue", blocking=False), Act(Verb.FLUSH, "queue")
_TAKE, _TRY = Act(Verb.ACQUIRE, "signal"), Act(Verb.ACQUIRE, "signal", blocking=False)
_END = Act(Verb.TERMINATE, "0")
_settings = settings(max_examples=5 * settings.default.max_examples // 2, deadline=None)


def _acts(*acts: Act) -> st.SearchStrategy[tuple[Act, ...]]:
    return st.lists(st.sampled_from(acts), max_size=3).map(tuple)


@given(
    st.builds(
        lambda *both: Plan(both),
        _acts(_UNSENDABLE, _PUT, _FLUSH, _RECEIVE),
        _acts(_UNSENDABLE, _PUT, _TAKE, _TRY, _POLL, _RECEIVE),
    )
)
@example(Plan(((_PUT, _UNSENDABLE), (_PUT, _TRY, _PUT))))  # which feeds what was put at first
@_settings
def test_an_item_that_cannot_be_pickled_is_dropped(plan: Plan) -> None:
    compare(plan, optimal=False)


@given(
    st.builds(
        lambda one, other, main: Plan((one, other), main),
        _acts(_LARGE, _PUT, _POLL, _FLUSH),
        _acts(_RECEIVE, _POLL),
        _acts(_END, _RECEIVE),
    )
)
@_settings
def test_an_item_is_torn_by_the_end_of_its_process(plan: Plan) -> None:
    compare(plan, optimal=False)
