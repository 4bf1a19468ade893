"""The recorded schedules: how they are kept, replayed and compared.

Each line of ``corpus.jsonl`` is a program with its arguments, the step lines that occur in its
runs, and its entries: the words of a command, and the result.  Only the command line is used.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from syncsim.cli import main

PROJECT = Path(__file__).parents[2]
CORPUS = Path(__file__).with_name("corpus.jsonl")
#: Of a step; its number is its place.
FIELDS = (
    *("actor", "process", "call", "verb", "primitive", "kind", "result", "detail"),
    *("file", "line", "function", "complete", "waited", "operation", "move"),
)
#: What differs from run to run, from machine to machine, or is told in lines of its own.
VARYING = frozenset(("pid", "records", "seconds", "notes", "blind", "report", "steps", "type"))


@dataclass(frozen=True)
class Result:
    """All that is compared of a command: the exit code, the verdict's record, output and steps."""

    exit: int
    verdict: dict[str, Any]
    output: dict[str, str]
    steps: list[str]
    complaint: str = field(default="", compare=False)


@dataclass(frozen=True)
class Entry:
    """A command on a program, how it was come by, and its result when it was recorded."""

    program: str
    arguments: tuple[str, ...]
    origin: str
    command: tuple[str, ...]
    result: Result
    in_both_worlds: bool = False

    @property
    def name(self) -> str:
        """The name of its test."""
        path = Path(self.program)
        place = path.parent.name if path.stem == "program" else path.stem
        return "-".join((place, *self.arguments, self.origin)).replace(" ", "-")

    @property
    def schedule(self) -> str:
        """The schedule that the command replays."""
        return self.command[self.command.index("--schedule") + 1]

    def replay(self) -> Result:
        """Give the command again."""
        return run(self.command, self.program, self.arguments)


def run(command: Sequence[str], program: str, arguments: Sequence[str]) -> Result:
    """The result of a command on a program, whose path begins at the project."""
    name, *options = command
    words = [name, program, *options, "--json", *(("--", *arguments) if arguments else ())]
    out, complaint = io.StringIO(), io.StringIO()
    with chdir(PROJECT), redirect_stdout(out), redirect_stderr(complaint):
        code = main(words)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    verdict = records.pop() if records else {}
    steps = verdict["steps"] if name == "check" and verdict else []
    steps = steps or [record for record in records if record["type"] == "step"]
    output: dict[str, str] = {}
    for record in records:
        if record["type"] == "output" and record["stream"] == "stdout":
            process = record["process"] or ""
            output[process] = output.get(process, "") + record["text"]
    told = _steady(verdict)
    return Result(code, told, output, [step_line(step) for step in steps], complaint.getvalue())


def step_line(step: dict[str, Any]) -> str:
    """A step as text, without what differs from run to run; no place outside the project."""
    file = Path(step["file"])
    inside = file.is_relative_to(PROJECT)
    place = {"file": str(file.relative_to(PROJECT)), "line": step["line"]} if inside else {}
    shown = step | {"file": "", "line": 0} | place
    return _portable(" | ".join(str(shown[name]) for name in FIELDS))


def first_difference(recorded: list[str], steps: list[str]) -> str:
    """The first step that is another one, beside the recorded one; empty if there is none."""
    for n in range(max(len(recorded), len(steps))):
        before, now = ((one[n] if n < len(one) else "(none)") for one in (recorded, steps))
        if before != now:
            return f"step {n + 1}\n  recorded: {before}\n  now:      {now}"
    return ""


def load_corpus() -> list[Entry]:
    """All entries."""
    with CORPUS.open(encoding="utf-8") as lines:
        return [entry for line in lines for entry in _entries(json.loads(line))]


def save_corpus(entries: Iterable[Entry]) -> None:
    """Write all entries anew, those of one program beside each other."""
    together: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        together.setdefault((entry.program, entry.arguments), []).append(entry)
    with CORPUS.open("w", encoding="utf-8") as out:
        for kept in together.values():
            out.write(json.dumps(_record(kept), ensure_ascii=False) + "\n")


def _record(entries: list[Entry]) -> dict[str, Any]:
    lines: dict[str, int] = {}
    records = []
    for entry in entries:
        numbers = [lines.setdefault(line, len(lines)) for line in entry.result.steps]
        result = asdict(entry.result) | {"steps": " ".join(map(str, numbers))}
        del result["complaint"]
        records.append(
            {
                "origin": entry.origin,
                "command": entry.command,
                "in_both_worlds": entry.in_both_worlds,
                "result": result,
            }
        )
    first = entries[0]
    return {
        "program": first.program,
        "arguments": first.arguments,
        "lines": list(lines),
        "entries": records,
    }


def _entries(record: dict[str, Any]) -> Iterator[Entry]:
    for kept in record["entries"]:
        result = kept["result"]
        result["steps"] = [record["lines"][int(number)] for number in result["steps"].split()]
        yield Entry(
            record["program"],
            tuple(record["arguments"]),
            kept["origin"],
            tuple(kept["command"]),
            Result(**result),
            kept["in_both_worlds"],
        )


def _steady(value: Any) -> Any:
    """A record without what differs from run to run."""
    if isinstance(value, dict):
        return {key: _steady(one) for key, one in value.items() if key not in VARYING}
    if isinstance(value, list):
        return [_steady(one) for one in value]
    return _portable(value) if isinstance(value, str) else value


def _portable(text: str) -> str:
    return text.replace(str(PROJECT), "(project)")
