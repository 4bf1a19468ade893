"""The inspector: everything that is known about one process or one primitive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from syncsim.core.atoms import Block, Cell, Channel, Semaphore
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.kinds import Role, part_name
from syncsim.core.live import Inspected
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.lineage import children_of, ending
from syncsim.core.words.status import status
from syncsim.core.words.waiting import waiting_for, what_it_does
from syncsim.core.work import Work
from syncsim.session.history import Past
from syncsim.ui.look import badge, clean, colour, cut, mark, shown
from syncsim.ui.widgets.verdict_band import coloured
from syncsim.ui.widgets.xray import XrayRow, value_of

#: How many steps of its history are shown.
STEPS = 12

#: How wide the column of headings is.
_HEADING = 10


class Inspector(VerticalScroll, can_focus=False):
    """A sheet beside the panels, or in the place of some where there is no room."""

    def __init__(self) -> None:
        super().__init__(id="inspector")
        self._text = Static(markup=False)
        self.border_title = "Inspector"

    def compose(self) -> Iterator[Static]:
        """One text."""
        yield self._text

    def show(self, content: Content) -> None:
        """Show that."""
        if content != self._text.content:
            self._text.update(content)


def about_process(
    state: State,
    actor: Actor,
    diagnosis: Diagnosis | None,
    inspected: Inspected | None,
    past: Iterable[Past],
    grain: Grain = Grain.CALL,
) -> Content:
    """A process: how it stands, where it is in the program, what it holds, waits for and did."""
    looks = mark(status(state, actor, diagnosis.stuck if diagnosis else ()))
    kind = f"thread {actor.thread}" if actor.thread else "process"
    if actor.library:
        kind = actor.thread
    lines = [
        Content.assemble(
            (f"{badge(actor)} {shown(clean(actor.name, 30))}", f"bold {colour(actor)}"),
            (f"  {kind}, pid {actor.pid}", "$quiet"),
            ("  daemon" if actor.daemon else "", "$quiet"),
        ),
        Content(""),
        _row("state", Content(f"{looks.sign} {looks.word}")),
    ]
    lines += _relations(state, actor)
    if actor.error:
        lines.append(_row("error", Content(shown(clean(actor.error, 400)))))
    wait = waiting_for(state, actor)
    if wait is not None:
        lines.append(_row("why", coloured(clean(wait.clause, 300), state)))
        lines.append(_row("since", Content(f"step {actor.since}")))
    elif actor.pending is not None:
        doing = clean(what_it_does(state, actor, grain), 200)
        lines.append(_row("next", Content(shown(doing))))
    elif actor.outside and actor.whereabouts is not None:
        lines.append(_row("why", Content(shown(clean(actor.whereabouts.words, 300)))))
    if actor.library:
        lines.append(
            _row("what for", Content("puts return before the item is in the pipe: it moves it"))
        )
        for queue, waiting in _buffered(state, actor):
            lines.append(_row("to send", Content(shown(clean(f"{waiting} → {queue}", 300)))))
    held = ", ".join(primitive.name for primitive in state.holdings(actor))
    lines.append(_row("holds", Content(shown(clean(held or "nothing", 300)))))
    if inspected is not None and inspected.actor == actor.id:
        lines += _stack(inspected)
    mine = [one for one in past if one.step.actor == actor.id]
    lines += _history(mine, state, of_process=True)
    return Content("\n").join(lines)


def _relations(state: State, actor: Actor) -> Iterator[Content]:
    """Tell who started a process and how, its children, its end, and who took notice."""
    if actor.parent is not None and not actor.thread:
        how = f"  by {actor.method}" if actor.method else ""
        yield _row("parent", _person(state.actors[actor.parent]) + Content.styled(how, "$quiet"))
    children = children_of(state, actor)
    if children:
        some = Content(", ").join([_person(child) for child in children[:12]])
        more = f" and {len(children) - 12} more" if len(children) > 12 else ""
        yield _row("children", some + more)
    if not actor.ended or actor.thread:
        return
    yield _row(
        "exit code", Content("unknown" if actor.exitcode is None else ending(actor.exitcode))
    )
    if actor.reaped_by is not None:
        yield _row("joined by", _person(state.actors[actor.reaped_by]))
    elif not actor.is_main and not actor.reaped:
        yield _row("joined by", Content.styled("nobody", "$quiet"))


def about_primitive(state: State, primitive: Primitive, past: Iterable[Past]) -> Content:
    """A primitive: its value, who has it, who is in line, who used it, the longest wait."""
    where = f"line {primitive.line}" if primitive.line else ""
    lines = [
        Content.assemble(
            (shown(clean(primitive.name, 40)), "bold $foreground"),
            (f"  {primitive.kind}", "$quiet"),
            (f"  made in {where}" if where else "", "$quiet"),
        ),
        Content(""),
    ]
    work = state.work(primitive)
    if work is not None:
        lines += _at_work(state, primitive, work)
    else:
        for heading, value in _values(state, primitive):
            lines.append(_row(heading, Content(shown(clean(value, 400)))))
        held = [
            a for role in primitive.parts for a in dict.fromkeys(state.holders(primitive, role))
        ]
        if any(isinstance(state.atoms.get(a), Semaphore) for a in primitive.parts.values()):
            lines.append(_row("held by", _people(state, [state.actors[a] for a in held])))
        lines.append(_row("in line", _people(state, state.waiting(primitive))))
    used = [one for one in past if one.step.primitive == primitive.name]
    # Who gives back what it took has used it once.
    whole = (step for step, _ in used if step.complete and not step.operation)
    count = Counter(step.actor for step in whole if step.verb != "release")
    if count:
        usage = Content("   ").join(
            [
                _person(state.actors[actor]) + Content(f" {times}×")
                for actor, times in count.most_common()
                if actor < len(state.actors)
            ]
        )
        lines.append(_row("used by", usage))
    slowest = sorted(used, key=lambda one: one.step.waited, reverse=True)
    longest = next((one for one in slowest if not one.step.waited or one.waited), None)
    if longest is not None and longest.waited:
        waits = "1 step" if longest.waited == 1 else f"{longest.waited} steps"
        who = clean(longest.step.process, 20)
        text = f"{who} waited {waits}, until step {longest.step.n}"
        lines.append(_row("longest", coloured(text, state)))
    lines += _history(used, state, of_process=False)
    return Content("\n").join(lines)


def _buffered(state: State, feeder: Actor) -> Iterator[tuple[str, str]]:
    """Return, for each queue, what the feeder's process has put and is not in the pipe yet."""
    for primitive in state.primitives.values():
        channel = state.atoms.get(primitive.parts.get(Role.ITEMS, ""))
        if isinstance(channel, Channel):
            own = [item.label for item in channel.buffered if item.sender == feeder.parent]
            if own:
                yield primitive.name, ", ".join(own)


