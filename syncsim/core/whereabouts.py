"""Where a process stands that is in no operation of ours, by the operating system's account."""

from __future__ import annotations

from msgspec import Struct

from syncsim.core.operation import Site


class Whereabouts(Struct, frozen=True, gc=False):
    """In what a process sleeps, and at which line of the program.

    ``doing`` completes "it is …": ``asleep in recvfrom on fd 5, a tcp socket``; empty where the
    kernel does not say.  ``exact`` is false where ``site`` is only that of its last operation.
    ``timed`` means that it wakes by itself after some time, ``serves`` that it is a server that
    only answers what others ask of it.
    """

    doing: str = ""
    site: Site | None = None
    exact: bool = False
    timed: bool = False
    serves: bool = False

    @property
    def place(self) -> str:
        """Where in the program: ``at program.py:12``, ``after program.py:9``; maybe empty."""
        if self.site is None:
            return ""
        name = self.site.file.rpartition("/")[2]
        return f"{'at' if self.exact else 'after'} {name}:{self.site.line}"

    @property
    def words(self) -> str:
        """The whole, to follow "outside: "."""
        doing = self.doing or "in something that we do not see"
        return f"{doing}, {self.place}" if self.place else doing
