"""A free run that hangs, on the stage: what is said of it, and what is taken back."""

from __future__ import annotations

from msgspec.structs import replace
from plays import Play
from staging import staged

from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose_standstill
from syncsim.core.live import Diagnosed, Frame, Inspected, Mode, ModeChanged, Settled
from syncsim.core.operation import Site
from syncsim.core.state import State
from syncsim.core.whereabouts import Whereabouts

WHERE = Whereabouts("asleep in recvfrom on fd 3, a [/udp] socket", Site("p.py", 7, "main"), True)


def outside(state: State) -> State:
    """The same, with the main process asleep in something that we do not see."""
    main = replace(state.actors[0], pending=None, outside=True, whereabouts=WHERE)
    return replace(state, actors=(main, *state.actors[1:]))


def stand_still(live: Play, state: State) -> None:
    live.updates.append(ModeChanged(Mode.FREE))
    live.updates.append(Settled(state))
    live.updates.append(Diagnosed(diagnose_standstill(state, ""), state.n))


async def test_that_nothing_moves_is_said_and_taken_back() -> None:
    async with staged() as stage:
        state = outside(stage.stage.session.playing.history.now.state)
        stand_still(stage.live, state)
        text = await stage.drawn()
        assert "Undecided before the first step" in text
        assert "main is outside: asleep in recvfrom on fd 3, a [/udp] socket, at p.py:7." in text
        assert "◇ outside" in text
        stage.live.updates.append(Diagnosed(Diagnosis(None), 0))
        text = await stage.drawn()
        assert "Undecided" not in text
        assert stage.stage.session.playing.verdict is None


async def test_a_verdict_takes_the_place_of_what_was_undecided() -> None:
    async with staged() as stage:
        state = outside(stage.stage.session.playing.history.now.state)
        stand_still(stage.live, state)
        stage.live.updates.append(Diagnosed(Diagnosis(Verdict.DEADLOCK, "So it is."), 0))
        text = await stage.drawn()
        assert "Deadlock before the first step · by the operating system, not by you" in text
        assert [known.diagnosis.verdict for known in stage.stage.session.playing.verdicts] == [
            Verdict.DEADLOCK
        ]


async def test_in_free_running_one_can_look_at_a_process_too() -> None:
    async with staged() as stage:
        state = outside(stage.stage.session.playing.history.now.state)
        stand_still(stage.live, state)
        await stage.press("down", "i")
        stage.live.updates.append(
            Inspected(
                0,
                (Frame("p.py", 7, "main"),),
                "",
                "sleeping in recvfrom on fd 3, a [/udp] socket",
                "we say that main waits, the kernel that it is running",
            )
        )
        text = await stage.drawn()
        assert "kernel    sleeping in recvfrom" in text
        assert "but       we say that main waits" in text
        assert "p.py, line 7" in text
