"""The command line.  Each command imports what it needs when it needs it."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from syncsim import __version__

if TYPE_CHECKING:
    from syncsim.explore.properties import Property
    from syncsim.program.source import Program
    from syncsim.puzzles.catalogue import Puzzle

_EPILOG = """\
syncsim                    open the gallery of puzzles
syncsim FILE [ARGUMENT]    open the stage on a program of your own
syncsim -m MODULE          the same, on what python -m MODULE runs
syncsim run NAME|FILE      run a puzzle or a program without a screen
syncsim check NAME|FILE    visit every interleaving
syncsim run -m MODULE      the same, for a module
syncsim list               the puzzles

exit codes: 0 finished, 1 a bad verdict, 2 bad input, 3 undecided
"""
_CHECK_EPILOG = """\
--json prints one object:
  verdict, explanation    what came of it: finished (proven), deadlock, livelock, starvation,
                          assertion, crash or undecided; hint: what may help in that case;
                          note: what to know of this Python
  complete                whether everything was visited
  confirmed               whether real processes came to the verdict, too
  search, states, transitions, executions, depth, seconds
                          how it was searched, and how far
  failures                one of each kind, the shortest first: verdict, explanation, schedule,
                          confirmed
  schedule, steps, cycle, processes
                          of the first of them, as on real processes
  findings, raced_for     what else was seen, and which processes raced for what
  properties              what became of each that was to be judged

