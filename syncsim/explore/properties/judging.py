"""Judging properties over the states of a search.

Partial orders reduce the states that are seen, so no reduction is sound for a property that may
ask for any state: it is judged over the graph of all states, each step a step of its own.  A
sampler may refute what holds nowhere, and find what holds somewhere; it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from syncsim.explore.properties.properties import Kind, NotYetError, Property
from syncsim.explore.properties.views import VirtualView
from syncsim.explore.results import Path
from syncsim.explore.search.forever import avoiding
from syncsim.explore.search.graph import Graph
from syncsim.virtual.model.states import State
from syncsim.virtual.model.system import System
from syncsim.virtual.stopwatch import Stopwatch

_asked: list[Stopwatch] = []


def asked_since() -> Stopwatch | None:
    """Since when a condition has been at work."""
    return _asked[-1] if _asked else None


class Judgement:
    """The judgement of a property: true, false, or None where it is not known.

    ``path`` leads to a counterexample, or for ``sometimes`` to a witness; ``doubt`` says why it
    is not known although everything was visited.
    """

    def __init__(self, claim: Property, system: System) -> None:
        self.property = claim
        self.holds: bool | None = None
        self.path: Path | None = None
        self.doubt = ""
        self._view = VirtualView(system)
        self._said = False  # whether some state let it say something
        self._missing = ""

    def holds_in(self, state: State) -> bool | None:
        """Return whether the condition is true there; None where it says nothing."""
        self._view.state = state
        _asked.append(Stopwatch.now())
        try:
            found = self.property.holds(self._view)
        except NotYetError as error:
            self._missing = str(error)
            return None
        finally:
            _asked.pop()
        self._said = True
        return found

    def begins_in(self, state: State) -> bool:
        """Return whether the condition has to come true from there on."""
        self._view.state = state
        _asked.append(Stopwatch.now())
        try:
            return self.property.begins(self._view)
        except NotYetError:
            return False
        finally:
            _asked.pop()

    def doubts(self, functions: Collection[str], people: Collection[str]) -> str:
        """Return what the property asks for that does not exist: that explains its judgement."""
        if not self._said:
            return f"{self._missing} was never there"
        view = self._view
        for name in sorted(view.functions - view.met - set(functions)):
            return f"the program has no function called {name}"
        for name in sorted(view.people - set(people)):
            return f"a process called {name} was never there"
        return ""


class Judge:
    """Looks at each state of a search, the nearest first, and at last at all runs.

    ``functions`` gives the names of the program's functions: a claim about one that does not
    exist would be true, or false, for a reason that nobody had in mind.
    """

    def __init__(
        self,
        system: System,
        properties: Sequence[Property],
        functions: Callable[[], Collection[str]],
    ) -> None:
        self._system = system
        self._properties = properties
        self._functions = functions
        self.begin()

    def begin(self) -> None:
        """Forget everything: the search begins (again)."""
        self.judgements = [Judgement(one, self._system) for one in self._properties]
        self._open = [one for one in self.judgements if one.property.kind is not Kind.EVENTUALLY]

    @property
    def broken(self) -> bool:
        """Return whether some property is known not to hold."""
        return any(one.holds is False for one in self.judgements)

    def see(self, state: State, way: Callable[[], Path]) -> None:
        """A state that was not seen before, and a shortest way to it."""
        for judgement in tuple(self._open):
            kind = judgement.property.kind
            holds = judgement.holds_in(state)
            if holds is (kind is not Kind.ALWAYS):
                judgement.holds = kind is Kind.SOMETIMES
                judgement.path = way()
                self._open.remove(judgement)

    def finish(self, graph: Graph) -> None:
        """Every state was seen: what is left to be said is said of the whole graph of them."""
        for judgement in self._open:
            judgement.holds = judgement.property.kind is not Kind.SOMETIMES
        for judgement in self._about_runs():
            self._follow(judgement, graph)
        people = [
            member.automaton.seed.name
            for member in self._system.members
            if member.automaton is not None
        ]
        functions = self._functions()
        for judgement in (*self._open, *self._about_runs()):
            judgement.doubt = judgement.doubts(functions, people)
            if judgement.doubt:
                judgement.holds = judgement.path = None
        self._open = []

    def _about_runs(self) -> list[Judgement]:
        return [one for one in self.judgements if one.property.kind is Kind.EVENTUALLY]

    def _follow(self, judgement: Judgement, graph: Graph) -> None:
        holds = [bool(judgement.holds_in(state)) for state in graph.states]
        if judgement.property.whenever is None:
            begins = [number == 0 for number in range(len(graph.states))]
        else:
            begins = [judgement.begins_in(state) for state in graph.states]
        judgement.path = avoiding(graph, holds, begins, judgement.property.fairness)
        judgement.holds = judgement.path is None
