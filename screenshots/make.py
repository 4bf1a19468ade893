"""Makes the pictures of the README from real runs.

Run by hand when the look has changed: python screenshots/make.py
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from syncsim.program.source import Program, load
from syncsim.puzzles.catalogue import find
from syncsim.ui.app import SyncsimApp

HERE = Path(__file__).parent


async def until(pilot: Pilot[int], what: Callable[[], bool]) -> None:
    """Waits for something to be so; half a minute at most."""
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        await pilot.pause(0.05)
    await pilot.pause(0.4)


async def picture(
    name: str, size: tuple[int, int], opening: str | Program | None, *keys: str
) -> None:
    """One picture: ``keys`` are pressed, each after the run has come to rest."""
    app = SyncsimApp(find(opening) if isinstance(opening, str) else opening)
    async with app.run_test(size=size) as pilot:
        if opening:
            await until(pilot, lambda: " start " in text(app))
        for key in keys:
            before = text(app)
            await pilot.press(key)
            if key in ("s", "enter"):
                await until(pilot, lambda before=before: text(app) != before)
            elif key == "v":  # the check has come to something, and the choices have marks
                await until(pilot, lambda: "✓ safe" in text(app))
            else:
                await pilot.pause(0.2)
        await pilot.pause(0.5)
        app.save_screenshot(f"{name}.svg", path=str(HERE))
        await pilot.press("ctrl+q")
    print(f"{name}.svg")


def text(app: SyncsimApp) -> str:
    """What stands on the screen."""
    screen = app.screen
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()
    )


async def main() -> None:
    """All of them."""
    await picture("gallery", (120, 34), None)
    starts = ["down", *["enter"] * 4]
    first_forks = [key for _ in range(4) for key in ("down", "enter")]
    await picture("deadlock", (120, 44), "dining-philosophers", *starts, *first_forks)
    last_but_one = ["v", *starts, *first_forks[:-2]]
    await picture("foresight", (120, 40), "dining-philosophers", *last_but_one)
    await picture("producer-consumer", (120, 40), "producer-consumer", *["s"] * 15)
    await picture("inspector", (120, 40), "if-instead-of-while", *["s"] * 14, *["down"] * 2, "i")
    await picture("small", (80, 24), "readers-writers", *["s"] * 16)
    await picture("xray", (120, 40), "producer-consumer", "x", *["s"] * 14, "down", "down")
    await picture("pool", (140, 32), load(HERE / "pool.py"), *["s"] * 17)


if __name__ == "__main__":
    asyncio.run(main())
