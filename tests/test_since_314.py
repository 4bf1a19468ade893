"""What the library offers from Python 3.14 on: by older ones there is nothing here to be tested."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import RoundRobin
from syncsim.program.source import load
from syncsim.real.run import RealRun

LOOKS = """
from multiprocessing import Lock, Process

def work(lock):
    with lock:
        pass

if __name__ == "__main__":
    lock = Lock()
    child = Process(target=work, args=(lock,))
    child.start()
    assert not lock.locked()
    child.join()
"""
INTERRUPTS = """
from multiprocessing import Event, Process

if __name__ == "__main__":
    never = Event()
    child = Process(target=never.wait)
    child.start()
    child.interrupt()
    child.join()
"""
ENDS_WORKERS = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Manager

def work(event):
    event.wait()

if __name__ == "__main__":
    with Manager() as manager, ProcessPoolExecutor(2) as executor:
        event = manager.Event()
        results = [executor.submit(work, event) for _ in range(2)]
        getattr(executor, sys.argv[1])()
        for result in results:
            print(type(result.exception()).__name__)
"""


if sys.version_info >= (3, 14):

    def test_whether_a_lock_is_held_is_looked_at_in_a_step(tmp_path: Path) -> None:
        path = tmp_path / "looks.py"
        path.write_text(LOOKS)
        checked = syncsim.check(path)
        assert (checked.verdict, checked.confirmed) == (Verdict.ASSERTION, True)
        words = [step.sentence for step in checked.failures[0].steps]
        assert words[-1] == "looks whether lock is locked: True (in locked)"

    def test_what_interrupts_a_process_is_refused_by_its_line(tmp_path: Path) -> None:
        path = tmp_path / "interrupts.py"
        path.write_text(INTERRUPTS)
        checked = syncsim.check(path)
        assert checked.verdict is Verdict.UNDECIDED
        assert "it uses Process.interrupt (interrupts.py, line 8)" in checked.explanation

    @pytest.mark.parametrize("how", ["terminate_workers", "kill_workers"])
    def test_an_executor_whose_workers_are_ended_has_ended(how: str, tmp_path: Path) -> None:
        path = tmp_path / "ends.py"
        path.write_text(ENDS_WORKERS)
        printed: list[str] = []
        world = RealRun(
            load(path, (how,)), on_print=lambda actor, stream, text: printed.append(text)
        )
        try:
            world.settle()
            scheduler = RoundRobin()
            while (choice := scheduler.choose(world.state, world.choices())) is not None:
                world.take(choice)
                world.settle()
            assert world.over
        finally:
            world.close()
        assert "".join(printed) == "BrokenProcessPool\n" * 2
