"""The check as a person meets it: found without being told where to look, confirmed, told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import check, pytest_in

import syncsim
from syncsim.checking import replay
from syncsim.core.deadlock.verdict import Verdict
from syncsim.explore.request import Found
from syncsim.program.source import load

PROGRAMS = Path(__file__).parent / "explore" / "checked"
#: What surprises people, as it is in ``real/test_gotchas.py``.
GOTCHAS = Path(__file__).parent / "real" / "programs" / "gotchas"


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("empty_lies", "assertion", "empty lies"),
        ("join_before_get", "deadlock", "waits to flush q"),
        ("two_fill_the_pipe", "deadlock", "waits to flush q"),
        ("item_lost_by_exit", "deadlock", "waits for q: it is empty"),
        ("killed_holder", "deadlock", "held by Process-1 (who has ended)"),
        ("lost_wakeup", "deadlock", "waits on c until it is notified"),
        ("spins_for_ever", "livelock", "again and again"),
        ("lost_update", "assertion", "AssertionError"),
        ("argument_seen", "assertion", "AssertionError"),
        ("turns", "finished", "no process can wait for ever"),
        ("always_baking", "finished", "no process can wait for ever"),
        ("eat_for_ever", "deadlock", "None of them can go on"),
        ("copies", "finished", "no process can wait for ever"),
        ("main_goes_on", "finished", "no process can wait for ever"),
        ("manager_locks", "deadlock", "Process-2 holds left and waits for right"),
        ("manager_lost_update", "assertion", "AssertionError"),
        ("manager_locked_update", "finished", "no process can wait for ever"),
        ("manager_nested", "assertion", "AssertionError"),
        ("manager_queue", "finished", "no process can wait for ever"),
        ("manager_dead_holder", "deadlock", "held by Process-2 (who has ended)"),
        ("manager_gone", "crash", "BrokenPipeError"),
        ("manager_lost_wakeup", "deadlock", "waits on ready until it is notified"),
        ("manager_spins", "livelock", "again and again"),
        ("manager_for_ever", "finished", "no process can wait for ever"),
    ],
)
def test_each_trap_is_found_and_confirmed(name: str, verdict: str, words: str) -> None:
    checked = syncsim.check(PROGRAMS / f"{name}.py")
    assert checked.verdict == verdict, checked.explanation
    assert words in checked.explanation
    assert checked.complete
    assert checked.confirmed is (verdict != "finished")


@pytest.mark.parametrize(
    ("name", "verdict", "words", "kind"),
    [
        ("killed_holder", "crash", "Ada is killed by signal 9 (SIGKILL)", "dead holder"),
        ("killed_sleeper", "deadlock", "main waits", "dead sleeper"),
        ("lost_by_exit", "deadlock", "waits for results: it is empty", "unflushed queue"),
        ("torn_by_exit", "deadlock", "the rest of an item of results", "unflushed queue"),
        ("unpicklable", "deadlock", "waits for results: it is empty", "unflushed queue"),
        ("unpicklable_at_exit", "finished", "no process can wait for ever", "unflushed queue"),
    ],
)
def test_what_surprises_people_is_found_and_confirmed(
    name: str, verdict: str, words: str, kind: str
) -> None:
    checked = syncsim.check(GOTCHAS / f"{name}.py")
    assert checked.verdict == verdict, checked.explanation
    assert words in checked.explanation
    assert checked.complete
    assert checked.confirmed is (verdict != "finished")
    assert kind in {finding.kind for finding in checked.findings}


@pytest.mark.parametrize(
    "line",
    [
        "os.waitid(os.P_PID, child.pid, os.WEXITED)",
        "os.path.exists(f'/proc/{child.pid}')",
        "open(f'/proc/{child.pid}/stat')",
        "os.kill(child.pid, signal.SIGSTOP)",
        "signal.alarm(1)",
    ],
)
def test_what_is_about_the_operating_system_alone_is_said_not_to_be_there(
    line: str, tmp_path: Path
) -> None:
    path = tmp_path / "asks.py"
    path.write_text(
        "import os.path\nimport signal\nfrom multiprocessing import Process\n"
        "if __name__ == '__main__':\n"
        "    child = Process(target=print)\n"
        "    child.start()\n"
        f"    {line}\n"
    )
    checked = syncsim.check(path)
    assert checked.verdict is Verdict.UNDECIDED
    assert checked.explanation.startswith("The program cannot be checked: it uses ")
    assert "(asks.py, line 7), which is not in the virtual world." in checked.explanation
    assert checked.hint.startswith("With --real")


def test_who_died_with_a_lock_of_a_manager_is_a_finding() -> None:
    checked = syncsim.check(PROGRAMS / "manager_dead_holder.py")
    (failure,) = checked.failures
    assert "dead holder" in {finding.kind for finding in failure.findings}


def test_one_json_object_and_an_exit_code() -> None:
    found = check(PROGRAMS / "lost_wakeup.py", "--json")
    (line,) = found.stdout.splitlines()
    told = json.loads(line)
    assert found.returncode == 1
    assert told["verdict"] == "deadlock"
    assert told["confirmed"] is told["complete"] is True
    assert told["failures"][0]["schedule"] == told["schedule"]
    assert told["steps"][-1]["process"] == "Process-1"
    assert {finding["kind"] for finding in told["findings"]} >= {"lost wakeup"}
    again = subprocess.run(
        [sys.executable, "-m", "syncsim", "run", str(PROGRAMS / "lost_wakeup.py"), "--json",
         "--schedule", told["schedule"]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(again.stdout.splitlines()[-1])["verdict"] == "deadlock"


def test_what_is_proven_exits_with_nothing_wrong() -> None:
    found = check("two-phase-handshake", "--grain", "call")
    assert found.returncode == 0
    assert found.stdout.startswith("proven\n")


def test_a_bound_is_named() -> None:
    checked = syncsim.check(PROGRAMS / "copies.py", max_states=3, search="graph")
    assert checked.verdict is Verdict.UNDECIDED
    assert not checked.complete
    assert "3 states" in checked.explanation


@pytest.mark.parametrize(
    ("line", "verdict", "words"),
    [
        ("import random; random.Random(7).shuffle([1, 2])", "finished", "no process can wait"),
        ("import random; random.seed(7); random.random()", "finished", "no process can wait"),
        ("import random; random.choice([1, 2])", "undecided", "random numbers without a seed"),
        ("import random; random.Random().getrandbits(3)", "undecided", "random numbers without"),
        ("import os; os.urandom(1)", "undecided", "random numbers without a seed"),
        ("random.SystemRandom().choice([1, 2])", "undecided", "random numbers without a seed"),
        ("import secrets; secrets.randbelow(2)", "undecided", "random numbers without a seed"),
        ("import uuid; uuid.uuid4()", "undecided", "random numbers without a seed"),
        ("import time; time.monotonic()", "undecided", "depend on the clock"),
        ("import time; time.strftime('%S')", "undecided", "depend on the clock"),
        ("import time; time.gmtime(0)", "finished", "no process can wait"),
        ("from datetime import datetime; datetime.now()", "undecided", "depend on the clock"),
        ("import datetime; datetime.date.today()", "undecided", "depend on the clock"),
        ("import datetime; datetime.date(2000, 1, 1)", "finished", "no process can wait"),
    ],
)
def test_what_asks_the_clock_or_chance_is_not_proven(
    tmp_path: Path, line: str, verdict: str, words: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import random\nfrom multiprocessing import Process\n"
        f"def work():\n    {line}\n"
        "if __name__ == '__main__':\n    Process(target=work).start()\n"
    )
    checked = syncsim.check(path)
    assert checked.verdict == verdict, checked.explanation
    assert words in checked.explanation
    assert checked.complete is (verdict == "finished")


def test_a_replay_that_takes_too_long_is_not_said_to_go_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replay, "_REPLAY", 0.0)
    checked = syncsim.check(PROGRAMS / "lost_update.py", first=True)
    assert checked.verdict is Verdict.UNDECIDED
    assert "they take longer than 0 s" in checked.explanation


def test_a_deadlock_that_may_still_be_broken_is_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import signal\nfrom multiprocessing import Lock\nif __name__ == '__main__':\n"
        "    lock = Lock()\n    signal.alarm(3600)\n    lock.acquire()\n    lock.acquire()\n"
    )
    monkeypatch.setattr(replay, "_REPLAY", 5.0)
    failure = replay.confirm(load(path), Found("deadlock", "a", 1))
    assert len(failure.steps) == 1
    assert not failure.confirmed
    assert "it may still be helped" in failure.explanation


def test_a_replay_makes_the_steps_of_its_schedule_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import get_context\n"
        "context = get_context('fork')\n"
        "def look(value): assert value.value == 0\n"
        "def put(queue, value): queue.put(1); value.value = 1\n"
        "if __name__ == '__main__':\n"
        "    queue, value = context.Queue(), context.Value('i', 0)\n"
        "    context.Process(target=look, args=(value,)).start()\n"
        "    context.Process(target=put, args=(queue, value)).start()\n"
    )
    checked = syncsim.check(path)
    assert (checked.verdict, checked.confirmed) == ("assertion", True)
    assert not [step for step in checked.failures[0].steps if "feeder" in step.process]


def test_a_search_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'wide' is none of graph, dpor"):
        syncsim.check(PROGRAMS / "copies.py", search="wide")


def test_a_function_that_cannot_be_imported_is_refused() -> None:
    with pytest.raises(ValueError, match="no function at the top of a module"):
        syncsim.check(lambda: None)


def test_the_plugin_fails_with_the_explained_schedule(tmp_path: Path) -> None:
    (tmp_path / "test_transfer.py").write_text(
        "from multiprocessing import Lock, Process\n"
        "def work(one, other):\n"
        "    with one, other:\n"
        "        pass\n"
        "def transfer(*, back):\n"
        "    a, b = Lock(), Lock()\n"
        "    both = [Process(target=work, args=x) for x in ((a, b), (b, a) if back else (a, b))]\n"
        "    for one in both: one.start()\n"
        "    for one in both: one.join()\n"
        "def wrong(): transfer(back=True)\n"
        "def right(): transfer(back=False)\n"
        "def test_wrong(syncsim_check): syncsim_check(wrong).never_deadlocks()\n"
        "def test_right(syncsim_check): syncsim_check(right).never_deadlocks().never_fails()\n"
    )
    found = pytest_in(tmp_path)
    assert "1 failed, 1 passed" in found.stdout, found.stdout
    assert "Process-1 holds a and waits for b" in found.stdout
    assert "schedule: A2BC" in found.stdout
