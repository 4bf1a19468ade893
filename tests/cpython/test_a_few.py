"""CPython's own tests come out the same when they are watched: a few quick ones, each time.

All of them, for every start method, are run by ``run.py``.
"""

from __future__ import annotations

from pathlib import Path

import oracle

#: Each takes a few hundredths of a second.
CLASSES = (
    "MiscTestCase",
    "SemLockTests",
    "TestInitializers",
    "TestPoolNotLeakOnFailure",
    "TestSimpleQueue",
    "WithProcessesTestArray",
    "WithProcessesTestConnection",
    "WithProcessesTestContainers",
    "WithProcessesTestListener",
    "WithProcessesTestLock",
    "WithProcessesTestPicklingConnections",
    "WithProcessesTestPoolWorkerErrors",
    "WithProcessesTestSharedCTypes",
    "WithProcessesTestSubclassingProcess",
    "WithProcessesTestValue",
    "WithThreadsTestLock",
)
TESTS = (
    "WithProcessesTestBarrier.test_abort",
    "WithProcessesTestBarrier.test_abort_and_reset",
    "WithProcessesTestBarrier.test_action",
    "WithProcessesTestBarrier.test_barrier",
    "WithProcessesTestBarrier.test_reset",
    "WithProcessesTestEvent.test_event",
    "WithProcessesTestQueue.test_fork",
    "WithProcessesTestQueue.test_no_import_lock_contention",
    "WithProcessesTestQueue.test_put",
    "WithProcessesTestQueue.test_queue_feeder_donot_stop_onexc",
    "WithProcessesTestQueue.test_task_done",
)


def wanted(name: str) -> bool:
    _, group, method = name.split(".")
    return group in CLASSES or f"{group}.{method}" in TESTS


def test_cpythons_own_tests_come_out_the_same_when_they_are_watched(tmp_path: Path) -> None:
    assert oracle.is_there(), oracle.MISSING
    tests = list(filter(wanted, oracle.listed("fork")))
    assert len(tests) > 40
    log = tmp_path / "log"
    plain = oracle.run("fork", watched=False, tests=tests, log=log)
    watched = oracle.run("fork", watched=True, tests=tests, log=log)
    found = oracle.differences("fork", plain, watched, log=log)
    assert [one for one in found if one.is_ours] == []
    assert oracle.fail_both_ways(plain, watched) == []
    assert watched.counts["passed"] > 40
    assert oracle.amiss(plain, watched) == []
    assert plain.exitcodes == [0]
    assert watched.read >= watched.written > 0