exit codes: 0 proven, 1 a failure found, 2 bad input, 3 undecided
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One clear sentence, and where to find more."""
        sys.stderr.write(f"syncsim: {message}. Try {self.prog} --help.\n")
        sys.exit(2)


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says; the answer is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # closed by whoever started us
        return 2
    try:
        if words and words[0] == "run":
            return _run(words[1:])
        if words and words[0] == "check":
            return _check(words[1:])
        if words and words[0] == "list":
            return _list(words[1:])
        return _open(words)
    except _BadInputError as error:
        sys.stderr.write(f"syncsim: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said to them, nor when we end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.close()
        return 141
    except OSError as error:
        sys.stderr.write(f"syncsim: {error.strerror or error}: the output cannot be written.\n")
        return 2


class _BadInputError(Exception):
    """What is asked for cannot be: the message is one sentence for the person."""


def _open(words: list[str]) -> int:
    parser = _Parser(
        prog="syncsim",
        usage="syncsim [-h] [--version] [FILE|-m MODULE [ARGUMENT ...]]",
        description="See, step and check how the processes of a Python program synchronize.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"syncsim {__version__}")
    parser.add_argument("program", nargs="?", metavar="FILE", help="a program, or a puzzle's name")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="what python -m MODULE runs")
    ours, theirs = _divide(words)
    asked = parser.parse_args(ours)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise _BadInputError(
            "a terminal is needed to open the screen; without one, use: syncsim run NAME|FILE"
        )
    opened = _find(asked.program, asked.module, theirs) if ours else None
    from syncsim.ui.app import run_app

    return run_app(opened)


def _find(name: str | None, module: str | None, arguments: tuple[str, ...]) -> Program | Puzzle:
    """The puzzle of that name, or else the program in that file, or that module."""
    from syncsim.program.source import ProgramError, load, load_module
    from syncsim.puzzles.catalogue import PuzzleError, find

    if module is not None:
        try:
            return load_module(module, arguments)
        except ProgramError as error:
            raise _BadInputError(str(error)) from error
    assert name is not None
    if "/" not in name and not name.endswith(".py"):
        try:
            return find(name)
        except PuzzleError as error:
            no_puzzle = str(error)
    else:
        no_puzzle = ""
    try:
        return load(name, arguments)
    except ProgramError as error:
        found = os.path.lexists(name)
        raise _BadInputError(str(error) if found else no_puzzle or str(error)) from error


def _run(words: list[str]) -> int:
    parser = _program_parser("run", "Run a puzzle or a program without a screen.")
    parser.add_argument(
        "--scheduler",
        default="os",
        metavar="NAME",
        help="os (as under plain python, the default), round-robin, random[:SEED], replay",
    )
    parser.add_argument("--schedule", metavar="STRING", help="the schedule to replay: a5b2cab3")
    parser.add_argument(
        "--grain", choices=("call", "atom"), help="how far a step goes (call is the default)"
    )
    parser.add_argument("--max-steps", type=_positive, metavar="N", help="stop after N steps")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="stop after so long")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked, program = _parse_program(parser, words)
    from syncsim import headless

    try:
        return headless.run(
            program,
            asked.scheduler,
            asked.schedule,
            max_steps=asked.max_steps,
            timeout=asked.timeout,
            command=shlex.join(["syncsim", "run", *words]),
            as_json=asked.json,
            grain=asked.grain,
        )
    except headless.BadRequestError as error:
        raise _BadInputError(f"{error}.") from error


def _check(words: list[str]) -> int:
    from syncsim.explore.exhaustive import SEARCHES
    from syncsim.explore.findings import USUAL

    parser = _program_parser(
        "check", "Visit every interleaving of a puzzle or a program.", epilog=_CHECK_EPILOG
    )
    parser.add_argument("--json", action="store_true", help="one JSON object (see below)")
    parser.add_argument(
        "--max-states",
        type=_positive,
        default=USUAL.states,
        metavar="N",
        help="visit N at the most",
    )
    parser.add_argument(
        "--max-depth",
        type=_positive,
        metavar="N",
        help=f"N steps in a row ({USUAL.depth:,}; not for dpor)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=USUAL.seconds,
        metavar="S",
        help=f"search S seconds ({USUAL.seconds:g}), in which the program is also learned and what "
        "was found made smaller; the replays on real processes come after them, 60 s each at the "
        "most",
    )
    parser.add_argument(
        "--grain",
        choices=("atom", "call"),
        help="whether others may come between the operations of one call (atom: the default, but "
        "with --real)",
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="search on real processes, for what cannot be virtual; the program is run many times, "
        "and what it does to files and the like is done each time",
    )
    parser.add_argument("--search", choices=SEARCHES, default="exhaustive", help="which search")
    parser.add_argument("--seed", type=int, metavar="N", help="for a search by samples (0)")
    parser.add_argument("--first", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="so many processes visit executions (all cores); one visits states, or samples",
    )
    _add_claims(parser)
    asked, program = _parse_program(parser, words)
    if asked.fairness and not asked.eventually:
        parser.error("--fairness is for --eventually, and there is none")
    from syncsim.checking import command
    from syncsim.checking.asked import request_for

    try:
        request = request_for(
            program,
            search=asked.search,
            grain=asked.grain,
            real=asked.real,
            first=asked.first,
            seed=asked.seed,
            max_states=asked.max_states,
            max_depth=asked.max_depth,
            timeout=asked.timeout,
            jobs=asked.jobs,
            properties=_claims(asked),
        )
    except ValueError as error:
        parser.error(str(error))
    return command.run(program, request, as_json=asked.json)


def _add_claims(parser: argparse.ArgumentParser) -> None:
    """The options that claim something of the states."""
    claims = parser.add_argument_group(
        "properties",
        "EXPR is a Python expression over a state, such as 'inside(\"write\") > 1' or "
        "'value(\"slots\") == 0'; the words are inside(function[, process]), value(name), "
        "items(name), holders(name), waiting(name), exitcode(process), processes, over",
    )
    for kind, text in (
        ("always", "it is true in every state"),
        ("never", "it is true in no state"),
        ("sometimes", "there is a state in which it is true"),
        ("eventually", "no run can do without a state in which it is true"),
    ):
        claims.add_argument(
            f"--{kind}", action="append", default=[], type=_claim(kind), metavar="EXPR", help=text
        )
    claims.add_argument(
        "--fairness",
        choices=("strong", "weak"),
        help="for --eventually: weak, where a lock may pass somebody by for ever (strong: not)",
    )


def _claim(kind: str) -> Callable[[str], Property]:
    def parsed(text: str) -> Property:
        from syncsim.explore.properties import Kind, PropertyError, parse

        try:
            return parse(Kind(kind), text)
        except PropertyError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def _claims(asked: argparse.Namespace) -> list[Property]:
    """What is claimed."""
    from msgspec.structs import replace

    from syncsim.explore.properties import Fairness

    fairness = Fairness(asked.fairness or "strong")
    in_time = [replace(one, fairness=fairness) for one in asked.eventually]
    return [*asked.always, *asked.never, *asked.sometimes, *in_time]


def _program_parser(name: str, description: str, epilog: str | None = None) -> _Parser:
    """For a command that is about one program."""
    parser = _Parser(
        prog=f"syncsim {name}",
        usage=f"syncsim {name} [OPTION ...] NAME|FILE|-m MODULE [-- ARGUMENT ...]",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("program", nargs="?", metavar="NAME|FILE", help="a puzzle, or a program")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="what python -m MODULE runs")
    return parser


def _parse_program(parser: _Parser, words: list[str]) -> tuple[argparse.Namespace, Program]:
    """What is asked for, and the program, which is given the words after ``--``."""
    before, after = _split(words)
    asked = parser.parse_args(before)
    if (asked.program is None) == (asked.module is None):
        parser.error("one program is wanted: NAME|FILE or -m MODULE, and its arguments after --")
    from syncsim.program.source import Program, load

    found = _find(asked.program, asked.module, tuple(after))
    return asked, found if isinstance(found, Program) else load(found.program, tuple(after))


def _divide(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Our words, up to the program, and those after it, which are the program's."""
    for at, word in enumerate(words):
        if word == "-m" or not word.startswith("-"):
            end = at + 2 if word == "-m" else at + 1
            theirs = words[end:]
            return words[:end], tuple(theirs[1:] if theirs[:1] == ["--"] else theirs)
    return words, ()


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our words, and those after ``--``, which are the program's."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above zero")
    return seconds


def _list(words: list[str]) -> int:
    parser = _Parser(prog="syncsim list", description="The puzzles, by chapter.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args(words)
    from syncsim.puzzles.catalogue import catalogue

    chapter = None
    for puzzle in catalogue():
        if asked.json:
            import msgspec

            record = {
                "name": puzzle.slug,
                "title": puzzle.title,
                "chapter": puzzle.chapter.title,
                "kind": puzzle.goal.kind,
                "difficulty": puzzle.difficulty,
                "goal": puzzle.goal.text,
            }
            print(msgspec.json.encode(record).decode())
            continue
        if puzzle.chapter != chapter:
            chapter = puzzle.chapter
            print(f"{chapter.number}  {chapter.title}")
        print(f"   {puzzle.slug:<24} {puzzle.goal.kind:<6} {puzzle.title}")
    return 0
