"""A busy machine: who comes late to its gate, or back from outside, goes on all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import wait_for, world
from test_monitored_runs import Watch, watch  # noqa: F401

from syncsim.core.diagnosis import Verdict
from syncsim.core.live import Diagnosed, Mode, Printed
from syncsim.core.schedule import Move

#: The process has announced itself; it knocks when the file is there, as if preempted before.
SLOW = """\
import ctypes, os, sys
from syncsim.real.gate import Gate
connect = Gate._connect
def late(gate):
    while not (gate.here.knocked or os.path.exists(sys.argv[1])):
        ctypes.CDLL(None).usleep(1000)
    return connect(gate)
Gate._connect = late
import multiprocessing
def work():
    pass
"""
#: What it wants first: foretold, reported, a time that runs out.
WANTS = {
    "take": ("lock = multiprocessing.Lock()", "assert lock.acquire()", Move.GO),
    "start": ("", "multiprocessing.Process(target=work).start()", Move.GO),
    "time out": (
        "lock = multiprocessing.Semaphore(0)",
        "assert not lock.acquire(timeout=0.1)",
        Move.TIME_OUT,
    ),
}


@pytest.mark.parametrize("want", WANTS)
def test_who_knocks_when_it_was_let_go_already_is_let_through(tmp_path: Path, want: str) -> None:
    makes, wants, move = WANTS[want]
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    lines = ["if __name__ == '__main__':", f"    {makes or 'pass'}", f"    {wants}"]
    path.write_text(SLOW + "\n".join(lines) + "\n")
    with world(path, str(sign)) as real:
        wait_for(lambda: (real.pump(0.01), real.choices())[1])
        [choice] = real.choices()
        assert choice.move is move
        real.patience = 0.0
        real.grant(choice)
        real.patience = 60.0
        sign.touch()
        wait_for(lambda: (real.pump(0.01), real.state.n == 1 and real.quiet)[1])
        assert real.choices()
