"""Record the corpus anew: ``python tests/schedules/record.py [FILE]``, of one program or of all.

A schedule is made by a scheduler, by harm done in the middle of such a run, by steps of both
grains, or by a check; then it is replayed, and that replay is the entry.  It is kept only if two
more replays, four at once beside a busy processor, come to the same result.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from corpus import PROJECT, Entry, Result, first_difference, load_corpus, run, save_corpus
from in_virtual_world import steps_in_virtual_world

#: So often a made-up schedule is mended where the run does not offer its next choice.
MENDINGS = 8
#: Seconds for a run, which takes less than one on a quiet machine.
TIMEOUT = "20"
TOKEN = re.compile(r"([a-zA-Z]|_x?[0-9]+_)(@[a-z])?([0-9]*)")
REFUSED = re.compile(r"its choice ([0-9]+) is")


@dataclass(frozen=True)
class Plan:
    """A program, and by which ways its schedules are made.

    The ways are ``round-robin``, ``random:SEED``, ``harm:SEED``, ``mixed:SEED``, each with a grain
    (``random:1/atom``), and ``check``, with options of the check (``check --grain call``).
    """

    program: str
    ways: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    method: str = "fork"
    longest: int = 150


PUZZLE = (
    *("round-robin/call", "random:1/call", "random:2/call", "round-robin/atom", "random:3/atom"),
    *("mixed:4/call", "harm:5/call", "harm:6/call", "harm:7/atom"),
)
WITHOUT_END = ("harm:5/call", "harm:6/call")
GRAPH = "check --search graph --grain call"
BOTH = ("random:1/call", "random:2/atom")
HARMED = (*BOTH, "harm:3/call", "harm:4/atom")


def plans() -> Iterator[Plan]:
    """The choice of programs."""
    for puzzle in sorted((PROJECT / "puzzles").iterdir()):
        # (The exchange prints at its end how long it took.)
        longest = 80 if puzzle.name == "exchange" else 150
        program = f"puzzles/{puzzle.name}/program.py"
        # (Who is stopped there keeps the run waiting, as a thread of the manager might still help.)
        ways = tuple(way for way in PUZZLE if longest == 150 or way not in WITHOUT_END)
        yield Plan(program, (*ways, GRAPH), longest=longest)
    for slug, method in (("ab-ba", "spawn"), ("producer-consumer", "forkserver")):
        yield Plan(f"puzzles/{slug}/program.py", ("random:8/call",), method=method)
    for slug in ("ab-ba", "if-instead-of-while", "lost-update"):
        yield Plan(f"puzzles/{slug}/program.py", ("check --search pct --seed 1 --first",))
    yield from real_programs()
    yield from checked_programs()


def real_programs() -> Iterator[Plan]:
    """Programs of the tests on real processes, most of which are given their start method."""
    folder = "tests/real/programs"
    for name in ("locks", "signals", "memory", "timeouts", "several", "raw"):
        yield Plan(f"{folder}/{name}.py", BOTH, ("fork",))
    # (At their ends some tell where an object is in memory.)
    yield Plan(f"{folder}/messages.py", BOTH, ("fork",), longest=80)
    yield Plan(f"{folder}/inside.py", (*HARMED, "harm:5/atom", "mixed:6/call"), ("fork",))
    yield Plan(f"{folder}/signals.py", ("harm:3/call", "mixed:4/call"), ("fork",))
    for name in ("pool", "managed", "manager", "executor", "processes", "exits", "deaths"):
        yield Plan(f"{folder}/{name}.py", BOTH, ("fork",), longest=120)
    for name, method in (
        ("locks", "spawn"),
        ("messages", "forkserver"),
        ("inside", "spawn"),
        ("signals", "forkserver"),
        ("manager", "spawn"),
        ("pool", "forkserver"),
    ):
        yield Plan(f"{folder}/{name}.py", ("random:7/call",), (method,), longest=80)
    for what in ("hold", "sleep", "leave", "ignore", "put", "stops", "terminates"):
        yield Plan(f"{folder}/victims.py", ("random:1/call", "harm:2/call"), ("fork", what))
    for story in ("lies", "ends", "flees", "clogs", "drops"):
        yield Plan(f"{folder}/feeder.py", ("random:2/atom",), (story, "fork"))
    for story in ("breaks", "drops"):
        yield Plan(f"{folder}/executors.py", ("random:1/call",), (story, "fork"))


def checked_programs() -> Iterator[Plan]:
    """Programs that are small enough for a check."""
    for name in ("barrier", "daemon", "gives_up", "pool_results", "kept", "server_gone"):
        yield Plan(f"tests/virtual/programs/{name}.py", BOTH)
    folder = "tests/explore/checked"
    for name in ("lost_wakeup", "killed_holder", "manager_locks", "two_fill_the_pipe"):
        yield Plan(f"{folder}/{name}.py", ("random:1/call", GRAPH))
    for name in ("always_baking", "turns", "two_ways_to_hang"):
        yield Plan(f"{folder}/{name}.py", ("random:1/call", "mixed:2/call"), longest=60)
    for name in ("pool_map", "pool_lost_update"):
        yield Plan(f"{folder}/{name}.py", ("random:1/call", GRAPH))
    yield Plan("tests/explore/claimed/shelf.py", ("random:1/call", "harm:2/call", "harm:3/atom"))
    yield Plan("tests/explore/claimed/boats.py", (GRAPH, "harm:1/call"))
    yield Plan("tests/explore/claimed/page.py", (GRAPH, "random:1/call"))
    yield Plan("tests/explore/programs/slot.py", (GRAPH, "random:1/atom"), ("1", "1", "2"))
    dpor = "check --search dpor --jobs 1"
    yield Plan("tests/explore/programs/philosophers.py", (dpor,), ("2", "1", "lefty"))
    yield Plan("tests/explore/programs/locked_counter.py", (dpor,), ("2",))


def entries_of(plan: Plan) -> list[Entry]:
    """Record all ways of a plan; tell those that cannot be recorded."""
    entries: list[Entry] = []
    for way in plan.ways:
        try:
            entries += _recorded(plan, way)
        except (RuntimeError, KeyError) as error:
            print(f"NOT RECORDED: {plan.program} {way}: {error}", flush=True)
    return entries


def _recorded(plan: Plan, way: str) -> Iterator[Entry]:
    if way.startswith("check"):
        command = (*way.split(), "--start-method", plan.method)
        checked = run(command, plan.program, plan.arguments)
        yield Entry(plan.program, plan.arguments, way.replace("--", ""), command, checked)
        schedules = [failure["schedule"] for failure in checked.verdict["failures"]]
    else:
        schedules = [_made(plan, way)]
    for n, schedule in enumerate(schedules):
        command = replaying(plan, schedule)
        origin = f"{way.replace('--', '').replace('/', ' ')} {plan.method}" + f" {n}" * bool(n)
        origin += " failure" * way.startswith("check")
        result = run(command, plan.program, plan.arguments)
        if "the time is up" in result.verdict.get("explanation", ""):
            print(f"TOO LONG: {plan.program}: {command}")
            continue
        if result.complaint:
            print(f"NOT REPLAYED: {plan.program}: {command}: {result.complaint}")
            continue
        yield Entry(plan.program, plan.arguments, origin, command, result)


def replaying(plan: Plan, schedule: str) -> tuple[str, ...]:
    """Return the command that replays a schedule."""
    options = ("--start-method", plan.method, "--timeout", TIMEOUT)
    return ("run", *options, "--schedule", schedule)


def _made(plan: Plan, way: str) -> str:
    """The schedule that a way makes."""
    kind, _, rest = way.partition(":")
    seed, _, grain = rest.partition("/")
    if kind == "harm":
        return _mended(plan, _harmed(_picked(plan, f"random:{seed}", grain), random.Random(seed)))
    if kind == "mixed":
        tokens = _picked(plan, f"random:{seed}", grain)
        source = random.Random(seed)
        cases = (str.upper, str.lower)
        return _mended(plan, [source.choice(cases)(token[0]) + token[1:] for token in tokens])
    scheduler, _, grain = way.partition("/")
    return "".join(_picked(plan, scheduler, grain))


def _picked(plan: Plan, scheduler: str, grain: str) -> list[str]:
    """The choices that a scheduler makes, a token each."""
    options = ("--scheduler", scheduler, "--grain", grain, "--max-steps", str(plan.longest))
    command = ("run", "--start-method", plan.method, "--timeout", TIMEOUT, *options)
    result = run(command, plan.program, plan.arguments)
    if not result.verdict:
        raise RuntimeError(f"{plan}: {result.complaint}")
    return _tokens(result.verdict["schedule"])


def _tokens(schedule: str) -> list[str]:
    return [
        actor + move
        for actor, move, count in TOKEN.findall(schedule)
        for _ in range(int(count or 1))
    ]


def _harmed(tokens: list[str], source: random.Random) -> list[str]:
    """The choices with a fault somewhere in the middle, of a process that is seen before it."""
    place = source.randrange(len(tokens) // 4, 3 * len(tokens) // 4) + 1
    before, after = tokens[:place], tokens[place:]
    children = sorted({token[0] for token in before} - set("aA")) or ["b"]
    victim = source.choice(children)
    match source.choice("kkeesss"):
        case "s":
            later = source.randrange(len(after) + 1)
            return [*before, f"{victim}@s", *after[:later], f"{victim}@c", *after[later:]]
        case fault:
            others = [token for token in after if token[0] != victim]
            return [*before, f"{victim}@{fault}", *others]


def _mended(plan: Plan, tokens: list[str]) -> str:
    """The choices without those that the run does not offer."""
    for _ in range(MENDINGS):
        result = run(replaying(plan, "".join(tokens)), plan.program, plan.arguments)
        refused = REFUSED.search(result.complaint)
        if refused is None:
            if not result.verdict:
                raise RuntimeError(f"{plan}, {''.join(tokens)}: {result.complaint}")
            made: str = result.verdict["schedule"]
            return made
        del tokens[int(refused[1]) - 1]
    return "".join(tokens[: int(refused[1]) - 1])


def busy_until(over: Callable[[], bool]) -> None:
    """Use a processor up."""
    while not over():
        sum(range(10_000))


def replayed(entry: Entry) -> Result:
    """Replay an entry; for a pool."""
    return entry.replay()


def same_in_virtual_world(entry: Entry) -> bool:
    """Say whether the virtual world can walk the entry's schedule, with the same steps."""
    try:
        steps = steps_in_virtual_world(entry)
    except BaseException as error:  # (a refusal is no Exception)
        print(f"not in the virtual world: {entry.name}: {type(error).__name__}: {error}")
        return False
    if steps is not None and steps != entry.result.steps:
        print(f"ANOTHER RUN IN THE VIRTUAL WORLD: {entry.name}: {entry.command}")
        print(first_difference(entry.result.steps, steps))
    return steps == entry.result.steps


