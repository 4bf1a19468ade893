"""Who waits for ever, what that is called, and how it is told."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import Scene, acquire, act, join, philosophers

from syncsim.core.deadlock.graph import halted, stuck_actors, wait_for_graph
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Move
from syncsim.core.state import Primitive, State
from syncsim.core.words.stuck import explain_stuck
from syncsim.core.words.waiting import waiting_for

SLEEP = Operation(Verb.SLEEP, call="sleep", detail="1")


def kinds(diagnosis: Diagnosis) -> set[str]:
    return {finding.kind for finding in diagnosis.findings}


def finding(diagnosis: Diagnosis, kind: str) -> str:
    """The sentence of the one finding of that kind."""
    (explanation,) = (f.explanation for f in diagnosis.findings if f.kind == kind)
    return explanation


# -- cycles ------------------------------------------------------------------------------


def test_two_philosophers_are_told_in_the_words_of_a_teacher() -> None:
    diagnosis = philosophers("Plato", "Socrates").diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.explanation == (
        "Plato holds forks[0] and waits for forks[1]; "
        "Socrates holds forks[1] and waits for forks[0]. Neither can go on."
    )
    assert finding(diagnosis, "cycle") == "each waits for the next: Plato → Socrates → Plato"


@given(st.integers(2, 9))
def test_a_ring_of_philosophers_is_a_deadlock_with_all_its_links(n: int) -> None:
    names = [f"Sage-{seat}" for seat in range(n)]
    diagnosis = philosophers(*names).diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert [(link.process, link.waits_for, link.held_by) for link in diagnosis.cycle] == [
        (names[seat], f"forks[{(seat + 1) % n}]", names[(seat + 1) % n]) for seat in range(n)
    ]
    assert [(link.actor, link.holder) for link in diagnosis.cycle] == [
        (seat + 1, (seat + 1) % n + 1) for seat in range(n)
    ]
    assert diagnosis.stuck == tuple(range(n + 1))  # main, too: it joins one of them
    assert kinds(diagnosis) == {"cycle"}


def test_who_takes_a_lock_twice_waits_for_itself() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", gate)
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.explanation == "Ada holds gate and waits for gate. It waits for itself."


def test_processes_that_join_each_other_are_a_cycle() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.waits("Ada", gate)
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert len(diagnosis.cycle) == 2
    assert "main holds gate and waits for Ada" in diagnosis.explanation
    assert "Ada waits for gate" in diagnosis.explanation
    assert diagnosis.explanation.endswith("Neither can go on.")


def test_the_shortest_cycle_is_shown_and_the_others_are_told() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    one, two = scene.lock("one"), scene.lock("two")
    scene.takes("Ada", one)
    scene.takes("Bob", two)
    scene.waits("Ada", two)
    scene.waits("Bob", one)
    scene.waits("Cleo", one)
    scene.joins("main", "Cleo")
    diagnosis = scene.diagnosis
    assert {link.process for link in diagnosis.cycle} == {"Ada", "Bob"}
    assert diagnosis.stuck == (0, 1, 2, 3)
    assert diagnosis.explanation.endswith("Neither can go on. Cleo waits for one, held by Ada.")


# -- partial, dead, lost -------------------------------------------------------------------


def test_a_deadlock_beside_which_somebody_has_ended_is_partial() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    one, two = scene.lock("one"), scene.lock("two")
    scene.takes("Ada", one)
    scene.takes("Bob", two)
    scene.waits("Ada", two)
    scene.waits("Bob", one)
    scene.ends("Cleo")
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert finding(diagnosis, "partial deadlock") == (
        "main, Ada and Bob wait for ever; Cleo has ended"
    )


def test_a_deadlock_beside_which_a_sister_goes_on_is_a_deadlock_and_partial() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    one, two = scene.lock("one"), scene.lock("two")
    scene.takes("Ada", one)
    scene.takes("Bob", two)
    scene.waits("Ada", two)
    scene.waits("Bob", one)
    scene.wants("Cleo", SLEEP)
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.stuck == (0, 1, 2)
    assert "partial deadlock" in kinds(diagnosis)


def test_one_who_waits_for_ever_alone_is_told_in_the_singular() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    scene.ends("Ada")
    scene.wants("main", act(jobs, Verb.RECEIVE, "items", "get", compound=True))
    assert finding(scene.diagnosis, "partial deadlock") == "main waits for ever; Ada has ended"


def test_nobody_who_has_ended_is_said_to_go_on() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", gate)
    scene.ends("Bob")
    scene.wants("Cleo", SLEEP)
    scene.joins("main", "Ada")
    told = finding(scene.diagnosis, "partial deadlock")
    assert "Bob and Cleo have not" not in told
    assert "Bob and Cleo have ended" not in told


def test_a_dead_process_never_gives_its_lock_back() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.ends("Ada", -9)
    scene.waits("Bob", gate)
    scene.joins("main", "Bob")
    scene.recorder.change(1, terminated=True)
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.explanation == (
        "Bob waits for gate, held by Ada (who has ended), and nobody is left who could help. "
        "main waits for Bob to end."
    )
    assert finding(diagnosis, "dead holder") == (
        "Ada ended while it held gate; Bob cannot have it any more"
    )
    assert "leaked lock" not in kinds(diagnosis)


def test_a_lock_that_a_dead_process_kept_and_nobody_wants_is_leaked() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.ends("Ada")
    scene.ends("main")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.FINISHED
    assert finding(diagnosis, "leaked lock") == "Ada ended and never gave gate back"


def test_a_notification_before_the_wait_is_a_lost_wakeup() -> None:
    scene = Scene("main", "Ada", "Bob")
    bell = scene.condition("bell")
    scene.notifies("Ada", bell, wakes=False)
    scene.ends("Ada")
    scene.sleeps_on("Bob", bell)
    scene.joins("main", "Bob")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert finding(diagnosis, "lost wakeup") == (
        "bell was notified at step 1, before Bob waited: nobody heard it"
    )
    assert "Bob waits on bell until it is notified" in diagnosis.explanation


def test_a_notification_that_somebody_heard_is_not_lost() -> None:
    scene = Scene("main", "Ada", "Bob")
    bell = scene.condition("bell")
    scene.notifies("Ada", bell, wakes=True)
    scene.ends("Ada")
    scene.does("Bob", act(bell, Verb.ACQUIRE, "wait", "wait", compound=True))
    scene.sleeps_on("Bob", bell)
    scene.joins("main", "Bob")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert "lost wakeup" not in kinds(diagnosis)


def test_a_notification_after_which_nobody_waits_is_no_finding() -> None:
    scene = Scene("main", "Ada")
    bell = scene.condition("bell")
    scene.notifies("Ada", bell, wakes=False)
    assert kinds(scene.diagnosis) == set()


def test_items_of_a_dead_process_that_never_reached_the_pipe_are_lost() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    for item in ("7", "8"):
        scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail=item))
    scene.ends("Ada")
    assert finding(scene.diagnosis, "unflushed queue") == "Ada ended before 7 and 8 reached jobs"


def test_who_receives_half_an_item_waits_for_ever_also_if_others_could_send() -> None:
    scene = Scene("main", "Ada", "Bob")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.SEND, "items", "put", detail="7"))
    scene.wants("main", act(jobs, Verb.RECEIVE, "items", "get"))
    assert scene.diagnosis.stuck == ()
    scene.ends("Ada")
    assert scene.diagnosis.stuck == (0,)
    assert "Ada ended while sending it" in scene.diagnosis.explanation
    assert finding(scene.diagnosis, "unflushed queue") == (
        "Ada ended in the middle of sending 7 through jobs"
    )


def test_what_a_feeder_gave_up_is_told() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    for item in ("7", "8"):
        scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail=item))
    scene.recorder.move(1, act(jobs, Verb.DROP, "items"))
    assert finding(scene.diagnosis, "unflushed queue") == (
        "Ada put 7 and 8 into jobs, and its feeder thread could not send it"
    )


def left_in_the_queue(items: int, got: int) -> Scene:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    for item in range(items):
        scene.does("Ada", act(jobs, Verb.SEND, "items", "put", detail=f"i{item}"))
        scene.recorder.move(1, act(jobs, Verb.SENT, "items"))
    for _ in range(got):
        scene.does("main", act(jobs, Verb.RECEIVE, "items", "get"))
    scene.ends("Ada")
    assert "items left" not in kinds(scene.diagnosis)  # main may get them yet
    scene.ends("main")
    return scene


@pytest.mark.parametrize(
    ("items", "got", "told"),
    [
        (1, 0, "nobody has got i0 out of jobs"),
        (3, 1, "nobody has got i1 and i2 out of jobs"),
        (4, 0, "nobody has got i0, i1, i2 and i3 out of jobs"),
        (9, 0, "nobody has got i0, i1, i2 and 6 more items out of jobs"),
    ],
)
def test_what_nobody_has_got_at_the_end_is_told(items: int, got: int, told: str) -> None:
    scene = left_in_the_queue(items, got)
    assert scene.diagnosis.verdict is Verdict.FINISHED
    assert finding(scene.diagnosis, "items left") == told


def test_where_all_was_got_or_somebody_failed_nothing_is_left() -> None:
    assert "items left" not in kinds(left_in_the_queue(2, 2).diagnosis)
    scene = left_in_the_queue(2, 0)
    scene.recorder.change(1, error="ValueError: no")
    assert scene.actor("Ada").failed
    assert "items left" not in kinds(scene.diagnosis)


def test_a_new_interpreter_that_starts_processes_on_import_lacks_a_guard() -> None:
    scene = Scene("main", "Ada")
    said = "RuntimeError: … before the current process has finished its bootstrapping phase."
    scene.recorder.change(1, error=said)
    assert "__name__ == '__main__'" in finding(scene.diagnosis, "missing guard")


def test_items_that_reached_the_pipe_are_not_lost() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail="7"))
    scene.recorder.move(1, act(jobs, Verb.SEND, "items"))
    scene.recorder.move(1, act(jobs, Verb.SENT, "items"))
    scene.ends("Ada")
    assert kinds(scene.diagnosis) == set()


def test_a_finished_child_that_nobody_can_join_any_more_is_left_a_zombie() -> None:
    scene = Scene("main", "Ada")
    scene.ends("Ada", reaped=False)
    assert kinds(scene.diagnosis) == set()  # its parent may still join it
    scene.ends("main")
    assert finding(scene.diagnosis, "zombie") == "nobody has joined Ada after it ended"
    scene.recorder.change(1, reaped=True)
    assert kinds(scene.diagnosis) == set()


def test_a_child_that_outlives_the_main_process_is_leaked() -> None:
    scene = Scene("main", "Ada")
    scene.wants("Ada", SLEEP)
    scene.ends("main")
    assert finding(scene.diagnosis, "leaked process") == "Ada lives on after the main process"


def test_join_before_get_is_told_as_what_it_is() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail="'xxx…'"))
    scene.recorder.move(0 + 1, act(jobs, Verb.SEND, "items"))
    scene.wants("Ada", act(jobs, Verb.FLUSH, "items", "flush"))
    scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.explanation == (
        "Ada waits to flush jobs: its items do not fit into the pipe, and nobody is left who "
        "could help. main waits for Ada to end."
    )


# -- no verdict yet ------------------------------------------------------------------------


def test_a_waiter_with_a_timeout_is_not_stuck() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", gate)
    scene.waits("Bob", gate, timeout=2.0)
    scene.joins("main", "Bob")
    diagnosis = scene.diagnosis
    assert diagnosis.stuck == (1,)
    assert diagnosis.verdict is None


def test_a_try_is_not_stuck() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.wants("Ada", act(gate, Verb.ACQUIRE, "lock", blocking=False))
    scene.joins("main", "Ada")
    assert scene.diagnosis.stuck == ()


@pytest.mark.parametrize("above", ["main", "Ada"])
def test_while_somebody_above_goes_on_it_might_still_end_the_deadlock(above: str) -> None:
    scene = Scene("main", "Ada")
    for name in ("Bob", "Cleo"):
        scene.born(name, parent=1)
    one, two = scene.lock("one"), scene.lock("two")
    scene.takes("Bob", one)
    scene.takes("Cleo", two)
    scene.waits("Bob", two)
    scene.waits("Cleo", one)
    scene.wants(above, SLEEP)
    if above == "main":
        scene.joins("Ada", "Bob")
    else:
        scene.joins("main", "Ada")
    diagnosis = scene.diagnosis
    assert {2, 3} <= set(diagnosis.stuck)
    assert diagnosis.verdict is None
    for name, other in (("Ada", "Bob"), ("main", "Ada")):
        scene.joins(name, other)
    assert scene.diagnosis.verdict is Verdict.DEADLOCK


def test_somebody_who_computes_may_still_bring_what_is_waited_for() -> None:
    scene = Scene("main", "Ada")
    jobs = scene.queue("jobs")
    scene.wants("main", act(jobs, Verb.RECEIVE, "items", "get", compound=True))
    assert scene.diagnosis.stuck == ()
    scene.ends("Ada")
    assert scene.diagnosis.verdict is Verdict.DEADLOCK


def test_a_permit_may_come_from_anybody_who_can_still_go_on() -> None:
    scene = Scene("main", "Ada", "Bob")
    boats = scene.semaphore("boats", 2)
    for _ in range(2):
        scene.takes("Ada", boats)
    scene.waits("Ada", boats)
    scene.joins("main", "Ada")
    assert scene.diagnosis.stuck == ()
    scene.ends("Bob")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert "Ada holds boats and waits for boats" in diagnosis.explanation


def test_nothing_is_wrong_with_a_run_that_goes_on() -> None:
    scene = Scene("main", "Ada")
    scene.wants("Ada", SLEEP)
    scene.joins("main", "Ada")
    assert scene.diagnosis == Diagnosis(None)


# -- the end -------------------------------------------------------------------------------


def test_a_run_without_processes_is_nothing() -> None:
    assert diagnose(State()) == Diagnosis(None)


def test_a_program_that_starts_no_process_finishes_and_is_told_so() -> None:
    scene = Scene("main")
    scene.ends("main")
    assert scene.diagnosis.verdict is Verdict.FINISHED
    assert scene.diagnosis.explanation == "It started no process."


def test_what_forks_by_itself_is_not_said_to_have_started_nothing() -> None:
    scene = Scene("main")
    scene.recorder.change(0, called=("os.fork", "subprocess.Popen"))
    scene.ends("main")
    assert scene.diagnosis.explanation == (
        "It started no process by multiprocessing, and called os.fork and subprocess.Popen."
    )


def test_when_all_have_ended_it_is_finished() -> None:
    scene = Scene("main", "Ada", "Bob")
    scene.ends("Ada", 3)
    scene.ends("Bob")
    scene.wants("main", SLEEP)
    assert scene.diagnosis.verdict is None
    scene.ends("main")
    assert scene.diagnosis.verdict is Verdict.FINISHED
    assert scene.diagnosis.explanation == (
        "All 2 children and the main process have ended. Ada ended with exit code 3."
    )


def test_the_only_child_is_told_as_one() -> None:
    scene = Scene("main", "Ada")
    scene.ends("Ada")
    scene.ends("main")
    assert scene.diagnosis.explanation == "The only child and the main process have ended."


def test_an_uncaught_exception_is_a_crash_with_its_place() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(1, error="ValueError: no such door", error_site="program.py, line 7")
    scene.ends("Ada", 1)
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.CRASH
    assert diagnosis.explanation == (
        "Ada ends with an exception that nobody catches: "
        "ValueError: no such door (program.py, line 7)."
    )


def test_an_assert_of_the_program_is_an_assertion() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(
        1, error="AssertionError: 3 of 4", error_site="program.py, line 7", is_assertion=True
    )
    scene.ends("Ada", 1)
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.ASSERTION
    assert diagnosis.explanation == (
        "An assertion of Ada does not hold: AssertionError: 3 of 4 (program.py, line 7)."
    )


def test_death_by_a_signal_from_outside_is_a_crash() -> None:
    scene = Scene("main", "Ada")
    scene.ends("Ada", -11)
    assert scene.diagnosis.verdict is Verdict.CRASH
    assert scene.diagnosis.explanation == "Ada is killed by signal 11 (SIGSEGV)."


def test_who_is_terminated_by_the_program_has_not_crashed() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(1, terminated=True)
    scene.ends("Ada", -15)
    scene.ends("main")
    assert scene.diagnosis.verdict is Verdict.FINISHED


def test_an_exit_code_that_is_not_zero_is_no_crash() -> None:
    scene = Scene("main", "Ada")
    scene.ends("Ada", 3)
    scene.ends("main", 1)
    assert scene.diagnosis.verdict is Verdict.FINISHED


def test_a_failure_comes_before_those_who_wait_for_ever_because_of_it() -> None:
    scene = philosophers("Plato", "Socrates")
    scene.born("Kant")
    scene.recorder.change(3, error="ValueError: 7")
    scene.ends("Kant", 1)
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.CRASH
    assert diagnosis.stuck == (0, 1, 2)
    assert {"cycle", "partial deadlock"} <= kinds(diagnosis)


# -- the greatest set of those whom only others in the set could help -------------------------

#: What an actor may be at: gone, under way, a lock, another one's end, an item, a lock with
#: a timeout.
ATS = ("gone", "runs", "lock", "join", "item", "lock or time")
graphs = st.lists(
    st.tuples(st.sampled_from(ATS), st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=6
)
Graph = list[tuple[str, int, int]]


def build(graph: Graph) -> tuple[State, list[int | None]]:
    """Each actor owns a lock, unless the third number is an actor that has it instead (6, 7: free).

    What an actor waits for is the lock, or the end, of the actor with the second number.
    """
    scene = Scene(*(f"P{n}" for n in range(len(graph))))
    size = len(graph)
    jobs = scene.queue("jobs")
    locks: list[Primitive] = [scene.lock(f"lock[{n}]") for n in range(size)]
    holders: list[int | None] = []
    for n, (_, _, holder) in enumerate(graph):
        holders.append(holder % size if holder < 6 else None)
        if holder < 6:
            scene.takes(f"P{holder % size}", locks[n])
    for n, (at, target, _) in enumerate(graph):
        lock = locks[target % size]
        if at == "gone":
            scene.ends(f"P{n}")
        elif at in ("lock", "lock or time"):
            scene.wants(f"P{n}", acquire(lock, timeout=1.0 if at == "lock or time" else None))
        elif at == "join":
            scene.wants(f"P{n}", join(scene.recorder.actors[target % size]))
        elif at == "item":
            scene.wants(f"P{n}", act(jobs, Verb.RECEIVE, "items", "get", compound=True))
    return scene.state, holders


def brute_force(graph: Graph, holders: list[int | None]) -> tuple[int, ...]:
    """The largest of all sets of blocked actors of whom nobody outside could help one."""
    size = len(graph)
    alive = {n for n in range(size) if graph[n][0] != "gone"}

    def could_help(n: int) -> set[int]:
        at, target, _ = graph[n][0], graph[n][1] % size, None
        if at == "item":
            return alive
        if at == "join":
            return {target} & alive
        holder = holders[target]
        return {holder} & alive if holder is not None else set()

    def blocked(n: int) -> bool:
        at, target = graph[n][0], graph[n][1] % size
        if at == "lock":
            return holders[target] is not None
        return at == "item" or (at == "join" and target in alive)

    candidates = [n for n in alive if blocked(n)]
    for length in range(len(candidates), 0, -1):
        for group in combinations(candidates, length):
            if all(could_help(n) <= set(group) for n in group):
                return tuple(sorted(group))
    return ()


@given(graphs)
def test_those_who_wait_for_ever_are_the_greatest_closed_set(graph: Graph) -> None:
    state, holders = build(graph)
    assert stuck_actors(state) == brute_force(graph, holders)


@given(graphs)
def test_a_cycle_is_a_ring_among_the_stuck_in_which_each_waits_for_the_next(graph: Graph) -> None:
    state, holders = build(graph)
    stuck = stuck_actors(state)
    cycle = wait_for_graph(state).cycle
    for link, following in zip(cycle, cycle[1:] + cycle[:1], strict=True):
        assert link.holder == following.actor
        assert link.actor in stuck
        at, target = graph[link.actor][0], graph[link.actor][1] % len(graph)
        assert link.holder == (target if at == "join" else holders[target])


@given(graphs)
def test_every_state_has_a_diagnosis_and_every_deadlock_a_sentence(graph: Graph) -> None:
    state, _ = build(graph)
    diagnosis = diagnose(state)
    if diagnosis.stuck:
        explanation = explain_stuck(wait_for_graph(state))
        assert explanation.endswith(".")
        assert ".." not in explanation
    if diagnosis.verdict is Verdict.DEADLOCK:
        assert diagnosis.stuck


# -- faults ------------------------------------------------------------------------------


def kill(scene: Scene, who: str, *, reaped: bool = True) -> None:
    scene.recorder.fault(scene.actor(who).id, Move.KILL)
    scene.ends(who, -9, reaped=reaped)


def test_a_killed_process_alone_is_no_crash_of_the_program() -> None:
    scene = Scene("main", "Ada", "Bob")
    kill(scene, "Ada")
    assert scene.diagnosis.verdict is None
    scene.ends("Bob", 3)
    scene.ends("main")
    assert scene.diagnosis.verdict is Verdict.FINISHED
    assert scene.diagnosis.explanation == (
        "All 2 children and the main process have ended. Bob ended with exit code 3. "
        "Ada was killed by the person."
    )


def test_who_is_told_to_end_and_then_fails_has_failed() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.fault(1, Move.TERMINATE)
    scene.recorder.change(1, error="ValueError: no")
    scene.ends("Ada", 1)
    assert scene.diagnosis.verdict is Verdict.CRASH


def test_a_killed_lock_holder_is_a_deadlock_of_the_others() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Bob", gate)
    scene.joins("main", "Bob")
    kill(scene, "Ada")
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.stuck == (0, 2)
    assert finding(diagnosis, "dead holder") == (
        "Ada was killed by the person while it held gate; Bob cannot have it any more"
    )


def test_an_event_waits_for_ever_for_a_sleeper_that_was_killed() -> None:
    scene = Scene("main", "Ada", "Bob")
    go = scene.condition("go", "Event")
    scene.sleeps_on("Ada", go)
    kill(scene, "Ada")
    assert "dead sleeper" not in kinds(scene.diagnosis)  # nobody has called set yet
    scene.takes("main", go)
    scene.wants("main", act(go, Verb.ACQUIRE, "woken", "set", compound=True))
    scene.waits("Bob", scene.lock("other"))  # it could go on, but cannot help
    diagnosis = scene.diagnosis
    assert diagnosis.verdict is Verdict.DEADLOCK
    assert diagnosis.stuck == (0,)
    assert diagnosis.explanation.startswith("main waits for Ada (who has ended) to wake from go")
    assert finding(diagnosis, "dead sleeper") == (
        "Ada was killed by the person while it slept on go, and is still counted there; "
        "main, in Event.set, waits for it to wake"
    )


def test_a_sleeper_who_lives_answers_a_notification() -> None:
    scene = Scene("main", "Ada")
    go = scene.condition("go", "Event")
    scene.sleeps_on("Ada", go)
    scene.takes("main", go)
    scene.does("main", act(go, Verb.RELEASE, "wait", "set", compound=True))
    scene.wants("main", act(go, Verb.ACQUIRE, "woken", "set", compound=True))
    assert scene.diagnosis.stuck == ()


def test_a_stopped_lock_holder_is_no_deadlock_for_it_may_be_continued() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", scene.lock("other"))
    scene.waits("Bob", gate)
    scene.joins("main", "Ada")
    assert halted(scene.state) == ()
    scene.recorder.fault(1, Move.STOP)
    diagnosis = scene.diagnosis
    assert (diagnosis.verdict, diagnosis.stuck) == (None, ())
    assert finding(diagnosis, "stopped process") == (
        "Ada is stopped and holds gate; main and Bob wait until it goes on again"
    )
    assert halted(scene.state) == (1,)
    wait = waiting_for(scene.state, scene.actor("Bob"))
    assert wait is not None
    assert wait.clause == "waits for gate, held by Ada (who is stopped)"


def test_one_who_is_stopped_alone_holds_up_nobody() -> None:
    scene = Scene("main", "Ada", "Bob")
    scene.recorder.fault(1, Move.STOP)
    assert finding(scene.diagnosis, "stopped process") == "Ada is stopped"
    assert halted(scene.state) == ()


def test_philosophers_in_a_ring_stay_deadlocked_although_one_is_stopped() -> None:
    scene = philosophers("Plato", "Socrates")
    scene.recorder.fault(1, Move.STOP)
    assert scene.diagnosis.verdict is Verdict.DEADLOCK
    assert scene.diagnosis.stuck == (0, 1, 2)
