"""The probes: what is wrapped of the standard library inside the program's processes.

One C type, ``_multiprocessing.SemLock``, is replaced by a subclass that goes through the gate;
so every lock is instrumented, for every import style and start method.  Around it the
public calls are marked, so that an operation knows the call it belongs to, and the other
atoms (pipes, shared memory, processes, clock, output) go through the same gate.
"""

from __future__ import annotations

from syncsim.instrument.gate import Gate
from syncsim.instrument.probes import (
    blocks,
    channels,
    clock,
    descriptors,
    executors,
    handlers,
    leaving,
    managers,
    pools,
    primitives,
    processes,
    raw_memory,
    semlock,
    shared_memory,
    wait_for_several,
)
from syncsim.instrument.probes.presence import put_in_place

#: What is wrapped, in this order; and what is not seen where something of it is missing.
_PROBES = (
    (semlock.install, "locks and semaphores are not seen"),
    (primitives.install, "what is done to locks, conditions and the like is seen in part"),
    (channels.install, "what goes through queues and pipes is seen in part"),
    (raw_memory.install, "shared memory without a lock is not seen"),
    (shared_memory.install, "what is done to a Value and an Array is seen in part"),
    (blocks.install, "blocks of shared memory are not seen"),
    (managers.install, "what managers keep is not seen"),
    (wait_for_several.install, "who waits for one of several is not seen"),
    (processes.install, "the lives of processes are seen in part"),
    (handlers.install, "signals are seen in part"),
    (pools.install, "what pools do is seen in part"),
    (executors.install, "what executors do is seen in part"),
    (clock.install, "who sleeps is not seen"),
    (leaving.install, "who leaves our view is not seen"),
    (leaving.report_starts, "processes that are started past multiprocessing are not seen"),
    (descriptors.install, "the program may close files that we need"),
)


def install(gate: Gate) -> None:
    """Wrap the standard library of this process; once, before the program runs."""
    for wrap, blind in _PROBES:
        put_in_place(gate, wrap, blind)
