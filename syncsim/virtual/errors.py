"""The reasons for which a program cannot be run in the virtual world.

No ``Exception``: the program itself shall not catch it.  It may all the same, by a bare
``except``: a ``TooLongError`` is therefore never raised inside of it (``body.break_off``), and
that it had a ``NotVirtualError`` is noted.
"""

from __future__ import annotations

from syncsim.core.operation import Site

#: Those there were since a process began to run, the first one first.
refused: list[NotVirtualError] = []


class NotVirtualError(BaseException):
    """The program uses what the virtual world does not have; the message says what.

    ``site`` is the line of the program, where it is one that asks for it.
    """

    site: Site | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        refused.append(self)


class TooLongError(BaseException):
    """A process runs on and on without any operation."""