def about_part(state: State, part: XrayRow, past: Iterable[Past]) -> Content:
    """A part of a primitive: what it is for, its value, who has it, who is in line, its steps."""
    primitive, role = part.primitive, part.role
    atom = state.atoms.get(primitive.parts[role])
    lines = [
        Content.assemble(
            (shown(clean(part_name(role), 20)), "bold $foreground"),
            (shown(f"  inside {clean(primitive.name, 40)}, a {primitive.kind}"), "$quiet"),
        ),
        Content(""),
        _row("what for", Content(shown(part.meaning))),
        _row("value", Content(shown(clean(value_of(primitive, role, atom), 400)))),
    ]
    if isinstance(atom, Semaphore):
        lines.append(_row("at most", Content(str(atom.maximum))))
        held = dict.fromkeys(state.holders(primitive, role))
        lines.append(_row("held by", _people(state, [state.actors[a] for a in held])))
    lines.append(_row("in line", _people(state, state.waiting(primitive, role))))
    used = [
        one
        for one in past
        if one.step.primitive == primitive.name and one.step.operation.partition(" ")[2] == role
    ]
    lines += _history(used, state, of_process=False)
    return Content("\n").join(lines)


def _at_work(state: State, primitive: Primitive, work: Work) -> Iterator[Content]:
    """Each worker of a Pool with its task; the tasks in line, and what became of the others."""
    for at, worker in enumerate(work.workers):
        task = work.task_of(worker)
        doing = f" runs {clean(task.label, 80)}" if task is not None else " is idle"
        who = _person(state.actors[worker]) + Content(shown(doing))
        yield _row("" if at else "workers", who)
    count = len(work.waiting) + work.more
    some = ", ".join(task.label for task in work.waiting[:8])
    more = f", and {count - 8} more" if count > 8 else ""
    yield _row("waiting", Content(shown(clean(some, 400)) + more or "nothing"))
    failed = f", {work.failed} failed" if work.failed else ""
    yield _row("done", Content(f"{work.done}{failed}"))
    for at, (worker, task) in enumerate(work.lost[:8]):
        lost = Content(shown(clean(task.label, 80))) + Content(", when ")
        who = _person(state.actors[worker]) + Content(" ended")
        yield _row("" if at else "lost", lost + who)
    if work.closed:
        yield _row("closed", Content(f"{work.closed}: it takes no more tasks"))
    results = [a for a in state.waiting(primitive) if a.id not in work.workers]
    yield _row("results", _people(state, results))


