"""Properties: judged over all states, refuted by the shortest run, confirmed by real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import check, pytest_in

import syncsim
from syncsim import always, eventually, never, sometimes
from syncsim.checking import Checked
from syncsim.checking.telling import told
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import parse_schedule
from syncsim.explore.properties.properties import Kind, Property, PropertyError, pack, parse, unpack

pytestmark = pytest.mark.once

PROGRAMS = Path(__file__).parent / "claimed"
PUZZLES = Path(__file__).parents[2] / "puzzles"


def checked(command: str, *claims: Property, **options: Any) -> Checked:
    name, *arguments = command.split()
    path = PUZZLES / name / "program.py" if "-" in name else PROGRAMS / f"{name}.py"
    return syncsim.check(path, arguments=tuple(arguments), properties=claims, **options)


# -- states -----------------------------------------------------------------------------


def test_writers_are_alone_and_readers_are_not() -> None:
    found = checked(
        "page",
        never(lambda s: s.inside("write_page") > 1),
        never(lambda s: s.inside("write_page") and s.inside("read_page")),
        sometimes(lambda s: s.inside("read_page") == 2),
        always(lambda s: not s.over or s.value("readers") == 0),
    )
    assert found.verdict is Verdict.FINISHED, found.explanation
    assert found.complete
    assert [one.holds for one in found.properties] == [True] * 4
    # Ada and Bob are started; the first takes door, reads, writes and reads again, takes room and
    # gives door back; the second does the same but for room.
    witness = found.properties[2]
    assert len(parse_schedule(witness.schedule)) == 2 + 6 + 5
    assert witness.confirmed


def test_a_writer_that_does_not_ask_is_found_in_the_fewest_steps_on_real_processes() -> None:
    found = checked(
        "page wrong",
        never(lambda s: s.inside("write_page") > 1),
        never(lambda s: s.inside("write_page") and s.inside("read_page")),
    )
    assert found.verdict is Verdict.ASSERTION
    assert found.confirmed
    both, one = found.failures
    # Four starts, and both writers are there.
    assert both.schedule == "A4"
    assert both.property == 'never(s.inside("write_page") > 1)'
    assert "Cleo in write_page, line 12, Dan in write_page, line 12" in both.explanation
    # Three starts, and Ada's six steps until she is in; no other way is shorter.
    assert one.schedule == "A3B6"
    assert [failure.confirmed for failure in found.failures] == [True, True]


def test_one_big_lock_keeps_readers_from_reading_together() -> None:
    found = checked(
        "page one",
        never(lambda s: s.inside("write_page") > 1),
        sometimes(lambda s: s.inside("read_page") == 2),
    )
    assert found.verdict is Verdict.ASSERTION
    assert found.complete
    assert [one.holds for one in found.properties] == [True, False]
    assert found.schedule == ""
    assert "in none of the 932 states" in found.explanation
    assert "schedule" not in "\n".join(told(found))


def test_no_more_friends_row_than_there_are_boats() -> None:
    found = checked(
        "boats",
        # Each is in row() from birth on; who is out has one of the boats.
        always(lambda s: len(s.holders("boats")) + s.value("boats") == 2),
        sometimes(lambda s: s.holders("boats") == ("Cleo", "Ada") and s.waiting("boats")),
        never(lambda s: len(s.waiting("boats")) > 1),
        eventually(lambda s: s.over),
    )
    assert found.verdict is Verdict.FINISHED, found.explanation


def test_what_is_sold_was_baked() -> None:
    found = checked(
        "shelf",
        always(lambda s: s.items("shelf") in ((), ("rye",), ("rye", ("two", 2)))),
        always(lambda s: not s.over or s.value("sold") == [3, 2, 0]),
        always(lambda s: not s.over or s.items("note") == ({"sold": 2},)),
        never(lambda s: len(s.value("shelf")) > 1),
        sometimes(lambda s: s.holders("lock") == ("Bob", "Bob")),
        eventually(lambda s: s.value("raw") == 0.5 and s.exitcode("Bob") == 0),
        grain="call",
    )
    assert [str(one.property) for one in found.properties if not one.holds] == []


def test_a_lost_update_without_the_assertion_of_the_program() -> None:
    found = checked(
        "lost-update",
        always(lambda s: s.value("counter") == 4 if s.exitcode("Bob") == s.exitcode("Ada") == 0
               else True),
        grain="call",
    )  # fmt: skip
    (claim,) = found.properties
    assert claim.holds is False
    assert claim.confirmed
    # Two starts, and of each keeper twice: print, read, write; and both exits.
    assert len(parse_schedule(claim.schedule)) == 2 + 2 * (2 * 3 + 1)


# -- runs -------------------------------------------------------------------------------


def test_a_polite_philosopher_starves_between_two_who_take_turns() -> None:
    """Downey's starving Tanenbaums: fair to everybody, and yet one never eats."""
    found = checked("table politely 4", eventually(lambda s: s.inside("eat", "P1")))
    assert found.verdict is Verdict.STARVATION
    assert found.complete
    assert found.confirmed
    (failure,) = found.failures
    assert "the same 26 can be made again and again" in failure.explanation
    eaters = {step.process for step in failure.steps if step.detail == "'eats'"}
    assert eaters == {"P0", "P2"}


