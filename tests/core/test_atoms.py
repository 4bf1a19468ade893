"""The atoms are what CPython's own primitives are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsim.core.atoms import Cell, Channel, Semaphore
from syncsim.core.operation import Operation, Verb

pytestmark = pytest.mark.once

MOST = 2**31 - 1
TRY = Operation(Verb.ACQUIRE, blocking=False)
ACQUIRE = Operation(Verb.ACQUIRE)
RELEASE = Operation(Verb.RELEASE)

#: Which real primitive is which atom, by the value it begins with.
KINDS: dict[str, tuple[Callable[[int], Any], Callable[[int], Semaphore]]] = {
    "Lock": (lambda n: multiprocessing.Lock(), lambda n: Semaphore(1, 1)),
    "RLock": (lambda n: multiprocessing.RLock(), lambda n: Semaphore(1, 1, recursive=True)),
    "Semaphore": (
        multiprocessing.Semaphore,
        lambda n: Semaphore(n, MOST, resource=n > 0),
    ),
    "BoundedSemaphore": (
        multiprocessing.BoundedSemaphore,
        lambda n: Semaphore(n, n, resource=n > 0),
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
moves = st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from([TRY, RELEASE])), max_size=40)
permits = st.integers(min_value=1, max_value=3)


@contextmanager
def two_threads() -> Iterator[dict[int, ThreadPoolExecutor]]:
    """To a SemLock a thread is an owner of its own, as a process is."""
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        yield {1: one, 2: other}


def really(lock: Any, operation: Operation) -> str:
    """What the real primitive answers."""
    try:
        if operation.verb is Verb.ACQUIRE:
            return str(lock.acquire(False))
        return str(lock.release())
    except (AssertionError, ValueError) as error:
        return type(error).__name__


@each_kind
def test_a_semaphore_answers_as_the_primitive_of_cpython(kind: str) -> None:
    real, model = KINDS[kind]
    with two_threads() as threads:

        @given(permits, moves)
        def same(value: int, story: list[tuple[int, Operation]]) -> None:
            lock, atom = real(value), model(value)
            for actor, operation in story:
                would_go = atom.enabled(ACQUIRE, actor)
                atom, modelled = atom.apply(operation, actor)
                answer = threads[actor].submit(really, lock, operation).result()
                assert modelled == answer
                assert atom.value == lock._semlock._get_value()
                if operation is TRY:
                    assert would_go == (answer == "True")

        same()


def test_an_rlock_is_held_by_whom_cpython_says() -> None:
    with two_threads() as threads:

        @given(moves)
        def same(story: list[tuple[int, Operation]]) -> None:
            lock, atom = multiprocessing.RLock(), Semaphore(1, 1, recursive=True)
            for actor, operation in story:
                atom, _ = atom.apply(operation, actor)
                threads[actor].submit(really, lock, operation).result()
                for owner, thread in threads.items():
                    mine = thread.submit(lock._semlock._is_mine).result()
                    assert mine == (owner in atom.holders)
                assert len(atom.holders) == lock._semlock._count()

        same()


def test_a_signal_begins_at_zero_and_nobody_holds_it() -> None:
    @given(moves)
    def same(story: list[tuple[int, Operation]]) -> None:
        lock, atom = multiprocessing.Semaphore(0), Semaphore(0, MOST, resource=False)
        for actor, operation in story:
            atom, modelled = atom.apply(operation, actor)
            assert modelled == really(lock, operation)
            assert atom.holders == ()

    same()


@given(permits, moves)
def test_a_unit_is_either_free_or_held_when_only_holders_give_back(
    value: int, story: list[tuple[int, Operation]]
) -> None:
    atom = Semaphore(value, MOST)
    for actor, operation in story:
        if operation is RELEASE and actor not in atom.holders:
            continue
        atom, _ = atom.apply(operation, actor)
        assert atom.value + len(atom.holders) == value


@given(permits, moves)
def test_an_atom_taken_earlier_never_changes(
    value: int, story: list[tuple[int, Operation]]
) -> None:
    atom = Semaphore(value, value)
    seen = []
    for actor, operation in story:
        seen.append((atom, atom.value, atom.holders))
        atom, _ = atom.apply(operation, actor)
    assert all(then.value == was and then.holders == held for then, was, held in seen)


def test_a_try_never_blocks_and_an_acquire_blocks_at_zero() -> None:
    taken, _ = Semaphore(1, 1).apply(ACQUIRE, 1)
    assert taken.enabled(TRY, 2)
    assert not taken.enabled(ACQUIRE, 2)
    assert not taken.enabled(ACQUIRE, 1)
    assert taken.enabled(RELEASE, 2)


def test_the_owner_of_an_rlock_may_take_it_again_and_nobody_else() -> None:
    taken, _ = Semaphore(1, 1, recursive=True).apply(ACQUIRE, 1)
    assert taken.enabled(ACQUIRE, 1)
    assert not taken.enabled(ACQUIRE, 2)


def test_a_lock_given_back_by_a_stranger_is_free() -> None:
    taken, _ = Semaphore(1, 1).apply(ACQUIRE, 1)
    free, result = taken.apply(RELEASE, 2)
    assert (free.value, free.holders, result) == (1, (), "None")


def test_a_look_at_a_semaphore_changes_nothing() -> None:
    semaphore = Semaphore(3, MOST)
    assert semaphore.apply(Operation(Verb.VALUE), 1) == (semaphore, "3")


class Pipe:
    """What must come out of a channel: per feeder its buffer, and one line for all."""

    def __init__(self) -> None:
        self.buffers: dict[int, list[str]] = {1: [], 2: [], 3: []}
        self.line: list[str] = []


@given(st.lists(st.tuples(st.sampled_from(["put", "send", "receive"]), st.integers(1, 3))))
def test_a_channel_loses_nothing_doubles_nothing_and_keeps_the_order(
    story: list[tuple[str, int]],
) -> None:
    channel, expected = Channel(), Pipe()
    sent: list[str] = []
    received: list[str] = []
    for n, (move, actor) in enumerate(story):
        if move == "put":
            channel, _ = channel.apply(Operation(Verb.PUT, detail=f"item {n}"), actor)
            expected.buffers[actor].append(f"item {n}")
        elif move == "send" and expected.buffers[actor]:
            channel, _ = channel.apply(Operation(Verb.SEND), actor)
            assert channel.unsent(actor)
            channel, _ = channel.apply(Operation(Verb.SENT), actor)
            item = expected.buffers[actor].pop(0)
            sent.append(item)
            expected.line.append(item)
        elif move == "receive":
            assert channel.enabled(Operation(Verb.RECEIVE), actor) == bool(expected.line)
            if expected.line:
                channel, result = channel.apply(Operation(Verb.RECEIVE), actor)
                assert result == expected.line.pop(0)
                received.append(result)
        assert [item.label for item in channel.items] == expected.line
        for sender, buffer in expected.buffers.items():
            own = [item.label for item in channel.buffered if item.sender == sender]
            assert own == buffer
            assert channel.unsent(sender) == bool(buffer)
            assert channel.enabled(Operation(Verb.FLUSH), sender) == (not buffer)
    assert received == sent[: len(received)]
    numbers = [item.number for item in channel.items]
    assert numbers == list(range(len(received) + 1, channel.sent + 1))


def test_an_item_that_is_half_in_the_pipe_is_not_flushed() -> None:
    channel, _ = Channel().apply(Operation(Verb.PUT, detail="7"), 1)
    channel, _ = channel.apply(Operation(Verb.SEND), 1)
    assert not channel.enabled(Operation(Verb.FLUSH), 1)
    assert channel.enabled(Operation(Verb.FLUSH), 2)
    channel, _ = channel.apply(Operation(Verb.SENT), 1)
    assert channel.enabled(Operation(Verb.FLUSH), 1)


def test_a_put_never_blocks_and_is_not_in_the_pipe_yet() -> None:
    channel, _ = Channel().apply(Operation(Verb.PUT, detail="7"), 1)
    assert not channel.enabled(Operation(Verb.RECEIVE), 2)
    assert channel.apply(Operation(Verb.POLL, blocking=False), 2) == (channel, "False")
    assert channel.enabled(Operation(Verb.PUT, detail="8"), 1)


def test_an_item_that_cannot_be_sent_is_dropped_alone() -> None:
    channel = Channel()
    for actor, item in ((1, "a"), (2, "b"), (1, "c")):
        channel, _ = channel.apply(Operation(Verb.PUT, detail=item), actor)
    assert [item.label for item in channel.without_first(1).buffered] == ["b", "c"]
    assert channel.without_first(3) == channel
    dropped = channel.apply(Operation(Verb.DROP), 1)[0]
    assert [item.label for item in dropped.buffered] == ["b"]
    assert [item.label for item in dropped.lost] == ["a", "c"]
    assert not channel.apply(Operation(Verb.SEND), 1)[0].lost


def test_half_an_item_is_never_received_and_what_was_whole_before_it_is() -> None:
    channel = Channel()
    for operation in (Verb.SEND, Verb.SENT, Verb.SEND):
        channel, _ = channel.apply(Operation(operation, detail="7"), 1)
    assert channel.torn_by(2) == channel
    channel = channel.torn_by(1)
    assert channel.enabled(Operation(Verb.RECEIVE), 2)
    channel, _ = channel.apply(Operation(Verb.RECEIVE), 2)
    assert not channel.enabled(Operation(Verb.RECEIVE), 2)
    assert channel.enabled(Operation(Verb.POLL), 2)


def test_a_send_without_a_put_is_the_send_of_a_pipe() -> None:
    channel, _ = Channel().apply(Operation(Verb.SEND, detail="hello"), 1)
    assert channel.apply(Operation(Verb.RECEIVE), 2)[1] == "hello"


@given(st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.text(max_size=5)))))
def test_a_cell_shows_what_was_written_last_and_by_whom(
    story: list[tuple[int, str | None]],
) -> None:
    cell, last, before = Cell("begin"), "begin", ""
    writer = None
    for actor, text in story:
        if text is None:
            same, result = cell.apply(Operation(Verb.READ), actor)
            assert same is cell
            assert result == last
        else:
            assert cell.enabled(Operation(Verb.WRITE, detail=text), actor)
            cell, _ = cell.apply(Operation(Verb.WRITE, detail=text), actor)
            before, last, writer = last, text, actor
        assert (cell.value, cell.previous, cell.writer) == (last, before, writer)
