"""The stage tells with which code main has exited, and copies the start method with a schedule."""

from __future__ import annotations

import time
from pathlib import Path

from checks import PROVEN
from msgspec.structs import replace
from rest import at_rest
from staging import staged

from syncsim.program.source import load
from syncsim.ui.app import SyncsimApp
from syncsim.ui.screens.stage_screen import StageScreen

PROGRAM = """\
import sys
from multiprocessing import Process
WORD = 0
def work(): sys.exit(WORD)
if __name__ == "__main__":
    WORD = 7
    child = Process(target=work, name="Ada")
    child.start()
    child.join()
    sys.exit(3 + child.exitcode)
"""


async def test_a_run_by_spawn_is_told_and_copied_as_such(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    app = SyncsimApp(load(path), start_method="spawn")
    deadline = time.monotonic() + 60
    async with app.run_test(size=(120, 40)) as pilot:
        stage = app.screen
        assert isinstance(stage, StageScreen)
        play = stage.session.playing
        while not (play.history.now.state.actors and play.history.now.state.actors[0].ended):
            assert time.monotonic() < deadline, "it never ended"
            await pilot.press("s")
            await pilot.pause(0.02)
            stage.look()
        await at_rest(app)
        await pilot.press("y")
        assert app.clipboard.endswith(" --start-method spawn")
        text = "\n".join(
            "".join(segment.text for segment in line)
            for line in app.screen._compositor.render_strips()
        )
        assert "; main exits with code 3" in text


async def test_so_is_what_was_proven() -> None:
    async with staged() as staging:
        await staging.press("v")
        staging.check.come_to(replace(PROVEN, exits=(3,)), None)
        assert "Proven: it cannot fail; main exits with code 3" in await staging.drawn()
