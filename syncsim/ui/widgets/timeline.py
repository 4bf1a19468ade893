"""The panel of time: the activity of each process at each step, the newest step at the left."""

from __future__ import annotations

import re
from itertools import chain

from rich.cells import cell_len

from syncsim.core.atoms import Semaphore
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.kinds import Role
from syncsim.core.state import Life, State
from syncsim.core.words.status import Activity
from syncsim.ui import look
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.lines import Line, LinePanel, Piece

_ACTIVITIES = (Activity.WORKING, Activity.HOLDING, Activity.WAITING, Activity.ABSENT)
_WORKING, _HOLDING, _WAITING, _ABSENT = range(4)
#: Added to the code of the process that made the step.
_STEPPED = 4
_RUNS = re.compile(rb"\x00+|[\x01-\x03]+|[\x04-\x07]+")
#: So many steps are remembered at least; older ones are forgotten.
MEMORY = 100_000


class Tracks:
    """One byte for each process and step: what it was doing, and whether it made the step."""

    def __init__(self) -> None:
        self.first = 0  # the step that the first byte of every track stands for
        self.last = -1
        self._tracks: list[bytearray] = []
        self._steps: tuple[int, ...] = ()

    def add(self, state: State) -> None:
        """The state after step ``state.n``; an earlier one than the last begins a branch."""
        if state.n < self.first:
            self._tracks.clear()
            self._steps = ()
            self.last = -1
        if self.last < 0:
            self.first = state.n
        elif state.n <= self.last:
            for track in self._tracks:
                del track[state.n - self.first :]
        else:
            for track in self._tracks:
                missing = state.n - self.first - len(track)
                track += bytes([track[-1] % _STEPPED if track else _ABSENT]) * missing
        codes = _codes(state)
        steps = tuple([actor.steps for actor in state.actors])
        for at, (code, made) in enumerate(zip(codes, steps, strict=True)):
            if at == len(self._tracks):
                self._tracks.append(bytearray([_ABSENT]) * (state.n - self.first))
            before = self._steps[at] if at < len(self._steps) else 0
            self._tracks[at].append(code + (_STEPPED if made > before else 0))
        for track in self._tracks[len(codes) :]:
            track.append(_ABSENT)
        self._steps = steps
        self.last = state.n
        if self.last - self.first > 2 * MEMORY:
            for track in self._tracks:
                del track[:MEMORY]
            self.first += MEMORY

    def newest(self, actor: int, n: int, count: int) -> bytes:
        """The codes of the actor at step ``n`` and the ``count - 1`` steps before, newest first."""
        if actor >= len(self._tracks):
            return b""
        end = max(0, min(n, self.last) - self.first + 1)
        return bytes(self._tracks[actor][max(0, end - count) : end][::-1])


def _codes(state: State) -> list[int]:
    slots = {p.parts[Role.SLOTS] for p in state.primitives.values() if Role.SLOTS in p.parts}
    holding = set(
        chain.from_iterable(
            atom.holders
            for name, atom in state.atoms.items()
            if isinstance(atom, Semaphore) and atom.holders and name not in slots
        )
    )
    codes = []
    for actor in state.actors:
        if actor.life is not Life.ALIVE:
            codes.append(_ABSENT)
        elif actor.rests:
            codes.append(_WAITING)
        elif not (actor.serves or actor.stopped or state.blocked(actor)):
            codes.append(_WORKING)
        else:
            codes.append(_HOLDING if actor.id in holding else _WAITING)
    return codes


class TimelinePanel(LinePanel):
    """A bar for each process; the step it made itself is bright."""

    BORDER_TITLE = "Time · newest left"

    def __init__(self, **names: str | None) -> None:
        super().__init__(**names)
        self._state = State()
        self._xray = False
        self._tracks = Tracks()
        glyphs = "".join(look.texture(activity) for activity in _ACTIVITIES)
        self._glyphs = str.maketrans(dict(enumerate(glyphs * 2)))

    def add(self, state: State) -> None:
        """Remember this step; nothing is drawn."""
        self._tracks.add(state)

    def show(self, state: State, diagnosis: Diagnosis, *, xray: bool = False) -> None:
        """Show time up to this state."""
        self._xray = xray
        if state.n > self._tracks.last:
            self._tracks.add(state)
        self._state = state
        self.draw()

    def forget(self) -> None:
        """A new run begins."""
        self._tracks = Tracks()
        self._state = State()

    def compose_lines(self) -> list[Line]:
        """A line for each process."""
        actors = [actor for actor, _ in lanes(self._state, xray=self._xray)]
        longest = max((cell_len(look.clean(a.name, 200)) for a in actors), default=0)
        room = self.room
        name = min(longest, max(4, min(16, room // 4)))
        count = max(0, room - name - 3)
        lines = []
        for actor in actors:
            hue = look.hue(actor)
            title = look.badge(actor) + look.pad(look.clean(actor.name, name), name) + " "
            pieces = [Piece(title, hue)]
            codes = self._tracks.newest(actor.id, self._state.n, count)
            for run in _RUNS.findall(codes):
                style = "quiet"
                if run[0] >= _STEPPED:
                    style = hue
                elif run[0] == _WORKING:
                    style = f"{hue} faded"
                pieces.append(Piece(run.decode("latin-1").translate(self._glyphs), style))
            lines.append(Line(tuple(pieces)))
        return lines
