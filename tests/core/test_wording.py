"""What happened and who waits is told in words, whatever the program calls its things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import Scene, acquire, act, join

from syncsim.core.calls import CALLS
from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.operation import Operation, Verb
from syncsim.core.outcomes import Outcome
from syncsim.core.state import Primitive
from syncsim.core.steps import Step
from syncsim.core.words.listing import headline, listing, names
from syncsim.core.words.waiting import waiting_for, what_it_does

pytestmark = pytest.mark.once

DONE = sorted(CALLS)
BEGUN = sorted(call for call, words in CALLS.items() if words.begun)

#: Names and texts that break careless formatting and careless screens.
HOSTILE = ["{it}", "{", "}", "{0}", "{x.y}", "%s", "[/foo]", "\x1b[31m", "a\nb", "日本語"]
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8))


def step(
    call: str, result: str = "None", detail: str = "", primitive: str = "it", **fields: object
) -> Step:
    values: dict[str, object] = {
        "n": 1,
        "actor": 1,
        "process": "Ada",
        "pid": 4121,
        "call": call,
        "verb": call.rpartition(".")[2],
        "primitive": primitive,
        "kind": call.partition(".")[0],
        "result": result,
        "file": "program.py",
        "line": 7,
        "function": "work",
        "detail": detail,
        "complete": True,
        "waited": 0,
    }
    return Step(**(values | fields))


@pytest.mark.parametrize("call", DONE)
def test_every_call_has_a_sentence(call: str) -> None:
    told = step(call, result="'R7'", detail="D8", primitive="forks[2]").sentence
    template = CALLS[call].done
    assert told
    assert ("forks[2]" in told) == ("{it}" in template)
    assert ("R7" in told) == ("{result}" in template)
    assert call == "exit" or ("D8" in told) == ("{detail}" in template)
    assert "{" not in told


@pytest.mark.parametrize("call", BEGUN)
def test_every_call_that_stops_in_the_middle_has_a_sentence(call: str) -> None:
    told = step(call, result="waits", primitive="bell", complete=False).sentence
    assert "bell" in told
    assert "{" not in told


@given(st.sampled_from(DONE), hostile, hostile, hostile, st.booleans())
def test_hostile_text_passes_through_a_sentence_as_it_is(
    call: str, name: str, result: str, detail: str, complete: bool
) -> None:
    made = step(call, result, detail, name or "x", complete=complete)
    told, template = made.sentence, CALLS[call].done
    plain = (
        complete and result not in ("False", "Empty", "Full") and made.outcome is not Outcome.RAISED
    )
    if plain and call != "exit" and template.endswith("{it}"):
        assert told.endswith(name or "x")
    if plain and template.endswith("{result}"):
        assert told.endswith(result)


@pytest.mark.parametrize(
    ("call", "result", "told"),
    [
        ("Lock.acquire", "True", "takes gate"),
        ("Lock.acquire", "False", "does not get gate"),
        ("Semaphore.acquire", "False", "does not get gate"),
        ("Lock.release", "ValueError", "calls release on gate: ValueError"),
        ("RLock.release", "AssertionError", "calls release on gate: AssertionError"),
        ("Queue.put", "Full", "calls put on gate: Full"),
        ("Queue.get", "Empty", "does not get anything from gate: Empty"),
        ("Queue.get", "'rye'", "gets 'rye' from gate"),
        ("Queue.get", "False", "gets False from gate"),
        ("Queue.get", "ValueError", "calls get on gate: ValueError"),
        ("Queue.get", "OSError", "calls get on gate: OSError"),
        ("Queue.get", "class KeyError", "gets class KeyError from gate"),
        ("Event.wait", "True", "goes on: gate is set"),
        ("Event.wait", "False", "goes on although gate is not set"),
        ("Event.wait", "KeyboardInterrupt", "calls wait on gate: KeyboardInterrupt"),
        ("Event.wait", "Stop", "calls wait on gate: Stop"),
        ("Event.is_set", "False", "looks whether gate is set: False"),
        ("Condition.wait", "False", "waited on gate in vain: its time ran out"),
        ("Barrier.wait", "BrokenBarrierError", "calls wait on gate: BrokenBarrierError"),
        ("Value.get", "7", "reads 7 from gate"),
    ],
)
def test_what_came_of_a_call_is_told(call: str, result: str, told: str) -> None:
    assert step(call, result, primitive="gate").sentence == told


def test_an_end_tells_its_exit_code_when_it_is_not_zero() -> None:
    assert step("exit", detail="0", primitive="").sentence == "ends"
    assert step("exit", detail="3", primitive="").sentence == "ends with exit code 3"


def test_a_call_without_words_of_its_own_is_named() -> None:
    assert step("Barrier.abort", primitive="gate").sentence == "Barrier.abort on gate"
    assert step("fsync", primitive="").sentence == "fsync"


@pytest.mark.parametrize(
    ("items", "told"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_a_list_reads_as_english(items: list[str], told: str) -> None:
    assert listing(items) == told


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([], "done"),
        ([None], "done"),
        ([0], "done"),
        ([3], "done; main exits with code 3"),
        ([3, 0], "done; main exits with code 0 or 3"),
        ([-9], "done; main exits by SIGKILL"),
        ([1, -15], "done; main exits with code 1 or by SIGTERM"),
    ],
)
def test_the_exit_code_of_main_is_told_unless_it_is_zero(
    codes: list[int | None], told: str
) -> None:
    assert headline("done", codes) == told


def test_a_name_is_told_once() -> None:
    assert names(Scene("main", "Ada").state, [1, 1, 0]) == "Ada and main"


# -- who waits for what ------------------------------------------------------------------


def clause(scene: Scene, who: str) -> str:
    wait = waiting_for(scene.state, scene.actor(who))
    assert wait is not None
    return wait.clause


def test_who_may_go_waits_for_nothing() -> None:
    scene = Scene("main", "Ada")
    scene.waits("Ada", scene.lock("gate"))
    assert waiting_for(scene.state, scene.actor("Ada")) is None
    assert waiting_for(scene.state, scene.actor("main")) is None


def test_a_waiter_for_a_lock_knows_who_has_it() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Bob", gate)
    wait = waiting_for(scene.state, scene.actor("Bob"))
    assert wait is not None
    assert (wait.what, wait.on, wait.clause) == ("gate", (1,), "waits for gate, held by Ada")


def test_a_waiter_for_a_permit_knows_all_who_have_one() -> None:
    scene = Scene("main", "Ada", "Bob")
    boats = scene.semaphore("boats", 2)
    scene.takes("main", boats)
    scene.takes("Ada", boats)
    scene.waits("Bob", boats)
    assert clause(scene, "Bob") == "waits for a permit of boats, held by main and Ada"


def test_a_waiter_for_a_signal_waits_for_nobody_in_particular() -> None:
    scene = Scene("main", "Ada")
    sign = scene.semaphore("sign", 0)
    scene.waits("Ada", sign)
    assert clause(scene, "Ada") == "waits for a permit of sign: there is none"


def test_a_join_waits_for_the_end_of_a_process() -> None:
    scene = Scene("main", "Ada")
    scene.joins("main", "Ada")
    wait = waiting_for(scene.state, scene.actor("main"))
    assert wait is not None
    assert (wait.what, wait.on, wait.clause) == ("Ada", (1,), "waits for Ada to end")


@pytest.mark.parametrize(
    ("role", "verb", "call", "told"),
    [
        ("items", Verb.RECEIVE, "get", "waits for jobs: it is empty"),
        ("slots", Verb.ACQUIRE, "put", "waits for jobs: the queue is full"),
        ("get lock", Verb.ACQUIRE, "get", "waits for jobs: main is before it in line"),
    ],
)
def test_a_waiter_at_a_queue_knows_why(role: str, verb: Verb, call: str, told: str) -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs", 1)
    for part in ("slots", "get lock"):
        scene.does("main", act(jobs, Verb.ACQUIRE, part, "other", compound=True))
    scene.wants("Ada", act(jobs, verb, role, call, compound=True))
    assert clause(scene, "Ada") == told


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Condition", "waits on bell until it is notified"),
        ("Event", "waits for bell to be set"),
        ("Barrier", "waits at bell for the others"),
    ],
)
def test_a_sleeper_knows_what_would_wake_it(kind: str, told: str) -> None:
    scene = Scene("main", "Ada")
    scene.sleeps_on("Ada", scene.condition("bell", kind))
    assert clause(scene, "Ada") == told


def test_who_notifies_waits_for_the_sleeper_to_be_awake() -> None:
    scene = Scene("main", "Ada")
    bell = scene.condition("bell")
    scene.sleeps_on("Ada", bell)
    scene.wants("main", act(bell, Verb.ACQUIRE, "woken", "notify", compound=True))
    wait = waiting_for(scene.state, scene.actor("main"))
    assert wait is not None
    assert (wait.on, wait.clause) == ((1,), "waits until the sleeper on bell is awake")


def every_wait(scene: Scene, name: str) -> list[tuple[Primitive, str, Verb]]:
    """Each thing and part at which one may wait, held by main."""
    found = []
    for make in (scene.lock, scene.rlock, scene.value):
        found.append((make(name), "lock", Verb.ACQUIRE))
    found.append((scene.semaphore(name, 1), "permits", Verb.ACQUIRE))
    for kind in ("Condition", "Event", "Barrier"):
        bell = scene.condition(name, kind)
        found += [(bell, role, Verb.ACQUIRE) for role in ("lock", "wait", "woken")]
    for kind in ("Queue", "JoinableQueue", "SimpleQueue"):
        jobs = scene.queue(name, 1, kind)
        found += [(jobs, role, Verb.ACQUIRE) for role in ("slots", "get lock", "put lock")]
        found += [(jobs, "items", Verb.RECEIVE)]
    return found


@given(hostile.filter(bool), hostile.filter(bool), st.data())
def test_hostile_names_pass_through_a_wait_as_they_are(
    process: str, primitive: str, data: st.DataObject
) -> None:
    scene = Scene(process, "Ada")
    thing, role, verb = data.draw(st.sampled_from(every_wait(scene, primitive)))
    if verb is Verb.ACQUIRE and scene.recorder.atoms[thing.parts[role]].value:
        scene.recorder.effect(0, act(thing, Verb.ACQUIRE, role))
    scene.wants("Ada", act(thing, verb, role, "call", compound=True))
    ada = scene.recorder.actors[1]
    wait = waiting_for(scene.state, ada)
    assert wait is not None
    assert wait.what == primitive
    assert primitive in wait.clause
    assert all(scene.state.actors[on].name in wait.clause for on in wait.on)
    scene.wants(process, join(ada))
    assert diagnose(scene.state).explanation.count(primitive) >= 1


# -- what somebody is about to do ----------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (Operation(Verb.SLEEP, call="sleep", detail="0.1"), "sleep 0.1"),
        (Operation(Verb.JOIN, "1001", call="Process.join", detail="Ada"), "join Ada"),
        (Operation(Verb.EXIT, call="exit"), "exit"),
    ],
)
def test_an_operation_on_no_primitive_is_told(operation: Operation, told: str) -> None:
    scene = Scene("main", "Ada")
    scene.wants("main", operation)
    assert what_it_does(scene.state, scene.actor("main")) == told


def test_an_operation_on_a_primitive_is_told() -> None:
    scene = Scene("main")
    jobs = scene.queue("jobs")
    assert what_it_does(scene.state, scene.actor("main")) == ""
    scene.wants("main", acquire(scene.lock("gate")))
    assert what_it_does(scene.state, scene.actor("main")) == "acquire gate"
    scene.wants("main", act(jobs, Verb.PUT, "items", "put", detail="7"))
    assert what_it_does(scene.state, scene.actor("main")) == "put 7 → jobs"
