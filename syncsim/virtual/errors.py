"""What keeps a program from being run in the virtual world."""

from __future__ import annotations


class NotVirtualError(BaseException):
    """The program uses what the virtual world does not have; the message says what and where.

    (No ``Exception``: the program itself shall not catch it.)
    """


class TooLongError(BaseException):
    """A process runs on and on without any operation."""
