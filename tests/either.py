"""Tests that differ in one argument alone, of which a quick run makes every other one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import pytest


def either(
    name: str, values: Sequence[Any], ids: Sequence[str] | None = None
) -> Callable[[Any], Any]:
    """Parametrize a test; a quick run takes one of the values, another in the next test.

    With ``--other-half`` the next value is taken; the rest is marked slow.
    """

    def decorate(test: Any) -> Any:
        test = pytest.mark.parametrize(name, values, ids=ids)(test)
        return pytest.mark.either(name)(test)

    return decorate


def leave_the_others(items: Sequence[pytest.Item], *, other_half: bool) -> None:
    """Mark as slow what differs from a test that is made in such an argument alone."""
    tests: defaultdict[str, defaultdict[str, list[pytest.Item]]]
    tests = defaultdict(lambda: defaultdict(list))
    for item in items:
        mark = item.get_closest_marker("either")
        if mark is not None and not item.get_closest_marker("slow"):
            arguments = dict(item.callspec.params)  # type: ignore[attr-defined]
            del arguments[mark.args[0]]
            tests[item.nodeid.partition("[")[0]][repr(arguments)].append(item)
    for name, groups in tests.items():
        for number, group in enumerate(groups.values(), crc32(name.encode()) + other_half):
            for item in group:
                if item is not group[number % len(group)]:
                    item.add_marker(pytest.mark.slow)
