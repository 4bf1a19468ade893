"""The operations of the virtual world that would go through now.

The rule for semaphores is the core's (``permits``); of pipes, lives and what a manager
keeps the virtual world has values of its own, which are asked here.  A verb without a rule never
blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from syncsim.core.atoms import Semaphore
from syncsim.core.enabled import permits
from syncsim.core.operation import Operation, Verb
from syncsim.virtual.model.automaton import Request
from syncsim.virtual.model.data_atoms import Gone
from syncsim.virtual.model.managed import Referent

if TYPE_CHECKING:
    from syncsim.virtual.model.transition import Transition

Rule: TypeAlias = "Callable[[Transition, int, Operation], bool]"


def would_go(transition: Transition, actor: int, request: Request) -> bool:
    """Return whether the request of that actor would not block."""
    operation = request.operation
    if request.ready is not None:
        return request.ready or not operation.blocking
    rule = _RULES.get(operation.verb)
    return rule is None or rule(transition, actor, operation)


def _semaphore_is_free(transition: Transition, actor: int, operation: Operation) -> bool:
    if not operation.blocking:
        return True
    atom = transition.atoms[transition.system.atoms[operation.atom]]
    assert isinstance(atom, Semaphore | Gone)
    return permits(atom, actor)


def _process_has_ended(transition: Transition, actor: int, operation: Operation) -> bool:
    target = transition.process(int(operation.atom))
    return target is None or target.ended is not None


def _any_has_ended(transition: Transition, actor: int, operation: Operation) -> bool:
    return bool(transition.ended_among(operation.atom))


def _message_is_whole(transition: Transition, actor: int, operation: Operation) -> bool:
    pipe = transition.pipe(operation.atom)
    return not operation.blocking or pipe.has_whole or not pipe.writers


def _pipe_is_readable(transition: Transition, actor: int, operation: Operation) -> bool:
    pipe = transition.pipe(operation.atom)
    return not operation.blocking or bool(pipe.messages) or not pipe.writers


def _sleeper_is_woken(transition: Transition, actor: int, operation: Operation) -> bool:
    kept = transition.atoms[transition.system.atoms[operation.atom]]
    return not isinstance(kept, Referent) or actor in kept.can_wake


def _buffer_is_empty(transition: Transition, actor: int, operation: Operation) -> bool:
    return not transition.pipe(operation.atom).unsent(actor)


def _message_has_room(transition: Transition, actor: int, operation: Operation) -> bool:
    pipe = transition.pipe(operation.atom)
    return actor not in pipe.sending or pipe.has_all_of(actor) or not pipe.readers


_RULES: Mapping[Verb, Rule] = {
    Verb.ACQUIRE: _semaphore_is_free,
    Verb.JOIN: _process_has_ended,
    Verb.WAIT_ANY: _any_has_ended,
    Verb.RECEIVE: _message_is_whole,
    Verb.POLL: _pipe_is_readable,
    Verb.WAKE: _sleeper_is_woken,
    Verb.FLUSH: _buffer_is_empty,
    Verb.SENT: _message_has_room,
}