def _values(state: State, primitive: Primitive) -> Iterator[tuple[str, str]]:
    if primitive.is_managed:
        yield "kept by", "the server of a manager, in its process"
    if primitive.traits.is_unlocked_memory:
        yield "order", "no lock: exact step by step, only about right in free running"
    for role, name in primitive.parts.items():
        match state.atoms.get(name):
            case Semaphore(value=value, maximum=maximum) as atom:
                if atom.is_lock:
                    yield _role(role), "free" if value else "taken"
                elif atom.resource:
                    of = f" of {primitive.capacity}" if primitive.capacity else ""
                    yield _role(role), f"{value}{of} free"
                else:
                    yield _role(role), f"{value}" + (" of 1" if maximum == 1 else "")
            case Channel(items=items, buffered=buffered):
                yield "in it", ", ".join(item.label for item in items) or "nothing"
                if buffered:
                    yield "buffered", ", ".join(item.label for item in buffered)
            case Block(size=size, open_in=open_in, unlinked=unlinked):
                inside = ", ".join(state.actors[n].name for n in dict.fromkeys(open_in))
                yield "size", f"{size} bytes"
                yield "open in", inside or "nobody"
                yield (
                    "its name",
                    "unlinked: it cannot be opened any more" if unlinked else "is there",
                )
                yield "its bytes", "what is done with buf is not seen"
            case Cell(value=value, previous=previous):
                before = f" (before: {previous})" if previous else ""
                yield "value", f"{value or 'nothing'}{before}"


def _role(role: str) -> str:
    return cut(role, _HEADING - 1)


def _stack(inspected: Inspected) -> list[Content]:
    lines = [Content(""), Content.styled("call stack, innermost first", "$quiet")]
    for frame in reversed(inspected.frames):
        file = frame.file.rpartition("/")[2]
        lines.append(
            Content.assemble(
                ("  " + shown(clean(frame.function, 30)), "bold $foreground"),
                (f"  {shown(clean(file, 30))}, line {frame.line}", "$quiet"),
            )
        )
        for name, value in frame.variables:
            lines.append(
                Content.assemble(
                    ("    " + shown(clean(name, 20)), "$accent"),
                    (" = ", "$quiet"),
                    shown(clean(value, 160)),
                )
            )
    if inspected.note:
        lines.append(Content.styled("  " + shown(clean(inspected.note, 300)), "$quiet"))
    if inspected.kernel:
        lines.append(Content(""))
        lines.append(_row("kernel", Content(shown(clean(inspected.kernel, 300)))))
    if inspected.doubt:
        lines.append(_row("but", Content.styled(shown(clean(inspected.doubt, 300)), "$error")))
    return lines


def _history(past: list[Past], state: State, *, of_process: bool) -> list[Content]:
    if not past:
        return []
    lines = [Content(""), Content.styled("its steps, newest first", "$quiet")]
    for one in past[:STEPS]:
        step = one.step
        parts: list[Content | str | tuple[str, str]] = [(f"{step.n:>5} ", "$quiet")]
        if not of_process and step.actor < len(state.actors):
            parts.append(_person(state.actors[step.actor]) + Content(" "))
        waited = f"  after waiting {one.waited}" if one.waited else ""
        parts += [shown(clean(step.sentence, 160)), (waited, "$quiet")]
        lines.append(Content.assemble(*parts))
    if len(past) > STEPS:
        lines.append(Content.styled(f"      and {len(past) - STEPS} before", "$quiet"))
    return lines


def _people(state: State, actors: Iterable[Actor]) -> Content:
    people = [_person(actor) for actor in actors]
    between = Content.styled(shown(" › "), "$quiet")
    return between.join(people) if people else Content.styled("nobody", "$quiet")


def _person(actor: Actor) -> Content:
    return Content.styled(shown(clean(actor.name, 20)), colour(actor))


def _row(heading: str, value: Content) -> Content:
    return Content.styled(f"{heading:<{_HEADING}}", "$quiet") + value