def steady(entries: list[Entry]) -> list[Entry]:
    """The entries whose replays come to the same result, also on a machine that is busy."""
    over = multiprocessing.Event()
    busy = multiprocessing.Process(target=busy_until, args=(over.is_set,), daemon=True)
    busy.start()
    kept = set(range(len(entries)))
    with ProcessPoolExecutor(4) as pool:
        for n, result in enumerate(pool.map(replayed, entries * 2)):
            entry = entries[n % len(entries)]
            if result != entry.result:
                kept.discard(n % len(entries))
                print(f"NOT THE SAME: {entry.name}: {entry.command}")
                print(
                    first_difference(entry.result.steps, result.steps)
                    or f"{entry.result}\n{result}",
                    flush=True,
                )
    over.set()
    busy.join()
    return [entries[n] for n in sorted(kept)]


def with_worlds(entries: list[Entry]) -> list[Entry]:
    """Note in the entries which of them the virtual world walks, too."""
    with ProcessPoolExecutor(2) as pool:
        return [
            dataclasses.replace(entry, in_both_worlds=same)
            for entry, same in zip(entries, pool.map(same_in_virtual_world, entries), strict=True)
        ]


def record(files: list[str]) -> None:
    """Record the programs whose path holds one of these words, or all; keep the other entries."""
    chosen = [plan for plan in plans() if not files or any(word in plan.program for word in files)]
    with ProcessPoolExecutor(4) as pool:
        made: list[Entry] = []
        for plan, entries in zip(chosen, pool.map(entries_of, chosen), strict=True):
            print(f"{plan.program}: {len(entries)}", flush=True)
            made += entries
        print(f"{len(made)} recorded", flush=True)
        kept = with_worlds(steady(made))
    programs = {plan.program for plan in chosen}
    others = [entry for entry in load_corpus() if entry.program not in programs] if files else []
    save_corpus([*others, *kept])
    print(f"{len(others) + len(kept)} kept, {sum(e.in_both_worlds for e in kept)} in both worlds")


if __name__ == "__main__":
    record(sys.argv[1:])
