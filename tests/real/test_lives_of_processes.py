"""Processes are shown with their relations: who started them and how, how they end, who joins."""

from __future__ import annotations

from multiprocessing import Process
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, PROGRAMS, Run, control, tell

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Replay, RoundRobin
from syncsim.core.state import Actor
from syncsim.core.words.lineage import family

each_method = pytest.mark.parametrize("method", METHODS)
IMPORTS = {
    "the module": "import multiprocessing as mp\nmp.set_start_method(M)",
    "a context": "import multiprocessing\nmp = multiprocessing.get_context(M)",
    "names": (
        "import multiprocessing\nfrom multiprocessing import Lock, Process\n"
        "multiprocessing.set_start_method(M)\n"
        "class mp:\n    Lock, Process = staticmethod(Lock), Process"
    ),
}


def lives(run: Run) -> dict[str, Actor]:
    return {actor.name: actor for actor in run.state.actors}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_who_started_whom_and_how_and_who_took_notice(method: str) -> None:
    run = control(PROGRAMS / "processes.py", RoundRobin(), method)
    who = lives(run)
    assert who["main"].exitcode == 0, run.text("stderr")
    assert (who["Baker"].daemon, who["Baker"].method) == (True, method)
    assert {actor.method for actor in who.values() if not actor.is_main} == {method}
    outer, inner = who["Process-2"], who["Process-2:1"]
    assert (outer.parent, inner.parent) == (0, outer.id)
    assert who["Process-2:1:1"].parent == inner.id
    assert (outer.reaped_by, inner.reaped_by) == (0, outer.id)
    depths = {actor.name: depth for actor, depth in family(run.state)}
    assert [depths[name] for name in ("main", "Process-2", "Process-2:1")] == [0, 1, 2]
    order = [actor.name for actor, _ in family(run.state)]
    assert order.index("Process-2:1:1") == order.index("Process-2") + 2
    assert [a.exitcode for a in run.state.actors[5:]] == [-15, -9, 3, 1, 0, -15]
    # They were ended by the program: that is no failure.
    assert not any(actor.failed for actor in run.state.actors)


@each_method
def test_the_life_of_processes_replays(method: str) -> None:
    first = control(PROGRAMS / "processes.py", RoundRobin(), method)
    again = control(PROGRAMS / "processes.py", Replay(first.schedule), method)
    assert again.told == first.told
    assert again.actors == first.actors


