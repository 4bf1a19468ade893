"""A recorded schedule walked in the virtual world."""

from __future__ import annotations

import dataclasses
import json

import msgspec
from corpus import PROJECT, Entry, step_line

from syncsim.core.schedule import Grain, parse_schedule
from syncsim.program.source import load
from syncsim.virtual.run import VirtualRun


def steps_in_virtual_world(entry: Entry) -> list[str] | None:
    """The steps of the entry's schedule there; None where it has faults, or goes by atom."""
    if entry.command[0] != "run":
        return None
    choices = parse_schedule(entry.schedule)
    if any(choice.grain is Grain.ATOM or choice.move.is_fault for choice in choices):
        return None
    method = entry.command[entry.command.index("--start-method") + 1]
    program = load(PROJECT / entry.program, entry.arguments)
    steps: list[str] = []
    world = VirtualRun(
        dataclasses.replace(program, start_method=method),
        on_step=lambda step: steps.append(step_line(json.loads(msgspec.json.encode(step)))),
    )
    try:
        for choice in choices:
            world.take(choice)
    finally:
        world.close()
    return steps
