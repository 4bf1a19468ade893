"""Virtual pipes, with the interface of ``multiprocessing.connection``."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

from syncsim.core.atoms import Channel
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.program.safe_text import safe_text
from syncsim.virtual.model.data_atoms import Pipe as PipeAtom
from syncsim.virtual.process.body import here
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.calls import mark

#: Where the file descriptors of the virtual pipes begin to count.
_FIRST_FD = 1000


_Base: Any = import_module("multiprocessing.connection")._ConnectionBase


class Connection(_Base):  # type: ignore[misc]
    """One end of a pipe; ``inbox`` and ``outbox`` are the atoms it reads from and writes to."""

    _syncsim_shared = True

    def __init__(self, inbox: str, outbox: str) -> None:
        super().__init__(_FIRST_FD, bool(inbox), bool(outbox))
        self.inbox = inbox
        self.outbox = outbox
        self.pipe = ""

    def __del__(self) -> None:
        """Nothing: that nobody has it any more is no end of it here."""

    @property
    def _handle(self) -> int | None:
        return None if (self.inbox, self.outbox) in here().state.closed else _FIRST_FD

    @_handle.setter
    def _handle(self, value: int | None) -> None:
        if value is None:
            here().state.closed.add((self.inbox, self.outbox))

    def _close(self) -> None:
        body = here()
        for atom, ends in ((self.inbox, (True, False)), (self.outbox, (False, True))):
            if atom:
                body.operate(Verb.CLOSE, atom, payload=ends, silent=True)

    def send(self, obj: Any) -> None:
        """Do as the real one does."""
        self._check_closed()
        self._check_writable()
        self._send_bytes(pickling.dumps(obj))

    def recv(self) -> Any:
        """Do as the real one does."""
        self._check_closed()
        self._check_readable()
        message = self._recv_bytes()
        assert message is not None
        return pickling.loads(message.getvalue())

    def _send_bytes(self, buf: Any) -> None:
        body = here()
        inner = body.state.call is None or not body.state.call.name.startswith("Connection.")
        error = body.operate(Verb.SEND, self.outbox, payload=bytes(buf), inner=inner)
        if error is not None:
            raise BrokenPipeError(32, "Broken pipe")
        body.operate(Verb.SENT, self.outbox, silent=True)

    def _recv_bytes(self, maxsize: int | None = None) -> io.BytesIO | None:
        message = here().operate(Verb.RECEIVE, self.inbox)
        if message is None:
            raise EOFError
        if maxsize is not None and len(message) > maxsize:
            return None
        buffer = io.BytesIO()
        buffer.write(message)
        return buffer

    def _poll(self, timeout: float | None) -> bool:
        body = here()
        waits = timeout is None or timeout > 0
        came: bool = body.operate(
            Verb.POLL, self.inbox, block=waits, timeout=timeout if waits else None
        )
        if not came and timeout:
            body.waited(timeout)
        return came

    def __reduce__(self) -> Any:
        return pickling.shared(self)


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: N802 - its name there
    """Do as the real one does."""
    body = here()
    first, second = body.new_atom(), body.new_atom()
    if duplex:
        ends = Connection(second, first), Connection(first, second)
    else:
        ends = Connection(first, ""), Connection("", first)
    if not body.state.silent:
        identity = f"both ends of {first}"
        ends[0].pipe = ends[1].pipe = identity
        roles = {Role.ITEMS: first, Role.ITEMS_BACK: second} if duplex else {Role.ITEMS: first}
        body.make(
            identity,
            "Pipe",
            {role: (atom, Channel(), PipeAtom()) for role, atom in roles.items()},
        )
    return ends


def wait(object_list: Any, timeout: float | None = None) -> Any:
    """Not here yet."""
    from syncsim.virtual.errors import NotVirtualError

    raise NotVirtualError("multiprocessing.connection.wait")


def install() -> None:
    """Marks the calls, as ``instrument/probes/channels`` does."""
    Connection._syncsim_id = lambda end: end.pipe
    for method in ("send", "send_bytes"):
        mark(Connection, method, argument=lambda item, *_: safe_text(item))
    for method in ("recv", "recv_bytes", "poll"):
        mark(Connection, method, label=safe_text)