@each_method
@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
def test_names_and_steps_are_right_however_the_library_is_imported(
    imports: str, method: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    setting = imports.replace("set_start_method(M)", "set_start_method(M, force=True)")
    program.write_text(
        "import sys\nM = sys.argv[-1]\n"
        + setting
        + """

class Box:
    def __init__(self):
        self.slots, self.lids = mp.Lock(), [mp.Lock() for _ in range(2)]

def use(lock, lid):
    with lock, lid:
        pass

if __name__ == "__main__":
    box = Box()
    child = mp.Process(target=use, args=(box.slots, box.lids[1]))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""
    )
    run = control(program, RoundRobin(), method)
    names = [primitive.name for primitive in run.state.primitives.values()]
    assert names[:3] == ["self.slots", "self.lids[0]", "self.lids[1]"]
    assert [f"{step.process.split('-')[-1]} {step.sentence}" for step in run.steps] == [
        f"main starts {run.state.actors[1].name}",
        "1 takes self.slots",
        "1 takes self.lids[1]",
        "1 gives self.lids[1] back",
        "1 gives self.slots back",
        "1 ends",
        f"main joins {run.state.actors[1].name}",
        "main ends",
    ]


@either("scheduler", ["os", "round-robin"])
def test_to_look_for_an_exit_code_in_a_loop_lets_the_child_go_on(
    scheduler: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from multiprocessing import Process\n"
        "if __name__ == '__main__':\n"
        "    child = Process(target=print, args=('hello',))\n"
        "    child.start()\n"
        "    while child.exitcode is None:\n"
        "        pass\n"
    )
    told = tell(program, "--scheduler", scheduler, "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "finished", told.verdict
    assert any(step["call"] == "Process.exitcode" for step in told.steps)


def test_how_somebody_was_killed_is_said_by_the_name_of_the_signal(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal\n"
        "from multiprocessing import Process\n"
        "def end():\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)\n"
        "if __name__ == '__main__':\n"
        "    child = Process(target=end)\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    told = tell(program, "--scheduler", "os", "--timeout", DEADLINE)
    assert told.verdict["verdict"] == "crash"
    assert told.verdict["explanation"] == "Process-1 is killed by signal 11 (SIGSEGV)."


def test_children_left_to_the_end_are_joined_in_the_order_in_which_they_were_started(
    tmp_path: Path,
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import Process\n"
        "def nothing(): pass\n"
        "if __name__ == '__main__':\n"
        "    for _ in range(8): Process(target=nothing).start()\n"
    )
    run = control(path, Replay("a8bcdefghia9"))
    joined = [step.detail for step in run.steps if step.call == "Process.join"]
    assert joined == [f"Process-{n}" for n in range(1, 9)]


def test_who_was_killed_has_gone_by_the_time_that_it_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import Event, Process\n"
        "if __name__ == '__main__':\n"
        "    process = Process(target=Event().wait)\n"
        "    process.start()\n"
        "    process.kill()\n"
    )
    for _ in range(5):
        run = control(path, Replay("a3"))
        assert [step.call for step in run.steps] == ["Process.start", "Process.kill", "exit"]


def test_daemons_that_are_ended_at_the_end_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import os\n"
        "from multiprocessing import Event, Process, set_start_method\n"
        "def end(popen, real):\n"
        "    real()\n"
        "    os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)\n"
        "if __name__ == '__main__':\n"
        "    set_start_method('fork')\n"
        "    process = Process(target=Event().wait, daemon=True)\n"
        "    process.start()\n"
        "    popen = process._popen\n"
        "    popen.terminate = lambda real=popen.terminate: end(popen, real)\n"
    )
    run = control(path, Replay("a4"))
    assert [step.call for step in run.steps] == [
        "Process.start",
        "Process.terminate",
        "Process.join",
        "exit",
    ]


INTERRUPTED = """
import os, signal
from multiprocessing import Event, Process, set_start_method

def work(ready, never):
    ready.set()
    never.wait()

if __name__ == "__main__":
    set_start_method("fork")
    ready, never = Event(), Event()
    child = Process(target=work, args=(ready, never))
    child.start()
    ready.wait()
    {}
    child.join()
    print(child.exitcode)
"""
INTERRUPTS = {
    "os.kill(child.pid, signal.SIGINT)": "sends SIGINT to Process-1",
    # (A method of 3.14.)
    **dict.fromkeys(["child.interrupt()"] * hasattr(Process, "interrupt"), "interrupts Process-1"),
}


@pytest.mark.parametrize(("call", "words"), INTERRUPTS.items(), ids=INTERRUPTS)
def test_a_child_that_the_program_interrupts_has_not_crashed(
    call: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "program.py"
    path.write_text(INTERRUPTED.format(call))
    run = control(path, Replay("a2bababab"))
    sentences = [f"{step.process} {step.sentence}" for step in run.steps]
    assert sentences[-2:] == [f"main {words}", "Process-1 calls wait on never: KeyboardInterrupt"]
    run = control(path, Replay(run.schedule + "ba3"))
    assert ("stdout", "1\n") in run.output
    assert "KeyboardInterrupt" in run.text("stderr")
    assert not any(actor.failed for actor in run.state.actors)


ANOTHER_COMMAND = """
from multiprocessing import Lock, Process, set_start_method, util

def start(path, words, fds, real=util.spawnv_passfds):
    at = words.index("-c") + 1
    words[at] = words[at].replace("from multiproc", "import sys;  from multiproc")
    return real(path, words, fds)

def work(lock):
    with lock:
        pass

if __name__ == "__main__":
    util.spawnv_passfds = start
    set_start_method("{}")
    lock = Lock()
    child = Process(target=work, args=(lock,))
    child.start()
    child.join()
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_new_interpreter_is_known_by_what_it_runs(method: str, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(ANOTHER_COMMAND.format(method))
    run = control(path, RoundRobin())
    assert [step.verb for step in run.steps if step.actor == 1] == ["acquire", "release", "exit"]


SENT_BACK = """
from multiprocessing import Process, Queue, set_start_method

class Point:
    x = 3

def work(points):
    points.put(Point())

if __name__ == "__main__":
    set_start_method("{}")
    points = Queue()
    child = Process(target=work, args=(points,))
    child.start()
    print(type(points.get()) is Point)
    child.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_a_child_has_made_of_a_class_of_the_program_is_one_of_it(
    method: str, tmp_path: Path
) -> None:
    path = tmp_path / "program.py"
    path.write_text(SENT_BACK.format(method))
    run = control(path, RoundRobin())
    assert run.text("stdout") == ["True"], run.text("stderr")


GONE = """
from _multiprocessing import sem_unlink
from multiprocessing import Lock, Process, set_start_method

if __name__ == "__main__":
    set_start_method("{}")
    child = Process(target=print, args=(lock := Lock(),))
    sem_unlink(lock._semlock.name)  # as at its end, or when nobody has it any more
    child.start()
    child.join()
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_who_cannot_open_its_lock_any_more_says_why(method: str, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(GONE.format(method))
    run = control(path, RoundRobin())
    assert run.diagnosis.verdict is Verdict.CRASH
    assert run.diagnosis.explanation.endswith(
        "FileNotFoundError: [Errno 2] No such file or directory "
        "(a lock or queue that it was given is gone: who made it has ended, or let go of it)."
    )
