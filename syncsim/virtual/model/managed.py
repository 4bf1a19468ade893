"""Objects in the server of a manager, learned as automata: from requests to answers.

A thing that is kept sees nothing but the calls made on it, so what it answers is a function of
the calls so far: a node is what it is after some calls, an edge a call.  The thing itself is kept
alive at a few nodes (``managed_object``).  Where it is the same as before (``image``), nodes merge.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

from syncsim.program.managed import content
from syncsim.virtual.model.managed_object import Asked, Host, ManagedObject, Reply, Request

#: So many things are kept alive for each that is learned, each as it is at another node.
_MOST_ALIVE = 32
#: Who calls one of these wants to know how many tasks of a queue are unfinished; else that
#: number, which may grow for ever, is no part of what the queue is.
_COUNTING = frozenset(("task_done", "join"))


class Answer(NamedTuple):
    """The answer to a request: the reply, the thing afterwards, whom it wakes (in order)."""

    reply: Reply
    after: Referent
    wakes: tuple[int, ...]


class Referent:
    """A managed object after some calls; immutable but for what is learned of it."""

    __slots__ = ("_answers", "_keeper", "asleep", "came_by", "can_wake", "image", "number", "text")

    def __init__(
        self, keeper: Keeper, alive: ManagedObject, came_by: tuple[Referent, int, Request] | None
    ):
        self._keeper = keeper
        self._answers: dict[tuple[int, Request], Answer] = {}
        self.came_by = came_by
        #: Those who sleep in it and live, and those of them that may go on.
        self.asleep = alive.asleep
        self.can_wake = alive.can_wake
        #: What is in it, as text.
        self.text = content(alive.root)
        #: All of it, if it can be made again from that.
        self.image = alive.pickled
        self.number = keeper.number()

    @property
    def counts_tasks(self) -> bool:
        """Return whether somebody has wanted to know how many tasks are unfinished."""
        return self._keeper.counts_tasks

    def forget(self) -> None:
        """Learn anew what comes of requests."""
        self._answers.clear()

    def ask(self, actor: int, request: Request) -> Answer:
        """Return the answer to the request of the actor."""
        answer = self._answers.get((actor, request))
        if answer is None:
            answer = self._answers[actor, request] = self._keeper.learn(self, actor, request)
        return answer


#: The node before, and which request of whom led from there.
_Way: TypeAlias = tuple[Referent, int, Request]


class Keeper:
    """One thing and what belongs to it, as far as it has been asked."""

    def __init__(self, server: Host, typeid: str, message: bytes) -> None:
        """Makes the thing; raises what its making raises."""
        self._server = server
        self._typeid = typeid
        self._message = message
        self._numbers = 0
        self._same: dict[Hashable, Referent] = {}
        self._alive: OrderedDict[int, ManagedObject] = OrderedDict()
        self.counts_tasks = False
        alive = self._made(None)
        self.exposed: tuple[str, ...] = tuple(alive.exposed)
        self.sort = alive.sort
        self.root = self._place(alive, None)

    def number(self) -> int:
        """A number for a new node."""
        self._numbers += 1
        return self._numbers

    def learn(self, at: Referent, actor: int, request: Request) -> Answer:
        """Ask the thing itself."""
        if isinstance(request, Asked) and request.method in _COUNTING and not self.counts_tasks:
            # From here on it matters: what was learned before did not mind it, and what lives at
            # a node may have come there with another number than the way that the node knows.
            self.counts_tasks = True
            self._same.clear()
            self.root.forget()
            while self._alive:
                self._alive.popitem()[1].close()
        alive = self._alive.pop(at.number, None) or self._again(at)
        reply = alive.ask(actor, request)
        wakes = tuple(alive.woke)
        return Answer(reply, self._place(alive, (at, actor, request)), wakes)

    def _made(self, image: bytes | None) -> ManagedObject:
        return ManagedObject(self._server, self._typeid, self._message, image)

    def _again(self, node: Referent) -> ManagedObject:
        """The thing as it is at that node: from its image, or from the calls that led there."""
        way = []
        while node.image is None and node.came_by is not None:
            before, actor, request = node.came_by
            way.append((actor, request))
            node = before
        alive = self._made(node.image)
        for actor, request in reversed(way):
            alive.ask(actor, request)
        return alive

    def _place(self, alive: ManagedObject, came_by: _Way | None) -> Referent:
        image = alive.image(counts_tasks=self.counts_tasks)
        node = self._same.get(image) if image is not None else None
        if node is None:
            node = Referent(self, alive, came_by)
            if image is not None:
                self._same[image] = node
        known = self._alive.pop(node.number, None)
        if known is not None:
            known.close()
        self._alive[node.number] = alive
        if len(self._alive) > _MOST_ALIVE:
            self._alive.popitem(last=False)[1].close()
        return node
