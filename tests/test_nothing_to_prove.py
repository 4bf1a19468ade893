"""No proof of nothing: a search that saw no process and no primitive has proven nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import check, pytest_in
from either import either

import syncsim
from syncsim import always, never, sometimes
from syncsim.checking.telling import told
from syncsim.explore.hints import OTHER_ARGUMENTS
from syncsim.session.background_check import BackgroundCheck, Judged

NOTHING = {
    "is empty": "",
    "prints": "print('Usage')\n",
    "sleeps": "import time\ntime.sleep(1)\n",
    "makes a lock and does not use it": "from multiprocessing import Lock\nlock = Lock()\n",
    "defines what it does not call": "from multiprocessing import Process\ndef go(): Process()\n",
}
SOMETHING = {
    "takes a lock": "from multiprocessing import Lock\nwith Lock(): pass\n",
    "reads a value": "from multiprocessing import Value\nprint(Value('i', 0, lock=False).value)\n",
    "starts a process": "from multiprocessing import get_context\n"
    "get_context('fork').Process(target=print).start()\n",
}
PROVEN = "no process can wait for ever"


def written(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", NOTHING.values(), ids=list(NOTHING))
@either("search", ["exhaustive", "graph"])
def test_who_does_nothing_with_others_is_not_proven(tmp_path: Path, text: str, search: str) -> None:
    checked = syncsim.check(written(tmp_path, text), search=search)
    assert checked.verdict == "undecided"
    assert not checked.complete
    assert checked.explanation == (
        "There is nothing to prove: as far as the check sees, it started no process and touched no "
        "primitive."
    )
    assert checked.hint.startswith(OTHER_ARGUMENTS)
    assert "--real" in checked.hint


@pytest.mark.parametrize("text", SOMETHING.values(), ids=list(SOMETHING))
def test_one_process_or_one_primitive_is_enough(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    alone = "Process" not in text
    checked = syncsim.check(path)
    assert checked.verdict == "finished", checked.explanation
    assert checked.complete
    assert checked.explanation.endswith("It started no process.") is alone


def test_real_processes_prove_as_little(tmp_path: Path) -> None:
    checked = syncsim.check(written(tmp_path, NOTHING["prints"]), real=True)
    assert checked.verdict == "undecided"
    assert "it started no process" in checked.explanation
    assert checked.hint == OTHER_ARGUMENTS
    checked = syncsim.check(written(tmp_path, SOMETHING["takes a lock"]), real=True)
    assert checked.verdict == "finished"
    assert checked.explanation.endswith("It started no process.")
    checked = syncsim.check(written(tmp_path, SOMETHING["starts a process"]), real=True)
    assert checked.verdict == "finished", checked.explanation
    assert PROVEN in checked.explanation


def test_the_command_says_so_and_ends_with_3(tmp_path: Path) -> None:
    found = check(written(tmp_path, NOTHING["prints"]))
    assert found.returncode == 3
    assert found.stdout.startswith("undecided\nThere is nothing to prove: ")
    assert OTHER_ARGUMENTS in found.stdout
    assert "Nothing was raced for" not in found.stdout


def test_who_fails_alone_still_fails(tmp_path: Path) -> None:
    checked = syncsim.check(written(tmp_path, "raise LookupError\n"))
    assert (checked.verdict, checked.confirmed) == ("crash", True)


def test_no_property_is_proven_of_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "def go(): print()\ngo()\n")
    claims = [
        always(lambda s: True),
        never(lambda s: len(s.processes) > 1),
        sometimes(lambda s: len(s.processes) > 1),
    ]
    checked = syncsim.check(path, properties=claims)
    assert checked.verdict == "undecided", checked.explanation
    assert [one.holds for one in checked.properties] == [None, None, None]
    assert "it started no process" in checked.properties[0].explanation


def test_no_property_is_proven_of_what_may_depend_on_chance(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "import random\nfrom multiprocessing import get_context\n"
        "def work(): random.random()\n"
        "if __name__ == '__main__': get_context('fork').Process(target=work).start()\n",
    )
    checked = syncsim.check(path, properties=[never(lambda s: len(s.processes) > 2)])
    assert checked.properties[0].holds is None
    assert "random numbers" in checked.properties[0].explanation


def test_a_claim_of_the_fixture_fails_on_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def nothing(): print('Usage')\n"
        "def test_deadlock(syncsim_check): syncsim_check(nothing).never_deadlocks()\n"
        "def test_always(syncsim_check): syncsim_check(nothing).always(lambda s: True)\n"
    )
    found = pytest_in(tmp_path)
    assert "2 failed" in found.stdout, found.stdout
    assert "There is nothing to prove" in found.stdout


def test_the_stage_is_told_the_same(tmp_path: Path) -> None:
    from syncsim.program.source import load

    judged = checked_on_the_stage(BackgroundCheck(load(written(tmp_path, NOTHING["prints"]))))
    assert judged.checked.verdict == "undecided"
    assert "There is nothing to prove" in judged.checked.explanation


def checked_on_the_stage(background: BackgroundCheck) -> Judged:
    background._thread.join(60)
    (judged,) = [update for update in background.updates if isinstance(update, Judged)]
    background.close()
    return judged


@pytest.mark.parametrize(
    "how",
    [
        "get_context('fork').Process(target=print).start()",
        "get_context('spawn').Process(target=print).start()",
        "Pool(2).map(abs, [1])",
        "os.fork() or os._exit(0)",
    ],
)
def test_what_an_installed_package_starts_is_named_and_not_started(
    tmp_path: Path, how: str
) -> None:
    """It imports the real modules, past the virtual world."""
    package = tmp_path / "installed"
    package.mkdir()
    (package / "pools.py").write_text(
        f"import os\nfrom multiprocessing import Pool, get_context\ndef go():\n    {how}\n"
    )
    path = written(
        tmp_path,
        "import pools\nfrom multiprocessing import Lock\n"
        "if __name__ == '__main__':\n    with Lock(): pass\n    pools.go()\n",
    )
    found = subprocess.run(
        [sys.executable, "-m", "syncsim", "check", "--json", path],
        capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"PYTHONPATH": str(package)},
    )  # fmt: skip
    told = json.loads(found.stdout)
    assert (found.returncode, told["verdict"]) == (3, "undecided")
    assert "multiprocessing inside an installed package (pools.py, line 4)" in told["explanation"]


# -- main's exit code ------------------------------------------------------------------------

ENDS = """\
import sys
from multiprocessing import Lock, Value, get_context
def work(lock, first, mine):
    with lock:
        first.value = first.value or mine
