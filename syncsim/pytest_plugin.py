"""A pytest plugin: ``def test_transfer(syncsim_check): syncsim_check(main).never_deadlocks()``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from syncsim.core.diagnosis import Verdict

if TYPE_CHECKING:
    from syncsim.checking import Checked, Failure


class Claim:
    """What a test may claim of a checked program; a claim that does not hold fails the test."""

    __tracebackhide__ = True

    def __init__(self, checked: Checked) -> None:
        self.checked = checked

    def never_deadlocks(self) -> Claim:
        """No process waits for ever, in any interleaving."""
        return self._never(Verdict.DEADLOCK)

    def never_fails(self) -> Claim:
        """No deadlock, no failed assertion, no uncaught exception, in any interleaving."""
        return self._never(*(v for v in Verdict if v not in (Verdict.FINISHED, Verdict.UNDECIDED)))

    def _never(self, *verdicts: Verdict) -> Claim:
        from syncsim.checking import told

        __tracebackhide__ = True
        bad: Failure | None = next(
            (one for one in self.checked.failures if one.verdict in verdicts), None
        )
        if bad is not None or not self.checked.complete:
            pytest.fail("\n".join(told(self.checked)), pytrace=False)
        return self


@pytest.fixture
def syncsim_check() -> Callable[..., Claim]:
    """Visit every interleaving of a program (a path) or of a function; then claim."""
    # Whoever has the plugin installed and does not use it pays nothing.
    from syncsim.checking import check

    def checked(what: str | os.PathLike[str] | Callable[[], object], **options: Any) -> Claim:
        __tracebackhide__ = True
        return Claim(check(what, **options))

    return checked
