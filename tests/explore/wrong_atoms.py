"""Virtual atoms that are wrong on purpose, each with a program on which CPython shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from clients import BRIEFLY, Client
from msgspec.structs import replace

from syncsim.core.operation import Verb
from syncsim.virtual.model.data_atoms import Pipe
from syncsim.virtual.process.body import here
from syncsim.virtual.stdlib import queues
from syncsim.virtual.stdlib.semlock import SemLock

#: What is put in the place of what, and the program.
Mutant = tuple[Callable[[pytest.MonkeyPatch], None], Client]
MUTANTS: dict[str, Mutant] = {}

_init, _acquire, _value = SemLock.__init__, SemLock.acquire, SemLock._get_value


def _mutant(client: Client) -> Callable[[Callable[[pytest.MonkeyPatch], None]], None]:
    def note(apply: Callable[[pytest.MonkeyPatch], None]) -> None:
        MUTANTS[apply.__name__] = apply, client

    return note


def _client(made: str, *scripts: tuple[str, ...]) -> Client:
    """A program with one primitive, which is called ``it``."""
    return Client((("it", made),), scripts)


@_mutant(_client("Lock()", ("it.acquire",), (f"it.acquire, True, {BRIEFLY}",)))
def a_timeout_never_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SemLock, "acquire", lambda self, block=True, timeout=None: _acquire(self, block))


@_mutant(_client("Lock()", ("it.acquire", "it.acquire, False"), ()))
def a_try_waits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SemLock, "acquire", lambda self, block=True, timeout=None: _acquire(self))


@_mutant(_client("RLock()", ("it.acquire", "it.acquire", "it.release"), ()))
def an_rlock_is_a_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SemLock, "__init__", lambda self, kind, *others: _init(self, 1, *others))


@_mutant(_client("RLock()", ("it.acquire",), ("it.release",)))
def anybody_may_give_an_rlock_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SemLock, "release", lambda self: here().operate(Verb.RELEASE, self.key) and None)


@_mutant(_client("BoundedSemaphore(1)", ("it.release", "it.get_value"), ()))
def a_bounded_semaphore_has_no_bound(patch: pytest.MonkeyPatch) -> None:
    def init(self: Any, kind: int, value: int, _: int, *others: Any) -> None:
        _init(self, kind, value, SemLock.SEM_VALUE_MAX, *others)

    patch.setattr(SemLock, "__init__", init)


@_mutant(_client("Semaphore(2)", ("it.acquire", "it.get_value"), ()))
def a_permit_too_many_is_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SemLock, "_get_value", lambda self: _value(self) + 1)


@_mutant(_client("Queue()", ('it.put, "a0"', "it.get"), ()))
def what_is_put_never_arrives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pipe, "fed", lambda self, actor: replace(self, buffered=()))


@_mutant(_client("Queue()", ('it.put, "a0"', "it.empty"), ()))
def a_queue_has_no_feeder(patch: pytest.MonkeyPatch) -> None:
    def buffer(queue: Any, item: Any) -> None:
        message = queues.pickling.dumps(item)
        here().operate(Verb.SEND, queues._name(queue), payload=message, inner=True)

    patch.setattr(queues, "_buffer", buffer)


@_mutant(_client("Queue()", (), ('it.put, "b0"',), ("it.get",)))
def nothing_is_flushed_at_the_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queues, "flush", lambda body, name: None)


@_mutant(_client("Pipe()", ('it[0].send, "a0"', 'it[0].send, "a1"', "it[1].recv"), ()))
def the_last_message_comes_first(patch: pytest.MonkeyPatch) -> None:
    def sent(self: Pipe, actor: int, message: bytes) -> Pipe:
        size = self.size + len(message) + 4
        return replace(self, messages=(message, *self.messages), size=size)

    patch.setattr(Pipe, "sent", sent)


@_mutant(_client("Pipe(False)", ("it[1].close", "it[0].recv"), ("it[1].close",)))
def nobody_meets_an_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pipe, "closed", lambda self, actor, *, writer, reader: self)
