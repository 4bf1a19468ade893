"""Waiting until an app has come to rest."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App


async def at_rest(app: App[Any]) -> None:
    """Wait until everything in the app has done what it had to do, and all of it is drawn.

    The pilot waits until the processor looks idle, which it also does where another program has
    it.  The event loop knows: whoever has something to do is in it, all others wait for a timer.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        while True:
            while loop._ready:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
            screen = app.screen
            if app._exit or not (  # (nothing more is drawn once it ends)
                screen._layout_required
                or screen._scroll_required
                or screen._repaint_required
                or screen._recompose_required
                or screen._dirty_widgets
                or screen._callbacks
            ):
                return
            screen._on_timer_update()  # as its own timer would, a sixtieth of a second later
