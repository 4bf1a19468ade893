"""The probes: what is wrapped of the standard library inside the program's processes.

One C type, ``_multiprocessing.SemLock``, is replaced by a subclass that goes through the gate;
so every lock is instrumented, for every import style and start method.  Around it the
public calls are marked, so that an operation knows the call it belongs to, and the other
atoms (pipes, shared memory, processes, clock, output) go through the same gate.
"""

from __future__ import annotations

from syncsim.real.gate import Gate
from syncsim.real.probes import (
    blocks,
    channels,
    clock,
    descriptors,
    executors,
    handlers,
    leaving,
    managers,
    memory,
    pools,
    primitives,
    processes,
    raw,
    semlock,
    several,
)


def install(gate: Gate) -> None:
    """Wraps the standard library of this process; once, before the program runs."""
    semlock.install(gate)
    primitives.install(gate)
    channels.install(gate)
    raw.install(gate)
    memory.install(gate)
    blocks.install(gate)
    managers.install(gate)
    several.install(gate)
    processes.install(gate)
    handlers.install(gate)
    pools.install(gate)
    executors.install(gate)
    clock.install(gate)
    leaving.install(gate)
    descriptors.install()
