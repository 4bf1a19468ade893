"""The command line.  Each command imports what it needs when it needs it."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from syncsim import __version__
from syncsim.arguments import Parser, nearest, positive, seconds

if TYPE_CHECKING:
    from syncsim.explore.ahead import Process
    from syncsim.explore.properties.properties import Property
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
  verdict, explanation    what came of it: finished (proven), deadlock, livelock, \
starvation, assertion, crash or undecided; hint: what may help in that case; \
notes: what to know of this machine
  complete                whether everything was visited
  exitcode                main's; null while it lives, or where it is not always the same
  start_method            by which processes start where the program does not say so
  confirmed               whether real processes came to the verdict, too
  search, states, transitions, executions, depth, seconds
                          how it was searched, and how far
  failures                one of each kind, the shortest first: verdict, explanation, schedule, \
confirmed
  schedule, steps, cycle, processes
                          of the first of them, as on real processes
  findings, raced_for     what else was seen, and which processes raced for what
  properties              what became of each that was to be judged

exit codes: 0 proven, 1 a failure found, 2 bad input, 3 undecided
"""


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says; the answer is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # closed by whoever started us
        return 2
    try:
        return _obey(words)
    except _BadInputError as error:
        _complain(str(error))
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
        _complain(f"{error.strerror or error}: the output cannot be written.")
        return 2


_START_METHOD = "--start-method"


class _BadInputError(Exception):
    """The request cannot be followed: the message is one sentence for the person."""


def _complain(sentence: str) -> None:
    from syncsim.terminal import complain

    complain(sentence)


def _obey(words: list[str]) -> int:
    """Do the command; a first word that is none names what is to be opened."""
    parser = _parser()
    ours, first, theirs = _divide(words)
    if first in _COMMANDS and words[len(ours)] == first:
        before, after = _split(words)
        asked = parser.parse_args(before)
        return _COMMANDS[first].do(asked, words[len(ours) + 1 :], tuple(after))
    asked = parser.parse_args(ours)
    return _open(asked, first, theirs)


