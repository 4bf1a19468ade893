"""The effects of operations on the nodes and atoms of a state: a small function for each verb.

Verbs about the life of a process stand in one table, verbs of each kind of atom in one more.  An
operation that has no entry, or no atom, leaves everything as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from syncsim.core.atoms import Semaphore
from syncsim.core.operation import Verb
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import FIRST_PID, AutomatonState, Ended, Request
from syncsim.virtual.model.data_atoms import GONE, Gone, Pipe, SharedMemory
from syncsim.virtual.model.exits import apply_exits, exit_matters, slept_in
from syncsim.virtual.model.managed import Referent
from syncsim.virtual.model.managed_object import Woken
from syncsim.virtual.model.states import Did, Served

if TYPE_CHECKING:
    from syncsim.virtual.model.transition import Transition

#: How the server of a manager ends that is shut down.
SHUT_DOWN = Ended(0)
#: What a killed process answers to nobody.
TERMINATED, KILLED = Ended(-15), Ended(-9)


class Attempt(Struct, frozen=True):
    """An operation that takes effect now: who asks for it, at which node, and if its time is up."""

    actor: int
    node: AutomatonState
    request: Request
    times_out: bool


class Effect(Struct, frozen=True):
    """The outcome of an operation for who asked; the fields are those of ``Did``.

    ``let_go`` are the operations of others that go on thereby, after this one.
    """

    result: Hashable = None
    atom: int = -1
    part: int = 0
    bounded: bool = False
    own: bool = False
    served: Served | None = None
    kept: tuple[int, ...] = ()
    let_go: tuple[Did, ...] = ()


def take_effect(transition: Transition, attempt: Attempt) -> Effect:
    """Change the state as the operation does, and return its outcome."""
    request = attempt.request
    operation = request.operation
    on_process = _ON_PROCESSES.get(operation.verb)
    if on_process is not None:
        return on_process(transition, attempt)
    if request.ready is not None:
        return Effect(request.ready, transition.system.atom(operation.atom))
    if not operation.atom:
        return _shut_down(transition, request) if operation.verb is Verb.CALL else Effect()
    number = transition.place(operation.atom)
    atom = transition.atoms[number]
    if isinstance(atom, Gone):
        return Effect(GONE, number)
    on_atom = _ON_ATOMS.get(type(atom), {}).get(operation.verb)
    if on_atom is not None:
        return on_atom(transition, attempt, number, atom)
    if atom is None or operation.verb in _SEEN:
        return Effect(None, number)
    raise AssertionError(f"{operation.verb} of a {type(atom).__name__} is missing in the table")


# -- the lives of processes -------------------------------------------------------------


def _start(transition: Transition, attempt: Attempt) -> Effect:
    """Begin a child; the result is its pid."""
    system, request = transition.system, attempt.request
    assert request.child is not None
    child = system.member(request.child.key, attempt.actor, request.child, attempt.node)
    _inherit(transition, attempt.actor, child, request.payload)
    transition.born(child, system.automaton(child, attempt.node, request.child).root)
    return Effect(system.pid(child), child)


def _inherit(transition: Transition, parent: int, child: int, ends: Hashable) -> None:
    """Open in a forked child all ends that its parent has; in another those it was given."""
    given = None if ends is None else dict(ends)  # type: ignore[call-overload]
    names = {number: name for name, number in transition.system.atoms.items()}
    for number, atom in enumerate(transition.atoms):
        if isinstance(atom, Pipe):
            if given is None:
                reader, writer = parent in atom.readers, parent in atom.writers
            else:
                reader, writer = given.get(names[number], (False, False))
                if reader is not writer:
                    transition.system.discoveries.half_open.add(number)
            transition.atoms[number] = atom.opened(child, reader=reader, writer=writer)


def _exit(transition: Transition, attempt: Attempt) -> Effect:
    return Effect(None, attempt.actor)


def _exit_code(transition: Transition, attempt: Attempt) -> Effect:
    """Ask for the exit code of a process: None as long as it lives."""
    pid = int(attempt.request.operation.atom)
    node = transition.process(pid)
    ended = node.ended if node is not None else None
    return Effect(ended.exitcode if ended is not None else None, pid - FIRST_PID)


def _terminate(transition: Transition, attempt: Attempt) -> Effect:
    """Send a signal that ends a process, which may be the one that sends it."""
    operation = attempt.request.operation
    pid = int(operation.atom)
    target = pid - FIRST_PID
    effect = Effect(None, target, kept=slept_in(transition, target))
    node = transition.process(pid)
    if target == attempt.actor:
        exit_matters(transition, target)  # it ends itself, as by os._exit
    elif node is not None and node.ended is None:
        if node.request is None:
            raise NotVirtualError("a server of a manager that is terminated")
        if node.request.beside:
            raise NotVirtualError("the end of a process whose Pool goes on")
        exit_matters(transition, target)
        kills = operation.call == "Process.kill" or operation.detail == "SIGKILL"
        end = KILLED if kills else TERMINATED
        transition.nodes[target] = transition.system.killed_at(node, end)
        apply_exits(transition, target)
    return effect


def _wait_any(transition: Transition, attempt: Attempt) -> Effect:
    return Effect(transition.ended_among(attempt.request.operation.atom))


# -- semaphores -------------------------------------------------------------------------


def _acquire(transition: Transition, attempt: Attempt, number: int, atom: Semaphore) -> Effect:
    if attempt.times_out:
        return _of_semaphore(attempt, number, atom, False)
    operation = attempt.request.operation
    transition.atoms[number], word = atom.apply(operation, attempt.actor)
    assert word == "True" or not operation.blocking, "it cannot go"
    return _of_semaphore(attempt, number, atom, word == "True")


def _release(transition: Transition, attempt: Attempt, number: int, atom: Semaphore) -> Effect:
    transition.atoms[number], word = atom.apply(attempt.request.operation, attempt.actor)
    return _of_semaphore(attempt, number, atom, None if word == "None" else word)


def _value(transition: Transition, attempt: Attempt, number: int, atom: Semaphore) -> Effect:
    return _of_semaphore(attempt, number, atom, atom.value)


def _of_semaphore(attempt: Attempt, number: int, before: Semaphore, result: Hashable) -> Effect:
    own = before.is_private(attempt.request.operation.verb, attempt.actor)
    return Effect(result, number, before.value, before.is_bounded, own)


# -- shared memory ----------------------------------------------------------------------


def _read(transition: Transition, attempt: Attempt, number: int, atom: SharedMemory) -> Effect:
    own = _is_under_lock(transition, attempt, number)
    return Effect(atom.read(attempt.request.payload), number, own=own)


def _write(transition: Transition, attempt: Attempt, number: int, atom: SharedMemory) -> Effect:
    transition.atoms[number] = atom.written(attempt.request.payload)
    return Effect(None, number, own=_is_under_lock(transition, attempt, number))


def _is_under_lock(transition: Transition, attempt: Attempt, number: int) -> bool:
    """Return whether the actor alone may touch the cell now."""
    return attempt.request.silent and number not in transition.system.discoveries.read_unlocked


# -- pipes ------------------------------------------------------------------------------


def _put(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    message = _message(transition, attempt)
    transition.atoms[number] = pipe.put(attempt.actor, message)
    return Effect(None, number)


def _send(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    message = _message(transition, attempt)
    part = pipe.received + len(pipe.messages)
    if not pipe.readers:
        return Effect("BrokenPipeError", number, part)
    if pipe.torn:
        raise NotVirtualError("what is sent after half a message")
    transition.atoms[number] = pipe.sent(attempt.actor, message)
    return Effect(None, number, part)


def _message(transition: Transition, attempt: Attempt) -> bytes:
    """Return the message that is sent; what it looks like is noted."""
    request = attempt.request
    assert isinstance(request.payload, bytes)
    transition.system.labels[request.payload] = request.operation.detail
    return request.payload


def _sent(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    transition.atoms[number] = pipe.arrived(attempt.actor)
    return Effect(None, number)


def _receive(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    """Take the oldest message, or meet the end; the room that it leaves lets senders go on."""
    if pipe.torn and not pipe.has_whole:
        raise NotVirtualError("the end of a pipe in the middle of a message")
    if not pipe.messages:
        assert not pipe.writers, "it cannot go"
        return Effect(None, number, pipe.received)
    system = transition.system
    after = pipe.taken()
    let_go = []
    for sender in after.sending:
        if after.torn:
            break
        if after.has_all_of(sender) and sender not in _asking_sent(transition):
            after = after.arrived(sender)
            feeder = system.feeder(sender, number)
            let_go.append(Did(feeder, Verb.SENT, number, None, system.xray))
    transition.atoms[number] = after
    return Effect(pipe.messages[0], number, pipe.received, let_go=tuple(let_go))


def _asking_sent(transition: Transition) -> set[int]:
    """Return the processes that themselves wait until their message is in the pipe."""
    return {
        actor
        for actor, node in enumerate(transition.nodes)
        if node is not None and node.request is not None
        for request in (node.request, *(request for _, request in node.request.beside))
        if request.operation.verb is Verb.SENT
    }


def _poll(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    readable = not attempt.times_out and bool(pipe.messages or not pipe.writers)
    return Effect(readable, number, pipe.received)


def _close(transition: Transition, attempt: Attempt, number: int, pipe: Pipe) -> Effect:
    assert isinstance(attempt.request.payload, tuple)
    reader, writer = attempt.request.payload
    transition.atoms[number] = pipe.closed(attempt.actor, reader=reader, writer=writer)
    return Effect(None, number)


# -- what the server of a manager keeps -------------------------------------------------


def _call(transition: Transition, attempt: Attempt, number: int, kept: Referent) -> Effect:
    """Call something that a server keeps; without a payload there is nothing to be asked."""
    payload = attempt.request.payload
    if payload is None:  # it is only seen that there is a server, or it cannot be sent
        return Effect(None, number)
    reply, served = _ask(transition, attempt.actor, number, kept, payload)
    return Effect(reply, number, served=served)


def _wake(transition: Transition, attempt: Attempt, number: int, kept: Referent) -> Effect:
    """Go on with a call that sleeps in the server: woken, or because its time is up."""
    woken = not attempt.times_out
    reply, served = _ask(transition, attempt.actor, number, kept, Woken(woken))
    return Effect((woken, reply), number, served=served)


def _ask(
    transition: Transition, actor: int, number: int, kept: Referent, request: Any
) -> tuple[Hashable, Served]:
    answer = kept.ask(actor, request)
    transition.atoms[number] = after = answer.after
    if after.counts_tasks:
        transition.system.discoveries.counting.add(number)
    return answer.reply, Served(after is not kept, answer.wakes, after.text)


def _shut_down(transition: Transition, request: Request) -> Effect:
    """End the server of a manager: what it kept is gone."""
    system = transition.system
    assert isinstance(request.payload, int)
    target = request.payload - FIRST_PID
    node = transition.nodes[target]
    if node is None or node.ended is not None:
        return Effect(None, target)
    transition.nodes[target] = system.killed_at(node, SHUT_DOWN)
    apply_exits(transition, target)
    gone = []
    for number, server in system.kept_by.items():
        last = transition.atoms[number] if number < len(transition.atoms) else None
        if server == target and isinstance(last, Semaphore | Referent):
            transition.atoms[number] = Gone(last)
            gone.append(number)
    return Effect(None, target, kept=tuple(gone))


_ON_PROCESSES: Mapping[Verb, Callable[[Transition, Attempt], Effect]] = {
    Verb.START: _start,
    Verb.JOIN: _exit_code,
    Verb.ALIVE: _exit_code,
    Verb.EXIT: _exit,
    Verb.TERMINATE: _terminate,
    Verb.WAIT_ANY: _wait_any,
}
_OnAtom: TypeAlias = "Callable[[Transition, Attempt, int, Any], Effect]"
#: What changes nothing: it is seen that a server is there, and that a feeder has sent all.
_SEEN = frozenset((Verb.CALL, Verb.FLUSH))
_ON_ATOMS: Mapping[type, Mapping[Verb, _OnAtom]] = {
    Semaphore: {Verb.ACQUIRE: _acquire, Verb.RELEASE: _release, Verb.VALUE: _value},
    SharedMemory: {Verb.READ: _read, Verb.WRITE: _write},
    Pipe: {
        Verb.PUT: _put,
        Verb.SEND: _send,
        Verb.SENT: _sent,
        Verb.RECEIVE: _receive,
        Verb.POLL: _poll,
        Verb.CLOSE: _close,
    },
    Referent: {Verb.CALL: _call, Verb.WAKE: _wake},
}