if __name__ == "__main__":
    context = get_context("fork")
    lock, first = context.Lock(), Value("i", 0, lock=False)
    both = [context.Process(target=work, args=(lock, first, n)) for n in (3, 4)]
    for one in both: one.start()
    for one in both: one.join()
    sys.exit({code})
"""


@pytest.mark.parametrize("real", [False, True])
def test_a_check_tells_with_which_code_main_exits(tmp_path: Path, *, real: bool) -> None:
    path = written(tmp_path, ENDS.format(code=3))
    found = check(path, *(["--real"] if real else []))
    assert found.returncode == 0
    assert found.stdout.startswith("proven; main exits with code 3\n")
    path.write_text(ENDS.format(code="first.value"))
    checked = syncsim.check(path, real=real)
    assert (checked.exits, checked.exitcode) == ((3, 4), None)
    assert told(checked)[0] == "proven; main exits with code 3 or 4"


def test_a_check_tells_it_as_json(tmp_path: Path) -> None:
    path = written(tmp_path, ENDS.format(code=3))
    assert json.loads(check(path, "--json").stdout)["exitcode"] == 3
    path.write_text(ENDS.format(code=0))
    assert json.loads(check(path, "--json").stdout)["exitcode"] == 0
    stuck = written(tmp_path, "from multiprocessing import Lock\nlock = Lock()\n")
    stuck.write_text(stuck.read_text() + "lock.acquire()\nlock.acquire()\n")
    told = json.loads(check(stuck, "--json").stdout)
    assert (told["verdict"], told["exitcode"]) == ("deadlock", None)


def test_what_was_not_searched_to_its_end_may_exit_so(tmp_path: Path) -> None:
    found = check(written(tmp_path, "import sys\nsys.exit('bad usage')\n"))
    assert found.returncode == 3
    assert found.stdout.startswith("undecided; main may exit with code 1\n")


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_codes_of_all_executions_are_told_by_any_number_of_jobs(
    tmp_path: Path, jobs: int
) -> None:
    path = written(tmp_path, ENDS.format(code="first.value"))
    assert syncsim.check(path, search="dpor", jobs=jobs).exits == (3, 4)
