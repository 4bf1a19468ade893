"""What was found is replayed on real processes before it is believed."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from syncsim.checking.result import Failure
from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.deadlock.doubt import who_was_not_seen
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Choice, parse_schedule
from syncsim.core.steps import Step
from syncsim.core.words.listing import counted
from syncsim.core.words.status import status
from syncsim.core.words.waiting import waiting_for
from syncsim.explore.request import Found
from syncsim.program.source import Program
from syncsim.real.run import RealRun

#: Seconds for one replay; it takes less than one, if the machine is not busy.
_REPLAY = 60.0


def confirm(
    program: Program,
    found: Found,
    look: Callable[[RealRun], None] = lambda world: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Failure:
    """Replay the schedule on the real processes; what came of it.

    Of a livelock, what follows the way must lead back to where it began.  Who waits for ever
    while others go on must wait there; that nothing can help it is what the search has seen.
    ``look`` is shown the processes whenever they are quiet.
    """
    verdict, schedule, way = Verdict(found.verdict), found.schedule, found.way
    steps: list[Step] = []
    deadline = time.monotonic() + _REPLAY
    begins, made = len(parse_schedule(way)), 0
    goes_round = verdict in (Verdict.LIVELOCK, Verdict.STARVATION)
    world = RealRun(program, patience=10.0, on_step=steps.append)
    world.interrupted = interrupted
    try:
        world.settle(deadline)
        look(world)
        before = _place(world) if goes_round and not begins else None
        for at, choice in enumerate(parse_schedule(schedule)):
            world.adapt(choice.grain, deadline)
            if not _comes(world, choice, deadline):
                why = f"choice {at + 1} of the schedule cannot be made"
                if time.monotonic() > deadline:
                    why = f"they take longer than {_REPLAY:g} s"
                return Failure(verdict, why, schedule, False, tuple(steps))
            world.take(choice, deadline)
            world.settle(deadline)
            look(world)
            made += 1
            if goes_round and made == begins:
                before = _place(world)
        diagnosis = _final(world, deadline)
        if goes_round and diagnosis.verdict is None and before == _place(world):
            round_ = made - begins
            again = "the same step comes" if round_ == 1 else f"the same {round_} steps come"
            after = f"After {counted(begins, 'choice')}"
            diagnosis = replace(
                diagnosis,
                verdict=verdict,
                explanation=f"{after} everybody is where they are after {made}: "
                f"{again} again and again, and nobody achieves anything.",
            )
        view = world.view()
        if view.unseen:
            why = f"{who_was_not_seen(view.unseen)} So the failure is not confirmed"
            return Failure(verdict, why, schedule, False, tuple(steps), diagnosis.findings)
        state = world.state
        if found.waits is not None and diagnosis.verdict is None:
            waits = waiting_for(state, state.actors[found.waits])
            if waits is not None:
                diagnosis = replace(
                    diagnosis,
                    verdict=verdict,
                    explanation=f"{state.actors[found.waits].name} {waits.clause}; whatever the "
                    "others do, it can never go on.",
                )
        return Failure(
            diagnosis.verdict or verdict,
            diagnosis.explanation or "nothing bad happens",
            schedule,
            diagnosis.verdict is verdict,
            tuple(steps),
            diagnosis.findings,
            diagnosis.cycle,
            tuple(
                {
                    "name": actor.name,
                    "state": status(state, actor, diagnosis.stuck),
                    "exitcode": actor.exitcode,
                    "holds": [primitive.name for primitive in state.holdings(actor)],
                }
                for actor in state.actors
            ),
        )
    except DivergenceError as error:
        return Failure(verdict, str(error), schedule, False, tuple(steps))
    finally:
        world.close()


def _comes(world: RealRun, choice: Choice, deadline: float) -> bool:
    """Whether the choice can be made; a thread that has just been started comes unannounced."""
    until = min(time.monotonic() + world.patience, deadline)
    while choice not in (choices := world.choices()):
        if choices or time.monotonic() > until or not world.may_still_move():
            return False
        world.pump(0.05)
        world.settle(deadline)
    return True


def _place(world: RealRun) -> object:
    """Where everybody is, and the value of everything."""
    state = world.state
    who = tuple((actor.pending, actor.life, actor.exitcode) for actor in state.actors)
    return who, {name: _essence(atom) for name, atom in state.atoms.items()}


def _essence(atom: Atom) -> object:
    """What the processes can tell of an atom, without what is kept of it for a person."""
    match atom:
        case Cell():
            return atom.value
        case Semaphore():
            return atom.value, atom.recursive and atom.holders
        case Channel():
            buffered = [(item.label, item.sender) for item in atom.buffered]
            return buffered, [item.label for item in atom.items], atom.sending, atom.ended
        case _:
            return atom


def _final(world: RealRun, deadline: float) -> Diagnosis:
    """The diagnosis, once nothing that is unseen may still change it."""
    while True:
        diagnosis = diagnose(world.state)
        if diagnosis.verdict is not Verdict.DEADLOCK or world.is_final(diagnosis):
            return diagnosis
        if time.monotonic() > deadline:
            why = f"after {_REPLAY:g} s it may still be helped from where nobody sees it"
            return replace(diagnosis, verdict=None, explanation=why)
        world.pump(0.05)
