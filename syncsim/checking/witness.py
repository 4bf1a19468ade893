"""The real processes as witnesses: what a property is worth at each point of a replay."""

from __future__ import annotations

from syncsim.core.atoms import Channel
from syncsim.core.state import State
from syncsim.explore.properties.properties import Kind, NotYetError, Property
from syncsim.explore.properties.views import RealView
from syncsim.real.run import RealRun


class Witness:
    """Looks at a run of the real processes whenever it is quiet, and evaluates a property there."""

    def __init__(self, claim: Property) -> None:
        self._claim = claim
        self._holds: list[bool | None] = []
        self._begins: list[bool] = []
        self._labels: dict[str, dict[int, str]] = {}
        self._over = False
        #: Where everybody is, in words.
        self.places = ""

    @property
    def looks(self) -> int:
        """The number of quiet points that were looked at."""
        return len(self._holds)

    def look(self, world: RealRun) -> None:
        """It is quiet; raises ``PropertyError`` where the property cannot be judged."""
        state = world.state
        stacks: dict[int, tuple[str, ...]] = {}

        def stack_of(actor: int) -> tuple[str, ...]:
            if actor not in stacks:
                stacks[actor] = tuple(
                    frame.function for frame in world.inspection.inspect(actor).frames
                )
            return stacks[actor]

        view = RealView(state, stack_of, self._received(state))
        try:
            self._holds.append(self._claim.holds(view))
        except NotYetError:
            self._holds.append(None)
        try:
            self._begins.append(self._claim.begins(view))
        except NotYetError:
            self._begins.append(False)
        self._over = not world.choices()
        self.places = ", ".join(
            f"{actor.name} in {actor.site.function}, line {actor.site.line}"
            for actor in state.actors
            if actor.site is not None and not actor.ended
        )

    def _received(self, state: State) -> dict[str, list[str]]:
        """Return what was taken out of each channel: items are numbered, and leave in order.

        (Nothing is sent and taken out in one choice.)
        """
        received = {}
        for name, atom in state.atoms.items():
            if isinstance(atom, Channel):
                labels = self._labels.setdefault(name, {})
                labels.update((item.number, item.label) for item in atom.items)
                gone = atom.sent - len(atom.items)
                received[name] = [labels.get(number, "…") for number in range(1, gone + 1)]
        return received

    def agrees(self, *, goes_on: bool) -> bool:
        """Return whether the run shows what the search saw; ``goes_on``: it can go on for ever."""
        if self._claim.kind is not Kind.EVENTUALLY:
            return self._holds[-1] is (self._claim.kind is not Kind.ALWAYS)
        last = max((at for at, holds in enumerate(self._holds) if holds), default=-1)
        once = self._claim.whenever is None
        avoided = last < 0 if once else any(self._begins[last + 1 :])
        return avoided and (goes_on or self._over)