def test_a_lock_passes_somebody_by_for_ever_unless_the_scheduler_is_fair_to_it() -> None:
    strong = eventually(lambda s: s.inside("eat", "P1"))
    weak = eventually(lambda s: s.inside("eat", "P1"), fairness="weak")
    found = checked("table forks 3", strong, weak)
    assert [one.holds for one in found.properties] == [True, False]
    assert found.verdict is Verdict.STARVATION
    # Three starts; P0 takes two forks and eats; then it gives them back, and takes them again.
    assert found.schedule == "A3B7"
    assert found.confirmed


def test_again_and_again_is_more_than_once() -> None:
    here, whenever = "P0", "P1"
    claims = [
        eventually(lambda s: s.inside("eat", here), whenever=lambda s: s.inside("eat", whenever)),
        eventually(lambda s: s.inside("eat", here), whenever=lambda s: True, fairness="weak"),
    ]
    found = checked("table forks 2", *claims)
    assert [one.holds for one in found.properties] == [True, False]
    assert found.confirmed


def test_a_run_that_ends_without_it_refutes_it() -> None:
    found = checked("page", eventually(lambda s: s.inside("read_page") == 2))
    assert found.verdict is Verdict.ASSERTION
    assert found.confirmed
    assert "nothing can happen any more" in found.explanation


def test_a_deadlock_keeps_things_from_coming_true() -> None:
    found = checked(
        "dining-philosophers", eventually(lambda s: "Hume" not in s.holders("forks[3]"))
    )
    assert found.verdict is Verdict.DEADLOCK
    assert [one.holds for one in found.properties] == [True]
    found = checked("dining-philosophers", eventually(lambda s: s.over))
    assert [one.holds for one in found.properties] == [False]
    assert [one.verdict for one in found.failures] == [Verdict.DEADLOCK, Verdict.DEADLOCK]
    assert all(one.confirmed for one in found.failures)


# -- what is not everything ---------------------------------------------------------------


def test_a_sampler_refutes_and_proves_nothing() -> None:
    options: dict[str, Any] = {"search": "random", "max_states": 50}
    found = checked("page wrong", never(lambda s: s.inside("write_page") > 1), **options)
    assert found.verdict is Verdict.ASSERTION
    assert found.confirmed
    found = checked("page", never(lambda s: s.inside("write_page") > 1), **options)
    assert found.verdict is Verdict.UNDECIDED
    assert [one.holds for one in found.properties] == [None]


def test_a_bound_leaves_it_open() -> None:
    found = checked("page", sometimes(lambda s: s.over), max_states=100)
    assert found.verdict is Verdict.UNDECIDED
    assert [one.holds for one in found.properties] == [None]


def test_no_property_is_judged_where_orders_are_left_out() -> None:
    with pytest.raises(PropertyError, match="over all states"):
        checked("page", never(lambda s: False), search="dpor")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (never(lambda s: s.inside("wirte_page") > 1), "no function called wirte_page"),
        (never(lambda s: s.inside("write_page", "Cleopatra")), "a process called Cleopatra"),
        (always(lambda s: s.value("raeders") == 0), "a primitive called raeders was never there"),
        (eventually(lambda s: s.exitcode("Eve") == 0), "a process called Eve was never there"),
    ],
    ids=["function", "process", "primitive", "exit code"],
)
def test_what_is_true_because_of_a_wrong_name_is_not_proven(claim: Property, words: str) -> None:
    found = checked("page", claim)
    assert found.verdict is Verdict.UNDECIDED
    assert words in found.explanation


