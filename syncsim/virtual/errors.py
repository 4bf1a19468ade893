"""What keeps a program from being run in the virtual world."""

from __future__ import annotations

from syncsim.core.operation import Site


class NotVirtualError(BaseException):
    """The program uses what the virtual world does not have; the message says what.

    ``site`` is the line of the program, where it is one that asks for it.  (No ``Exception``: the
    program itself shall not catch it.)
    """

    site: Site | None = None


class TooLongError(BaseException):
    """A process runs on and on without any operation."""
