"""A pytest plugin: ``def test_transfer(syncsim_check): syncsim_check(main).never_deadlocks()``.

It is imported by every test run where it is installed, so it imports nothing of ours by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from syncsim.checking import Checked
    from syncsim.core.deadlock.verdict import Verdict
    from syncsim.explore.properties.properties import Condition, Property


class Claim:
    """The claims that a test may make of a program; one that does not hold fails the test.

    The claims ``always``, ``never``, ``sometimes`` and ``eventually`` are properties of the states
    (see ``explore.properties``), and are searched for by themselves.
    """

    __tracebackhide__ = True

    def __init__(self, run: Callable[..., Checked]) -> None:
        self._run = run

    @cached_property
    def checked(self) -> Checked:
        """The result of the check, without any property."""
        return self._run()

    def never_deadlocks(self) -> Claim:
        """No process waits for ever, in any interleaving."""
        from syncsim.core.deadlock.verdict import Verdict

        return self._never(Verdict.DEADLOCK)

    def never_fails(self) -> Claim:
        """No deadlock, no failed assertion, no uncaught exception, in any interleaving."""
        from syncsim.core.deadlock.verdict import Verdict

        return self._never(*(v for v in Verdict if v not in (Verdict.FINISHED, Verdict.UNDECIDED)))

    def always(self, condition: Condition) -> Claim:
        """The condition holds in every state."""
        from syncsim.explore.properties.properties import always

        return self._holds(always(condition))

    def never(self, condition: Condition) -> Claim:
        """The condition holds in no state."""
        from syncsim.explore.properties.properties import never

        return self._holds(never(condition))

    def sometimes(self, condition: Condition) -> Claim:
        """The condition holds in some state."""
        from syncsim.explore.properties.properties import sometimes

        return self._holds(sometimes(condition))

    def eventually(self, condition: Condition, **how: Any) -> Claim:
        """Every run comes to a state in which the condition holds."""
        from syncsim.explore.properties.properties import eventually

        return self._holds(eventually(condition, **how))

    def _holds(self, claim: Property) -> Claim:
        __tracebackhide__ = True
        checked = self._run(properties=[claim])
        if not (checked.properties and checked.properties[0].holds):
            _fail(checked)
        return self

    def _never(self, *verdicts: Verdict) -> Claim:
        __tracebackhide__ = True
        bad = any(one.verdict in verdicts for one in self.checked.failures)
        if bad or not self.checked.complete:
            _fail(self.checked)
        return self


def _fail(checked: Checked) -> None:
    from syncsim.checking.telling import told

    __tracebackhide__ = True
    pytest.fail("\n".join(told(checked)), pytrace=False)


@pytest.fixture
def syncsim_check() -> Callable[..., Claim]:
    """Claim something of every interleaving of a program (a path) or of a function."""
    from syncsim import CheckError, ProgramError, check

    def checked(**options: Any) -> Checked:
        __tracebackhide__ = True
        try:
            return check(**options)
        except (ProgramError, CheckError, ValueError) as error:
            pytest.fail(f"syncsim: {error}", pytrace=False)

    def claim(what: str | os.PathLike[str] | Callable[[], object], **options: Any) -> Claim:
        return Claim(partial(checked, what=what, **options))

    return claim