# -- properties that cannot be judged -----------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (never(lambda s: s.inside("write_page") > "1"), "it raises TypeError: '>' not supported"),
        (always(lambda s: 1 / s.inside("read_page")), "it raises ZeroDivisionError"),
        (always(lambda s: s.items("door")), "door is a Lock: nothing is got from it"),
        (never(lambda s: sum(1 for _ in iter(int, 1))), "it takes longer than 5 s"),
    ],
    ids=["type", "zero", "kind", "endless"],
)
def test_an_exception_in_a_property_is_a_sentence(claim: Property, words: str) -> None:
    with pytest.raises(PropertyError, match=r"cannot be judged") as caught:
        checked("page", claim)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inside('write') >", "is no Python expression"),
        ("insde('write') > 1", "unknown name, insde"),
        ("x = 1", "is no Python expression"),
        ("", "is no Python expression"),
        ("\0", "is no Python expression"),
    ],
)
def test_an_expression_that_is_none(text: str, words: str) -> None:
    with pytest.raises(PropertyError, match=words):
        parse(Kind.NEVER, text)


def test_the_words_of_an_expression_are_those_of_a_state_but_for_its_own_names() -> None:
    class Seen:
        over = False
        processes = ("main", "Ada")

        def inside(self, function: str) -> int:
            return len(function)

    for text in (
        'inside("abc") == 3 and not over',
        's.inside("abc") == 3',
        "[inside(name) for name in processes] == [4, 3]",
        "[over for over in (1, 2)] == [1, 2]",
        "(lambda inside: inside)(5) == 5",
    ):
        assert parse(Kind.ALWAYS, text).holds(Seen()) is True  # type: ignore[arg-type]


def _two() -> int:
    return 2


def test_a_condition_takes_along_what_it_needs() -> None:
    wanted = 1
    (claim,) = unpack(pack([never(lambda s: s == _two() + wanted)]))
    assert claim.holds(3) is True  # type: ignore[arg-type]
    assert str(claim) == "never(s == _two() + wanted)"


# -- the ways in --------------------------------------------------------------------------


def test_claims_on_the_command_line() -> None:
    path = PROGRAMS / "page.py"
    claims = ["--never", 'inside("write_page") > 1', "--sometimes", 'inside("read_page") == 2']
    found = check(path, "--json", *claims, "--", "wrong")
    assert found.returncode == 1
    told = json.loads(found.stdout)
    assert told["verdict"] == "assertion"
    assert told["confirmed"] is True
    assert told["failures"][0]["property"] == 'never(inside("write_page") > 1)'
    assert [(one["holds"], one["confirmed"]) for one in told["properties"]] == [
        (False, True),
        (True, True),
    ]
    found = check(path, *claims)
    assert found.returncode == 0
    assert 'holds: never(inside("write_page") > 1)\n  so in none of the' in found.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--never", "insde('write')"], "unknown name, insde"),
        (["--eventually", "over >"], "no Python expression"),
        (["--search", "dpor", "--always", "over"], "judged over all states"),
        (["--always", "value('door') + 'x'"], "it raises TypeError"),
        (["--fairness", "none"], "invalid choice"),
    ],
)
def test_bad_claims_are_bad_input(words: list[str], said: str) -> None:
    found = check(PROGRAMS / "page.py", *words)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_the_fairness_of_the_command_line() -> None:
    words = [PROGRAMS / "table.py", "--eventually", 'inside("eat", "P1")', "--fairness"]
    assert check(*words, "strong", "--", "forks", "3").returncode == 0
    found = check(*words, "weak", "--", "forks", "3")
    assert found.returncode == 1
    assert found.stdout.startswith("starvation\n")


def test_claims_in_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_doors.py").write_text(
        "from multiprocessing import get_context\n"
        "fork = get_context('fork')\n"
        "MOST = 1\n"
        "def inner(): print('in')\n"
        "def enter(door):\n"
        "    with door: inner()\n"
        "def burst(door): inner()\n"
        "def start(target):\n"
        "    door = fork.Lock()\n"
        "    for n in range(2): fork.Process(target=target, args=(door,)).start()\n"
        "def right(): start(enter)\n"
        "def wrong(): start(burst)\n"
        "def many(s): return s.inside('inner') > MOST\n"
        "def test_right(syncsim_check):\n"
        "    claim = syncsim_check(right).never(many).sometimes(lambda s: s.inside('inner'))\n"
        "    claim.always(lambda s: s.value('door') in (0, 1)).eventually(lambda s: s.over)\n"
        "    claim.never_deadlocks()\n"
        "def test_wrong(syncsim_check): syncsim_check(wrong).never(many)\n"
    )
    found = pytest_in(tmp_path)
    assert "1 failed, 1 passed" in found.stdout, found.stdout
    assert "never(many) does not hold: it is so after 2 choices" in found.stdout
    assert "schedule: A2" in found.stdout
