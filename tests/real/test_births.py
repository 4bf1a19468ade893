"""Processes that are being born, or are not born at all, while others end."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Hearing, each_scheduler, tell_here, wait_for
from test_monitored_runs import Watch, watch  # noqa: F401

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed, Mode, Printed
from syncsim.core.scheduler import Scheduler

pytestmark = pytest.mark.once

#: Who starts the last process ends before it can say so; all others have ended when it is born.
ORPHAN = """\
import ctypes, multiprocessing, os, sys
def work():
    print("born")
def be_born_late():
    while not os.path.exists(sys.argv[1]):
        ctypes.CDLL(None).usleep(1000)
def start():
    os.register_at_fork(
        after_in_parent=lambda: ctypes.CDLL(None)._exit(0), after_in_child=be_born_late
    )
    multiprocessing.Process(target=work).start()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    child = multiprocessing.Process(target=start)
    child.start()
    child.join()
    print("the others end")
"""
#: Seconds; more than anybody has who was forked past multiprocessing.
A_WHILE = 1.5


@each_scheduler
def test_it_is_not_over_while_somebody_is_being_born(
    tmp_path: Path, scheduler: Scheduler | None
) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(ORPHAN)
    out = Hearing("the others end", lambda _: sign.touch(), A_WHILE)
    told = tell_here(path, str(sign), scheduler=scheduler, out=out)
    assert "born" in told.text("stdout").splitlines(), told.verdict
    assert told.verdict["verdict"] == Verdict.FINISHED
    assert [process["exitcode"] for process in told.verdict["processes"]] == [0, 0, 0]


@pytest.mark.parametrize("mode", [Mode.FREE, Mode.PAUSED])
def test_on_the_stage_it_goes_on_with_who_is_born_last(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
    mode: Mode,
) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(ORPHAN)
    run = watch(path, None, str(sign))
    run.monitor.speed(None)
    run.monitor.free() if mode is Mode.FREE else run.monitor.play()
    wait_for(lambda: run.mode is Mode.OVER)
    sign.touch()
    if mode is Mode.PAUSED:
        wait_for(lambda: run.mode is mode)
        run.monitor.play()
    run.wait(Printed, lambda printed: "born" in printed.text)
    wait_for(lambda: [actor.exitcode for actor in run.state.actors] == [0, 0, 0])
    wait_for(lambda: run.mode is Mode.OVER)
    assert run.all(Diagnosed)[-1].diagnosis.verdict is Verdict.FINISHED


#: There is no room for another process; and then it waits for ever.
NO_ROOM = """\
import multiprocessing, os, resource
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    if os.getuid() == 0:
        os.setgroups([])
        os.chmod(os.environ["SYNCSIM_RUN"], 0o711)
        os.chmod(os.environ["SYNCSIM_RUN"] + "/gate", 0o777)
        os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    for fork in (os.fork, multiprocessing.Process().start):
        try:
            fork()
        except BlockingIOError:
            print("no room")
    lock.acquire()
    lock.acquire()
"""


@each_scheduler
def test_a_fork_that_fails_is_waited_for_by_nobody(
    tmp_path: Path, scheduler: Scheduler | None
) -> None:
    path = tmp_path / "program.py"
    path.write_text(NO_ROOM)
    told = tell_here(path, scheduler=scheduler)
    assert told.text("stdout") == "no room\nno room\n"
    assert told.verdict["verdict"] == Verdict.DEADLOCK
