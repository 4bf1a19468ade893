"""What ``syncsim run`` tells, to a person and to a program."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from either import either

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Replay, RoundRobin
from syncsim.core.words.status import Status
from syncsim.program.source import load
from syncsim.puzzles.catalogue import find
from syncsim.real.locating import ThreadLocator
from syncsim.session.headless import FINISHED, HeadlessRun

PROJECT = Path(__file__).parents[1]
DEADLINE = 60

#: The fields of a step, by point 6 of the specification; there may be more.
STEP = {
    "type": str,
    "n": int,
    "process": str,
    "pid": int,
    "call": str,
    "verb": str,
    "primitive": str,
    "kind": str,
    "result": str,
    "file": str,
    "line": int,
}
VERDICT = {
    "type": str,
    "verdict": str,
    "findings": list,
    "explanation": str,
    "cycle": list,
    "processes": list,
    "steps": int,
}
PROCESS = {"name", "pid", "state", "exitcode", "waiting_for", "holds"}

DEADLOCK = ("ab-ba", "--schedule", "a2b3c3")


@cache
def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncsim", "run", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=False,
    )


def records(*words: object) -> list[dict[str, Any]]:
    ended = run(*words, "--json")
    assert ended.stderr == ""
    return [json.loads(line) for line in ended.stdout.splitlines()]


# -- JSON ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("producer-consumer",), ("producer-consumer", "--scheduler", "random:1"), DEADLOCK]
)
def test_every_line_is_one_object_and_the_last_is_the_verdict(words: tuple[str, ...]) -> None:
    told = records(*words)
    assert {record["type"] for record in told[:-1]} <= {"step", "output"}
    steps = [record for record in told if record["type"] == "step"]
    assert [step["n"] for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        assert {field: type(step[field]) for field in STEP} == STEP
    verdict = told[-1]
    assert {field: type(verdict[field]) for field in VERDICT} == VERDICT
    assert verdict["type"] == "verdict"
    assert verdict["verdict"] in set(Verdict)
    assert verdict["steps"] == len(steps)
    assert "schedule" in verdict
    for process in verdict["processes"]:
        assert set(process) == PROCESS
        assert process["state"] in set(Status)
        assert isinstance(process["holds"], list)
    for finding in verdict["findings"]:
        assert set(finding) == {"kind", "explanation"}
    for link in verdict["cycle"]:
        assert set(link) == {"process", "waits_for", "held_by"}


def test_a_deadlock_is_told_with_its_cycle() -> None:
    verdict = records(*DEADLOCK)[-1]
    assert verdict["verdict"] == "deadlock"
    assert verdict["cycle"] == [
        {"process": "Ada", "waits_for": "wallet_lock", "held_by": "Bob"},
        {"process": "Bob", "waits_for": "savings_lock", "held_by": "Ada"},
    ]
    assert verdict["explanation"] == (
        "Ada holds savings_lock and waits for wallet_lock; "
        "Bob holds wallet_lock and waits for savings_lock. Neither can go on."
    )
    assert [finding["kind"] for finding in verdict["findings"]] == ["cycle"]
    main, ada, bob = verdict["processes"]
    assert (main["name"], main["state"], main["waiting_for"]) == ("main", "stuck", "Ada")
    assert (ada["name"], ada["state"], ada["holds"]) == ("Ada", "stuck", ["savings_lock"])
    assert (bob["waiting_for"], bob["exitcode"]) == ("savings_lock", None)


def test_a_step_is_told_with_its_place_in_the_program() -> None:
    step = next(r for r in records(*DEADLOCK) if r.get("call") == "Lock.acquire")
    assert step | {"pid": 0} == step | {
        "type": "step",
        "process": "Ada",
        "pid": 0,
        "verb": "acquire",
        "primitive": "savings_lock",
        "kind": "Lock",
        "result": "True",
        "line": 7,
    }
    assert Path(step["file"]).is_absolute()
    assert step["file"].endswith("puzzles/ab-ba/program.py")


def test_the_pids_of_the_steps_are_those_of_the_processes() -> None:
    told = records(*DEADLOCK)
    pids = {process["name"]: process["pid"] for process in told[-1]["processes"]}
    for record in told[:-1]:
        if record["type"] == "step":
            assert record["pid"] == pids[record["process"]]


def test_output_is_told_beside_the_steps() -> None:
    told = records("bounded-resource", "--scheduler", "round-robin")
    output = [record for record in told if record["type"] == "output"]
    assert len(output) == 5
    for record in output:
        assert set(record) == {"type", "process", "stream", "text"}
        assert (record["stream"], record["text"]) == ("stdout", "rows out\n")


def test_the_schedule_of_a_run_makes_the_same_run_again() -> None:
    def same(*words: str) -> list[dict[str, Any]]:
        """All that was told, but for the pids."""
        told = records(*words)
        for record in [*told, *told[-1]["processes"]]:
            record.pop("pid", None)
        return told

    first = same("readers-writers", "--scheduler", "random:11")
    schedule = first[-1]["schedule"]
    again = same("readers-writers", "--scheduler", "replay", "--schedule", schedule)
    assert again == first


def test_a_free_run_has_no_schedule() -> None:
    assert records("two-phase-handshake")[-1]["schedule"] is None


def test_bounds_are_told_in_the_verdict() -> None:
    *told, verdict = records("producer-consumer", "--scheduler", "round-robin", "--max-steps", 7)
    assert sum(record["type"] == "step" for record in told) == 7
    assert (verdict["verdict"], verdict["steps"]) == ("undecided", 7)
    assert verdict["explanation"].startswith("Nothing is decided: 7 steps were made.")
    assert (
        run(
            "producer-consumer", "--scheduler", "round-robin", "--max-steps", 7, "--json"
        ).returncode
        == 3
    )


def test_a_bound_holds_while_the_report_looks_closer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "endless.py"
    program.write_text(
        "import multiprocessing\nlock = multiprocessing.Lock()\nwhile True:\n    with lock: pass\n"
    )
    # A process whose account is in doubt is asked again: what it has written meanwhile is read.
    monkeypatch.setattr(ThreadLocator, "doubt", lambda *_: "in doubt")
    out = io.StringIO()
    assert HeadlessRun(load(program), None, max_steps=9, as_json=True, out=out).run() == 3
    *told, verdict = map(json.loads, out.getvalue().splitlines())
    assert [step["n"] for step in told] == list(range(1, 10))
    assert (verdict["steps"], verdict["report"]["steps"]) == (9, 9)


def test_a_schedule_that_ends_early_leaves_the_run_undecided() -> None:
    verdict = records("ab-ba", "--schedule", "a2b")[-1]
    assert verdict["verdict"] == "undecided"
    assert verdict["explanation"].startswith("Nothing is decided: the schedule ends here.")
    assert verdict["schedule"] == "a2b"


# -- text ----------------------------------------------------------------------------------


def test_text_is_one_readable_line_a_step_and_then_the_verdict() -> None:
    ended = run(*DEADLOCK)
    assert ended.returncode == 1
    assert ended.stderr == ""
    story, _, end = ended.stdout.partition("\n\n")
    steps = [line for line in story.splitlines() if re.match(r" *\d", line)]
    total = records(*DEADLOCK)[-1]["steps"]
    assert [int(line.split()[0]) for line in steps] == list(range(1, total + 1))
    assert re.fullmatch(r" +3  Ada +takes savings_lock +program\.py:7", steps[2])
    assert end.splitlines()[:2] == [
        f"deadlock after {total} steps",
        "Ada holds savings_lock and waits for wallet_lock; "
        "Bob holds wallet_lock and waits for savings_lock. Neither can go on.",
    ]
    assert end.splitlines()[-1].startswith("schedule: a2b")


def test_text_says_who_begins_to_wait() -> None:
    waits = [line for line in run(*DEADLOCK).stdout.splitlines() if line.startswith("    ·")]
    assert any("waits for wallet_lock, held by Bob" in line for line in waits)


def test_the_text_of_a_program_cannot_command_a_terminal(tmp_path: Path) -> None:
    program = tmp_path / "hostile.py"
    program.write_text(
        "import sys\nprint('\\x1b[2J\\x07 [/foo]')\nprint('\\x9b31m', file=sys.stderr)\n"
        "raise ValueError('\\x1b[31m')\n"
    )
    ended = run(program)
    assert "[/foo]" in ended.stdout
    assert not set(ended.stdout) & {"\x1b", "\x07", "\x9b", "\r"}


def test_the_programs_own_traceback_is_shown_whole(tmp_path: Path) -> None:
    program = tmp_path / "fails.py"
    program.write_text("def deep():\n    raise LookupError('lost')\n\n\ndeep()\n")
    told = run(program).stdout
    assert "    |  Traceback (most recent call last):\n" in told
    assert f'    |    File "{program}", line 5, in <module>\n' in told
    assert "    |  LookupError: lost\n" in told
    assert "syncsim/" not in told
    assert "crash after" in told


@pytest.mark.parametrize("code", [0, 3])
@either("scheduler", ["os", "round-robin"])
def test_the_exit_code_of_main_is_told_and_is_no_verdict(
    tmp_path: Path, code: int, scheduler: str
) -> None:
    program = tmp_path / "exits.py"
    program.write_text(f"import sys\nsys.exit({code})\n")
    verdict = records(program, "--scheduler", scheduler)[-1]
    assert (verdict["verdict"], verdict["exitcode"]) == ("finished", code)
    ended = run(program, "--scheduler", scheduler)
    assert ended.returncode == 0
    first = "finished after 1 steps" + ("; main exits with code 3" if code else "")
    assert f"\n{first}\nIt started no process.\n" in ended.stdout


def test_a_main_that_lives_has_no_exit_code() -> None:
    assert records(*DEADLOCK)[-1]["exitcode"] is None


def test_the_report_tells_it_of_a_main_that_has_left_others_behind(tmp_path: Path) -> None:
    program = tmp_path / "leaves.py"
    program.write_text(
        "import os\nfrom multiprocessing import Lock, get_context\n"
        "def work(lock):\n    lock.acquire()\n    lock.acquire()\n"
        "if __name__ == '__main__':\n    lock = Lock()\n"
        "    get_context('fork').Process(target=work, args=(lock,)).start()\n"
        "    os._exit(3)\n"
    )
    told = run(program)
    assert told.returncode == 1
    assert re.search(
        r"syncsim report: deadlock after \d+ steps; main exits with code 3", told.stdout
    )
    assert records(program)[-1]["exitcode"] == 3


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("os.fork() or os._exit(0)", "os.fork"),
        ("subprocess.run(['true'])", "subprocess.Popen"),
        ("os.execvp('true', ['true'])", "os.execv"),
        ("os.spawnlp(os.P_WAIT, 'true', 'true')", "os.fork"),
    ],
)
def test_who_forks_or_starts_a_program_is_not_said_to_have_started_nothing(
    tmp_path: Path, line: str, called: str
) -> None:
    program = tmp_path / "forks.py"
    program.write_text(f"import os, subprocess\n{line}\n")
    explanation = records(program)[-1]["explanation"]
    assert "It started no process by multiprocessing, and called " in explanation
    assert called in explanation


# -- in this process -------------------------------------------------------------------------


def test_a_run_can_be_told_to_any_stream() -> None:
    out = io.StringIO()
    program = load(find("two-phase-handshake").program)
    assert HeadlessRun(program, RoundRobin(), out=out).run() == FINISHED
    assert "\nfinished after " in out.getvalue()


def test_a_replay_is_followed_choice_by_choice() -> None:
    out = io.StringIO()
    program = load(find("ab-ba").program)
    assert HeadlessRun(program, Replay("a2b3c3"), as_json=True, out=out).run() == 1
    assert json.loads(out.getvalue().splitlines()[-1])["schedule"] == "a2b3c3"
