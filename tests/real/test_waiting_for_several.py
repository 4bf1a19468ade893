"""``multiprocessing.connection.wait``: of pipes, of processes, with a timeout."""

from __future__ import annotations

from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, PROGRAMS, control, tell

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Random, Replay, RoundRobin

each_method = pytest.mark.parametrize("method", METHODS)

TWO = """
from multiprocessing import Pipe, Process
from multiprocessing.connection import wait

if __name__ == "__main__":
    left, left_end = Pipe(duplex=False)
    right, right_end = Pipe(duplex=False)
    Process(target=left_end.send, args=(1,), name="Ada").start()
    Process(target=right_end.send, args=(2,), name="Bob").start()
    ready = wait([left, right]{timeout})
    print([("left", "right")[end is right] for end in ready])
"""


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("schedule", "printed"),
    [
        ("a2b2a2", "['left']"),
        ("a2c2a2", "['right']"),
        ("a2b2c2a2", "['left', 'right']"),
    ],
)
def test_it_goes_on_as_soon_as_one_is_ready(tmp_path: Path, schedule: str, printed: str) -> None:
    path = program(tmp_path, TWO.format(timeout=""))
    run = control(path, Replay(schedule))
    assert run.text("stdout") == [printed]


def test_while_none_is_ready_it_waits_or_times_out(tmp_path: Path) -> None:
    run = control(program(tmp_path, TWO.format(timeout=", 3600")), Replay("a2a@ta"))
    assert run.text("stdout") == ["[]"]
    assert [s.sentence for s in run.steps if s.call == "connection.wait"] == ["finds nothing ready"]


@either("scheduler", ["os", "round-robin"])
def test_who_waits_for_what_never_comes_is_stuck(tmp_path: Path, scheduler: str) -> None:
    text = """
from multiprocessing import Pipe
from multiprocessing.connection import wait
if __name__ == "__main__":
    here, there = Pipe()
    wait([here])
"""
    told = tell(program(tmp_path, text), "--scheduler", scheduler, "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == "deadlock"
    assert "main waits for any of" in told.verdict["explanation"]


def test_an_end_of_a_process_is_waited_for_by_name(tmp_path: Path) -> None:
    text = """
from multiprocessing import Lock, Process
from multiprocessing.connection import wait

def work(lock):
    lock.acquire()

if __name__ == "__main__":
    lock = Lock()
    first = Process(target=work, args=(lock,), name="Ada")
    second = Process(target=work, args=(lock,), name="Bob")
    first.start(); second.start()
    wait([first.sentinel, second.sentinel])
    wait([second.sentinel])
"""
    run = control(program(tmp_path, text), RoundRobin())
    assert run.diagnosis.verdict is Verdict.DEADLOCK
    waits = [s.sentence for s in run.steps if s.call == "connection.wait"]
    assert waits == ["finds ready: the end of Ada"]
    assert "main waits for any of the end of Bob" in run.diagnosis.explanation


@each_method
def test_a_wait_for_several_can_be_replayed(method: str) -> None:
    path = PROGRAMS / "several.py"
    first = control(path, Random(7), method)
    assert first.diagnosis.verdict is Verdict.FINISHED
    again = control(path, Replay(first.schedule), method)
    assert first.told == again.told


@either("scheduler", ["os", "round-robin"])
def test_a_listener_and_its_client_are_let_alone(tmp_path: Path, scheduler: str) -> None:
    text = """
from multiprocessing import Process
from multiprocessing.connection import Client, Listener, wait

def talk(address):
    with Client(address, authkey=b"x") as client:
        client.send([1, 2])
        print(client.recv())

if __name__ == "__main__":
    with Listener(authkey=b"x") as listener:
        process = Process(target=talk, args=(listener.address,))
        process.start()
        with listener.accept() as server:
            assert wait([server]) == [server]
            server.send(sum(server.recv()))
        process.join()
"""
    told = tell(program(tmp_path, text), "--scheduler", scheduler, "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == "finished"
    assert told.text("stdout") == "3\n"


def test_to_send_through_a_pipe_is_a_step(tmp_path: Path) -> None:
    text = """
from multiprocessing import Pipe, Process

def work(end):
    end.send("a")
    end.send_bytes(b"b")

if __name__ == "__main__":
    here, there = Pipe(duplex=False)
    Process(target=work, args=(there,), name="Ada").start()
    print(here.recv(), here.recv_bytes())
"""
    run = control(program(tmp_path, text), RoundRobin())
    assert run.text("stdout") == ["a b'b'"]
    assert [(step.process, step.sentence.split(" through ")[0]) for step in run.steps[1:5]] == [
        ("Ada", "sends 'a'"),
        ("main", "receives 'a' from here/there"),
        ("Ada", "sends b'b'"),
        ("main", "receives b'b' from here/there"),
    ]