def _parser() -> Parser:
    parser = Parser(
        prog="syncsim",
        usage="syncsim [-h] [--version] [--start-method METHOD] "
        "[COMMAND|FILE|-m MODULE [ARGUMENT ...]]",
        description="See, step and check how the processes of a Python program synchronize.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"syncsim {__version__}")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="what python -m MODULE runs")
    _add_start_method(parser, None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in _COMMANDS.items():
        commands.add_parser(
            name,
            prog=f"syncsim {name}",
            usage=command.usage,
            help=command.summary,
            description=command.summary,
            epilog=command.epilog,
            fill=command.fill,
        )
    return parser


def _open(asked: argparse.Namespace, name: str | None, arguments: tuple[str, ...]) -> int:
    _need_posix()
    named = name or asked.module
    opened = _find(name, asked.module, arguments, tuple(_COMMANDS)) if named else None
    instead = "use: syncsim run NAME|FILE"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise _BadInputError(f"a terminal is needed to open the screen; without one, {instead}")
    term = os.environ.get("TERM")
    if term in ("dumb", "unknown"):
        raise _BadInputError(f"a terminal with TERM={term} cannot show the screen; {instead}")
    from syncsim.ui.app import run_app

    return run_app(opened, asked.start_method or "")


def _need_posix() -> None:
    try:
        import fcntl  # noqa: F401
    except ImportError:
        raise _BadInputError(
            "programs run on Linux and macOS only: on Windows, install syncsim inside WSL "
            "(wsl --install) and use it there."
        ) from None


def _find(
    name: str | None, module: str | None, arguments: tuple[str, ...], words: tuple[str, ...] = ()
) -> Program | Puzzle:
    """The puzzle of that name, or else the program in that file, or that module.

    ``words`` are what else may have been meant.
    """
    from syncsim.program.source import ProgramError, load, load_module
    from syncsim.puzzles.catalogue import PuzzleError, catalogue

    try:
        if module is not None:
            return load_module(module, arguments)
        assert name is not None
        is_file = "/" in name or name.endswith(".py")
        puzzles = {} if is_file else {puzzle.slug: puzzle for puzzle in catalogue()}
        if name in puzzles:
            return puzzles[name]
        if not os.path.lexists(name):
            _ask_what_was_meant(name, puzzles, () if is_file else words)
        return load(name, arguments)
    except (ProgramError, PuzzleError) as error:
        raise _BadInputError(str(error)) from error


def _ask_what_was_meant(name: str, puzzles: Collection[str], words: tuple[str, ...]) -> None:
    """Refuse a name that there is not, where something is called nearly so, or it is no file's."""
    folder, file = os.path.split(name)
    try:
        files = os.listdir(folder or ".")
    except OSError:
        files = []
    known = (*words, *puzzles)
    near = nearest(file, (*known, *sorted(files)))
    if near is not None:
        meant = near if near in known else os.path.join(folder, near)
        what = "puzzle or file" if puzzles else "file"
        raise _BadInputError(f'There is no {what} "{name}". Did you mean {meant}?')
    if puzzles:
        every = ", ".join(puzzles)
        raise _BadInputError(f'There is no puzzle or file "{name}": the puzzles are {every}.')


def _fill_run(parser: Parser) -> None:
    _add_program(parser)
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
    parser.add_argument("--max-steps", type=positive, metavar="N", help="stop after N steps")
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="stop after so long")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _run(asked: argparse.Namespace, words: list[str], arguments: tuple[str, ...]) -> int:
    program = _program(asked, arguments)
    from syncsim.session import headless

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


def _fill_check(parser: Parser) -> None:
    _need_posix()
    from syncsim.explore.bounds import SEARCHES, USUAL

    _add_program(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object (see below)")
    parser.add_argument(
        "--max-states",
        type=positive,
        default=USUAL.states,
        metavar="N",
        help="visit N at the most",
    )
    parser.add_argument(
        "--max-depth",
        type=positive,
        metavar="N",
        help=f"N steps in a row ({USUAL.depth:,}; not for dpor)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
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
        type=positive,
        metavar="N",
        help="so many processes visit executions (all cores); one visits states, or samples",
    )
    _add_claims(parser)


def _check(asked: argparse.Namespace, words: list[str], arguments: tuple[str, ...]) -> int:
    from syncsim.explore import ahead

    with ahead.started(wanted=not asked.real) as process:
        return _search(asked, arguments, process)


def _search(asked: argparse.Namespace, arguments: tuple[str, ...], process: Process | None) -> int:
    program = _program(asked, arguments)
    if asked.fairness and not asked.eventually:
        asked.parser.error("--fairness is for --eventually, and there is none")
    from syncsim.checking import command
    from syncsim.checking.options import request_for

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
        asked.parser.error(str(error))
    return command.run(program, request, process, as_json=asked.json)


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
        from syncsim.explore.properties.properties import Kind, PropertyError, parse

        try:
            return parse(Kind(kind), text)
        except PropertyError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def _claims(asked: argparse.Namespace) -> list[Property]:
    """Return the properties that are claimed."""
    from msgspec.structs import replace

    from syncsim.explore.properties.properties import Fairness

    fairness = Fairness(asked.fairness or "strong")
    in_time = [replace(one, fairness=fairness) for one in asked.eventually]
    return [*asked.always, *asked.never, *asked.sometimes, *in_time]


def _add_program(parser: Parser) -> None:
    """For a command that is about one program."""
    parser.set_defaults(parser=parser)
    parser.add_argument("program", nargs="?", metavar="NAME|FILE", help="a puzzle, or a program")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="what python -m MODULE runs")
    # (What stands before the command is not to be forgotten for a default of the command.)
    _add_start_method(parser, argparse.SUPPRESS)


def _add_start_method(parser: Parser, default: str | None) -> None:
    parser.add_argument(
        _START_METHOD,
        type=_start_method,
        default=default,
        metavar="METHOD",
        help="fork, spawn or forkserver, where the program names none (as this Python has it)",
    )


def _start_method(text: str) -> str:
    from syncsim.program.start_methods import checked

    try:
        return checked(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _program(asked: argparse.Namespace, arguments: tuple[str, ...]) -> Program:
    """The program that is asked for, which is given the words after ``--``."""
    if (asked.program is None) == (asked.module is None):
        asked.parser.error(
            "one program is wanted: NAME|FILE or -m MODULE, and its arguments after --"
        )
    _need_posix()
    from dataclasses import replace

    from syncsim.program.source import Program, load

    found = _find(asked.program, asked.module, arguments)
    program = found if isinstance(found, Program) else load(found.program, arguments)
    return replace(program, start_method=asked.start_method or "")


def _divide(words: list[str]) -> tuple[list[str], str | None, tuple[str, ...]]:
    """Our words, the first that names something, and those after it, which are the program's."""
    for at, word in enumerate(words):
        if at and words[at - 1] == _START_METHOD:
            continue  # what it is
        if word == "-m":
            return words[: at + 2], None, _without_dashes(words[at + 2 :])
        if word == "--" and len(words) > at + 1:  # what comes next is no command
            return words[:at], words[at + 1], _without_dashes(words[at + 2 :])
        if not word.startswith("-") or word == "-":
            return words[:at], word, _without_dashes(words[at + 1 :])
    return words if words != ["--"] else [], None, ()


def _without_dashes(theirs: list[str]) -> tuple[str, ...]:
    return tuple(theirs[1:] if theirs[:1] == ["--"] else theirs)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our words, and those after ``--``, which are the program's."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _fill_list(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _list(asked: argparse.Namespace, words: list[str], arguments: tuple[str, ...]) -> int:
    from syncsim.puzzles.catalogue import catalogue
    from syncsim.terminal import say, say_json

    chapter = None
    for puzzle in catalogue():
        if asked.json:
            record = {
                "name": puzzle.slug,
                "title": puzzle.title,
                "chapter": puzzle.chapter.title,
                "kind": puzzle.goal.kind,
                "difficulty": puzzle.difficulty,
                "goal": puzzle.goal.text,
            }
            say_json(record, sys.stdout)
            continue
        if puzzle.chapter != chapter:
            chapter = puzzle.chapter
            say(f"{chapter.number}  {chapter.title}", sys.stdout)
        say(f"   {puzzle.slug:<24} {puzzle.goal.kind:<6} {puzzle.title}", sys.stdout)
    return 0


class _Command(NamedTuple):
    """A command: what stands in its help, its options, and what it does, lazily."""

    summary: str
    usage: str | None
    epilog: str | None
    fill: Callable[[Parser], None]
    do: Callable[[argparse.Namespace, list[str], tuple[str, ...]], int]


_USAGE = "syncsim {} [OPTION ...] NAME|FILE|-m MODULE [-- ARGUMENT ...]"
_COMMANDS = {
    "run": _Command(
        "Run a puzzle or a program without a screen.", _USAGE.format("run"), None, _fill_run, _run
    ),
    "check": _Command(
        "Visit every interleaving of a puzzle or a program.",
        _USAGE.format("check"),
        _CHECK_EPILOG,
        _fill_check,
        _check,
    ),
    "list": _Command("The puzzles, by chapter.", None, None, _fill_list, _list),
}
