"""What is asked of a check: what would do nothing is refused, and wrong things in a sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from commands import pytest_in

import syncsim
from syncsim import cli
from syncsim.core.deadlock.verdict import Verdict

pytestmark = pytest.mark.once

TURNS = Path(__file__).parent / "explore" / "checked" / "turns.py"
DINING = Path(__file__).parents[1] / "puzzles" / "dining-philosophers" / "program.py"

#: Options that would do nothing, as they are given in Python, and what is said of them.
IDLE: list[tuple[dict[str, Any], str]] = [
    ({"search": "dpor", "max_depth": 5}, "dpor has no bound on the depth"),
    ({"real": True, "jobs": 2}, "real takes no jobs"),
    ({"search": "graph", "jobs": 2}, "graph takes no jobs"),
    ({"search": "pct", "jobs": 2}, "pct takes no jobs"),
    ({"seed": 0}, "a seed is for a search by samples"),
    ({"search": "graph", "seed": 3}, "a seed is for a search by samples"),
    ({"real": True, "seed": 3}, "a seed is for a search by samples"),
    ({"real": True, "search": "graph"}, "real has no search graph"),
]


def words_of(options: dict[str, Any]) -> list[str]:
    """The same on the command line."""
    words = []
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return words


@pytest.mark.parametrize(("options", "why"), IDLE)
def test_what_would_do_nothing_is_refused_in_python(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        syncsim.check(TURNS, **options)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        *((words_of(options), why) for options, why in IDLE),
        (["--fairness", "weak"], "--fairness is for --eventually"),
        (["--never", "over", "--fairness", "strong"], "--fairness is for --eventually"),
        (["--never", "over", "--jobs", "2"], "properties take no jobs"),
    ],
)
def test_what_would_do_nothing_is_refused_on_the_command_line(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["check", str(TURNS), *words])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert said.out == ""
    assert said.err.startswith("syncsim: ")
    assert why in said.err
    assert said.err.endswith("Try syncsim check --help.\n")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        {"search": "urw", "seed": 3, "max_states": 5},
        {"search": "graph", "jobs": 1, "max_depth": 3},
        {"search": "dpor", "jobs": 2},
        {"real": True, "jobs": 1, "max_states": 1, "max_depth": 5},
    ],
)
def test_what_does_something_is_taken(options: dict[str, Any]) -> None:
    assert syncsim.check(TURNS, **options).verdict in ("finished", "undecided")


def test_a_seed_decides_what_a_sampler_draws() -> None:
    def steps(seed: int | None) -> int:
        return syncsim.check(DINING, search="random", seed=seed, max_states=20).transitions

    assert steps(None) == steps(0)
    assert len({steps(seed) for seed in range(4)}) > 1


@pytest.mark.parametrize("wrong", [3, "inside('f') > 1", lambda s: s.over, None])
def test_what_is_no_property_is_refused(wrong: Any) -> None:
    with pytest.raises(syncsim.PropertyError, match="is no property: always, never"):
        syncsim.check(TURNS, properties=[wrong])


@pytest.mark.parametrize("make", [syncsim.always, syncsim.sometimes, syncsim.eventually])
def test_a_condition_is_a_function(make: Any) -> None:
    with pytest.raises(syncsim.PropertyError, match="3 is no function of a state"):
        make(3)


def test_so_is_what_an_eventually_waits_for() -> None:
    with pytest.raises(syncsim.PropertyError, match="'over' is no function of a state"):
        syncsim.eventually(lambda s: s.over, whenever="over")  # type: ignore[arg-type]


def test_the_documented_errors_can_be_caught_by_name() -> None:
    with pytest.raises(syncsim.ProgramError, match="no_such_program"):
        syncsim.check("no_such_program.py")
    assert issubclass(syncsim.PropertyError, ValueError)
    assert issubclass(syncsim.CheckError, Exception)
    assert all(hasattr(syncsim, name) for name in syncsim.__all__)


def test_the_fixture_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(
        "def test_lambda(syncsim_check): syncsim_check(lambda: None).never_fails()\n"
        "def test_file(syncsim_check): syncsim_check('no_such_program.py').never_fails()\n"
        "def test_option(syncsim_check): syncsim_check('x.py', seed=3).never_fails()\n"
    )
    (tmp_path / "x.py").write_text("")
    found = pytest_in(tmp_path)
    assert "3 failed" in found.stdout, found.stdout
    assert "<lambda> is no function at the top of a module" in found.stdout
    assert "syncsim: a seed is for a search by samples" in found.stdout
    assert "Traceback" not in found.stdout
    assert "def checked" not in found.stdout


def test_the_help_explains_each_word_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["check", "--help"])
    _, _, told = capsys.readouterr().out.partition("--json prints one object:")
    words = set(re.findall(r"\w+", told))
    assert set(syncsim.check(DINING, first=True).as_dict()) <= words
    assert set(Verdict) <= words
    assert "finished (proven)" in told


def test_a_depth_of_none_is_no_depth_of_many() -> None:
    checked = syncsim.check(TURNS, search="graph", max_depth=0)
    assert checked.states == 1
    assert "the bound was a depth of 0" in checked.explanation
