"""What the server of a manager keeps, blocks of shared memory, and waits for one of several."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from scene import Scene, acquire, act

from syncsim.core.atoms import Block, Cell, Semaphore, Sleepers
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.kinds import MANAGED
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Primitive
from syncsim.core.words.managed import intention, template
from syncsim.core.words.status import Activity, Status, activity, status
from syncsim.core.words.waiting import waiting_for, what_it_does

WAKE = Operation(Verb.WAKE, "wait")


def served() -> Scene:
    scene = Scene("main", "server", "Ada", "Bob")
    scene.recorder.change(1, is_server=True)
    return scene


def lock(scene: Scene, name: str) -> Primitive:
    return scene.make("Manager Lock", name, {"lock": Semaphore(1, 1)})


def test_only_who_was_woken_may_wake() -> None:
    sleepers = Sleepers().wake(2)
    assert sleepers.enabled(WAKE, 2)
    assert not sleepers.enabled(WAKE, 3)
    assert sleepers.apply(WAKE, 2) == (Sleepers(), "True")
    assert sleepers.apply(WAKE, 3)[0] == sleepers


def test_a_block_is_open_in_whoever_opened_it_and_not_in_the_dead() -> None:
    scene = Scene("main", "Ada", "Bob")
    block = scene.make("SharedMemory", "block", {"block": Block(8, (0,))})
    for who, verb in (("Ada", Verb.OPEN), ("Bob", Verb.OPEN), ("main", Verb.CLOSE)):
        scene.does(who, act(block, verb, "block"), "None")
    assert scene.state.atoms["block/block"] == Block(8, (1, 2))
    scene.does("Bob", act(block, Verb.CLOSE, "block"), "BufferError")
    scene.ends("Ada")
    assert scene.state.atoms["block/block"] == Block(8, (2,))
    scene.recorder.inherit(2, 0)
    scene.does("Bob", act(block, Verb.UNLINK, "block"), "None")
    assert scene.state.atoms["block/block"] == Block(8, (2, 0), unlinked=True)


@pytest.mark.parametrize("unlinked", [True, False])
def test_a_block_that_outlives_everybody_is_a_finding(unlinked: bool) -> None:
    scene = Scene("main")
    scene.make("SharedMemory", "block", {"block": Block(8, (0,), unlinked)})
    scene.ends("main")
    kinds = {finding.kind for finding in scene.diagnosis.findings}
    assert ("leaked block" in kinds) is not unlinked


def test_a_server_serves_and_helps_nobody_of_itself() -> None:
    scene = served()
    state, server = scene.state, scene.actor("server")
    assert (status(state, server), activity(state, server)) == (Status.SERVES, Activity.WAITING)
    left, right = lock(scene, "left"), lock(scene, "right")
    scene.takes("Ada", left)
    scene.takes("Bob", right)
    scene.waits("Ada", right)
    scene.waits("Bob", left)
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert [link.process for link in diagnosis.cycle] == ["Ada", "Bob"]
    assert "partial deadlock" not in {finding.kind for finding in diagnosis.findings}


def test_a_run_of_which_only_the_server_is_left_is_not_finished_and_not_stuck() -> None:
    scene = served()
    for who in ("Ada", "Bob", "main"):
        scene.ends(who)
    assert scene.diagnosis.verdict is None
    assert {finding.kind for finding in scene.diagnosis.findings} == {"leaked process"}


def test_who_waits_for_a_served_lock_waits_for_its_holder() -> None:
    scene = served()
    gate = lock(scene, "gate")
    scene.takes("Ada", gate)
    scene.waits("Bob", gate)
    wait = waiting_for(scene.state, scene.actor("Bob"))
    assert wait is not None
    assert (wait.clause, wait.on) == ("waits for gate, held by Ada", (2,))


def test_what_the_server_tells_is_shown_with_who_called_last() -> None:
    scene = served()
    marks = scene.make("Manager dict", "marks", {"value": Cell("{}")})
    scene.wants("Ada", act(marks, Verb.CALL, "value", "__setitem__", detail="1 to 2"))
    scene.recorder.show("marks/value", "{1: 2}")
    assert scene.state.atoms["marks/value"] == Cell("{1: 2}", "{}", 2)
    scene.wants("Bob", act(marks, Verb.CALL, "value", "clear"))
    scene.recorder.show("marks/value", "{}")
    changed = scene.state.atoms["marks/value"]
    assert changed == Cell("{}", "{1: 2}", None), "two are calling: nobody knows whose it is"


def test_a_notification_while_nobody_sleeps_is_unheard() -> None:
    scene = served()
    atoms = {"lock": Semaphore(1, 1, recursive=True), "wait": Sleepers()}
    ready = scene.make("Manager Condition", "ready", atoms)
    scene.does("Ada", act(ready, Verb.CALL, "wait", "notify"), "None")
    assert dict(scene.state.lost_notifications) == {ready.id: 1}
    scene.wants("Bob", act(ready, Verb.WAKE, "wait", "wait", compound=True))
    scene.wants("Ada", act(ready, Verb.CALL, "wait", "notify"))
    scene.recorder.wake("ready/wait", 3, by=2)
    scene.recorder.effect(2, scene.recorder.actors[2].pending, "None")
    assert dict(scene.state.lost_notifications) == {ready.id: 1}
    assert scene.state.enabled(scene.actor("Bob"))


def test_a_thing_with_the_id_of_one_that_is_gone_takes_its_place() -> None:
    scene = Scene("main")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.recorder.create(replace(gate, name="door"), {"gate/lock": Semaphore(1, 1)})
    assert [p.name for p in scene.state.primitives.values()] == ["door"]
    assert scene.state.semaphore(gate).value == 1


def test_one_of_several_is_enough() -> None:
    scene = Scene("main", "Ada")
    left = scene.queue("left", kind="Pipe")
    several = Operation(
        Verb.WAIT_ANY,
        f"\n{left.parts['items']}\n{scene.actor('Ada').pid}",
        call="connection.wait",
        detail="left, the end of Ada",
    )
    scene.wants("main", several)
    wait = waiting_for(scene.state, scene.actor("main"))
    assert wait is not None
    assert wait.clause == "waits for any of left, the end of Ada"
    assert not scene.recorder.can_go(scene.actor("main"))
    put = act(left, Verb.SEND, "items", detail="1")
    scene.does("Ada", put)
    assert scene.state.enabled(scene.actor("main"))
    scene.does("Ada", act(left, Verb.RECEIVE, "items"))
    assert not scene.state.enabled(scene.actor("main"))
    scene.ends("Ada")
    assert scene.state.enabled(scene.actor("main"))
    assert scene.recorder.can_go(scene.actor("main"))


@pytest.mark.parametrize(
    ("kind", "method", "detail", "result", "sentence"),
    [
        ("dict", "__setitem__", "'a' to 1", "None", "sets it['a'] to 1"),
        ("dict", "__getitem__", "'a'", "1", "reads 1 from it['a']"),
        ("dict", "__getitem__", "'b'", "KeyError", "calls __getitem__ on it: KeyError"),
        ("dict", "__next__", "", "StopIteration", "comes to the end of it"),
        ("list", "append", "3", "None", "appends 3 to it"),
        ("Namespace", "__setattr__", "x to {}", "None", "sets it.x to {}"),
        ("Event", "set", "", "None", "sets it"),
        ("Lock", "acquire", "", "False", "does not get it"),
        ("Counter", "add", "k=2", "5", "calls it.add(k=2): 5"),
    ],
)
def test_calls_on_what_is_served_have_words(
    kind: str, method: str, detail: str, result: str, sentence: str
) -> None:
    scene = Scene("main")
    it = scene.make(f"{MANAGED}{kind}", "it", {"value": Cell()})
    scene.does("main", act(it, Verb.CALL, "value", method, detail=detail), result)
    assert scene.steps[-1].sentence == sentence


@pytest.mark.parametrize("sort", ["dict", "list", "Array", "Namespace", "Barrier", "no such"])
@pytest.mark.parametrize("method", ["__getitem__", "append", "__getattribute__", "odd {x}"])
def test_words_for_a_call_never_fail(sort: str, method: str) -> None:
    text = template(sort, method).format(
        it="{it}", verb=method, detail="{d}", result="%s", first="{", second="}"
    )
    assert "{it}" in text
    assert "{it}" in intention(method, "{it}", "{detail} to {x}")


def test_what_somebody_is_about_to_do_with_a_thing_is_told() -> None:
    scene = served()
    marks = scene.make("Manager dict", "marks", {"value": Cell()})
    scene.wants("Ada", act(marks, Verb.CALL, "value", "__setitem__", detail="'a' to 1"))
    assert what_it_does(scene.state, scene.actor("Ada")) == "set marks['a'] to 1"
    scene.wants("Bob", acquire(lock(scene, "gate")))
    assert what_it_does(scene.state, scene.actor("Bob")) == "acquire gate"
