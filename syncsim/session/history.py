"""The history of a run, for looking back and for branching.

Taking in a step is cheap (it happens thousands of times a second when playing flat out);
everything in words is worked out only for the few lines that are shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from syncsim.core.atoms import ActorId
from syncsim.core.live import Printed, Settled, Stepped
from syncsim.core.schedule import Choice
from syncsim.core.state import State
from syncsim.core.steps import Step
from syncsim.core.text import clean
from syncsim.core.words.waiting import waiting_for

#: How many moments one can look back; a state of 16 processes is some kilobytes.
LIMIT = 2000

#: How many characters of what was printed are kept after one step.
PRINT_LIMIT = 2000

#: How many cells of the last line of a process are kept.
LAST_LIMIT = 200


class Line(NamedTuple):
    """One line of what happened; ``n`` is the step it tells of, None for what is no step."""

    kind: Literal["step", "wait", "print"]
    n: int | None
    actor: ActorId | None
    text: str


class Moment:
    """A step and the state it left behind; the first moment has no step."""

    __slots__ = ("_waits", "chosen", "last", "printed", "prints", "rests", "state", "step")

    def __init__(self, step: Step | None, state: State, chosen: int | None) -> None:
        self.step = step
        self.state = state
        #: How many choices led here; None where the operating system made some of them.
        self.chosen = chosen
        self.prints: list[Printed] = []
        self.printed = 0
        #: The last line that each process has written until then, safe to show; never changed.
        self.last: Mapping[ActorId, str] = {}
        #: How many of the prints were there when everyone was last seen at rest.
        self.rests = 0
        self._waits: dict[ActorId, str] | None = None

    def settle(self, state: State) -> None:
        """The state became another one without a step."""
        self.state = state
        self._waits = None

    @property
    def waits(self) -> dict[ActorId, str]:
        """The actors that wait in this moment, each with the reason as a clause."""
        if self._waits is None:
            self._waits = {
                actor.id: wait.clause
                for actor in self.state.actors
                if actor.pending is not None
                and not actor.ended
                and (wait := waiting_for(self.state, actor)) is not None
            }
        return self._waits


class Past(NamedTuple):
    """A step, and the moment before it."""

    step: Step
    before: Moment

    @property
    def waited(self) -> int:
        """The number of steps for which the process could not go before it made this one.

        ``Step.waited`` also counts those in which it could, and was not picked.
        """
        return self.step.waited if self.step.actor in self.before.waits else 0


class History:
    """The last moments of a run, oldest first, and all choices that were made."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.moments: deque[Moment] = deque([Moment(None, State(), 0)], maxlen=limit)
        self._choices: list[Choice] = []
        self._same: dict[Choice, Choice] = {}

    @property
    def now(self) -> Moment:
        """The newest moment."""
        return self.moments[-1]

    def add(self, stepped: Stepped) -> None:
        """Take in a step."""
        choice = stepped.choice
        chosen = None if choice is None else self._choose(choice)
        before, moment = self.moments[-1], Moment(stepped.step, stepped.state, chosen)
        moment.last = before.last
        own: list[Printed] = []
        others: list[Printed] = []
        for at, printed in enumerate(before.prints):
            mine = _belongs(stepped, printed, at >= before.rests)
            (own if mine else others).append(printed)
        if own:
            before.prints = others
            before.last = self.moments[-2].last if len(self.moments) > 1 else {}
            for printed in others:
                before.last = _with(before.last, printed)
            moment.prints = [p for p in own if not _said(stepped.step, p)]
            moment.printed = sum(len(p.text) + 1 for p in moment.prints)
        self.moments.append(moment)

    def settle(self, settled: Settled) -> None:
        """Update the newest moment by a change that is no step."""
        now = self.moments[-1]
        if settled.choice is not None:
            now.chosen = self._choose(settled.choice)
        now.settle(settled.state)
        now.rests = len(now.prints)

    def _choose(self, choice: Choice) -> int | None:
        """Keep the choice; return how many there are now, None where they are not all known."""
        chosen = self.moments[-1].chosen
        if chosen is None:
            return None
        self._choices.append(self._same.setdefault(choice, choice))
        return chosen + 1

    def hear(self, printed: Printed) -> None:
        """Take in what a process wrote, as far as there is room for it."""
        now = self.moments[-1]
        now.last = _with(now.last, printed)
        if now.printed < PRINT_LIMIT and not (now.step and _said(now.step, printed)):
            now.prints.append(printed)
            now.printed += len(printed.text) + 1

    def at(self, n: int | None) -> Moment:
        """The moment after step ``n`` (None: the newest), or the nearest that is kept."""
        if n is None:
            return self.moments[-1]
        first = self.moments[0].state.n
        return self.moments[max(0, min(n - first, len(self.moments) - 1))]

    def schedule(self, moment: Moment) -> Sequence[Choice] | None:
        """The choices that lead to that moment; None where there is no such schedule."""
        return None if moment.chosen is None else self._choices[: moment.chosen]

    def past(self, n: int) -> Iterator[Past]:
        """The steps that are kept up to step ``n``, newest first."""
        newer: Step | None = None
        for moment in reversed(self.moments):
            if newer is not None and newer.n <= n:
                yield Past(newer, moment)
            newer = moment.step

    def lines(self, n: int | None = None) -> Iterator[Line]:
        """Tell what happened until step ``n``, in words, newest first."""
        last = self.at(n)
        started = False
        newer: Moment | None = None
        for moment in reversed(self.moments):
            if newer is not None:
                yield from _lines(newer, moment)
                newer = moment
            elif started or moment is last:
                started, newer = True, moment
        if newer is not None:
            yield from _lines(newer, None)


def _lines(moment: Moment, before: Moment | None) -> Iterator[Line]:
    step = moment.step
    # What one process writes at a time stays in the order in which it is read.
    blocks = [(who, list(some)) for who, some in groupby(moment.prints, lambda p: p.actor)]
    for who, some in reversed(blocks):
        for text in "".join(printed.text for printed in some).rstrip("\n").split("\n"):
            yield Line("print", None, who, text)
    waited = before.waits if before is not None else {}
    for actor, clause in reversed(moment.waits.items()):
        # (For whom it waits, after the colon, may change with each step of those.)
        news = clause.partition(": ")[0] != waited.get(actor, "").partition(": ")[0]
        if news and not (step is not None and step.actor == actor and not step.complete):
            yield Line("wait", None, actor, clause)
    if step is not None:
        yield Line("step", step.n, step.actor, step.sentence)


def _belongs(stepped: Stepped, printed: Printed, later: bool) -> bool:
    """Return whether the text was written in consequence of the step, before which it was told.

    A step that was chosen is told when its process is at rest again: what the process wrote
    on its way there came earlier, but ``later`` than all were last seen at rest.
    """
    chosen = stepped.choice is not None and later and printed.actor == stepped.step.actor
    return chosen or _said(stepped.step, printed)


def _with(last: Mapping[ActorId, str], printed: Printed) -> Mapping[ActorId, str]:
    """The last lines, now that this was written too."""
    line = printed.text[-4 * LAST_LIMIT :].rstrip().rpartition("\n")[2]
    said = clean(line).strip()
    if len(said) > LAST_LIMIT:
        said = f"{said[: LAST_LIMIT // 2]}…{said[-LAST_LIMIT // 2 :]}"
    return last if printed.actor is None or not said else {**last, printed.actor: said}


def _said(step: Step, printed: Printed) -> bool:
    """Return whether the step's sentence says already what was printed."""
    return (
        step.call == "print"
        and step.actor == printed.actor
        and printed.text.strip() == step.detail.strip().strip("'\"")
    )
