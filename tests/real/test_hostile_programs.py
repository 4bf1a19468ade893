"""Whatever a program is or does: a clear sentence or the right verdict, never a fault of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, Told, control, tell, tell_of

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import RoundRobin

each_scheduler = either("scheduler", ["os", "round-robin"])


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.py"


def run(program: Path, text: str, scheduler: str, *words: object, **options: object) -> Told:
    program.write_text(text)
    return tell(program, "--scheduler", scheduler, "--timeout", 2 * DEADLINE, *words, **options)


def findings(told: Told) -> dict[str, str]:
    return {finding["kind"]: finding["explanation"] for finding in told.verdict["findings"]}


# -- what is no program ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "NUL byte"),
        (b"x = '\xff'\n", "cannot be decoded"),
        (b"def broken(:\n", "line 1"),
        (b"x = 1\n  y = 2\n", "line 2"),
        (b"return 5\n", "'return' outside function"),
    ],
)
def test_what_is_no_program_is_refused_by_a_sentence(
    program: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        program.write_bytes(content)
    told = tell(program)
    assert told.exitcode == 2
    assert told.records == []
    assert said in told.stderr
    assert str(program) in told.stderr
    assert told.stderr.startswith("syncsim: ")
    assert told.stderr.count("\n") == 1


def test_a_directory_is_refused_by_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "folder.py"
    folder.mkdir()
    told = tell(folder)
    assert (told.exitcode, told.records) == (2, [])
    assert "is a directory" in told.stderr
    assert told.stderr.count("\n") == 1


# -- what a program may do ---------------------------------------------------------------


@each_scheduler
def test_an_empty_program_finishes(program: Path, scheduler: str) -> None:
    told = run(program, "", scheduler)
    assert told.exitcode == 0
    assert told.verdict["explanation"] == "It started no process."


@each_scheduler
def test_a_program_that_raises_at_import_crashes_with_its_own_traceback(
    program: Path, scheduler: str
) -> None:
    told = run(program, "import no_such_module\n", scheduler)
    assert told.exitcode == 1
    assert told.verdict["verdict"] == "crash"
    assert "ModuleNotFoundError: No module named 'no_such_module'" in told.verdict["explanation"]
    assert "program.py, line 1" in told.verdict["explanation"]
    assert told.text("stderr").startswith("Traceback (most recent call last):\n")
    assert "syncsim/" not in told.text("stderr")


@each_scheduler
def test_a_module_of_the_program_that_is_broken_is_told_with_its_line(
    program: Path, scheduler: str
) -> None:
    program.with_name("helper.py").write_text("x = 1\n\ndef broken(:\n")
    told = run(program, "import helper\n", scheduler)
    assert told.verdict["verdict"] == "crash"
    assert "SyntaxError" in told.verdict["explanation"]
    assert "helper.py, line 3" in told.verdict["explanation"]


@each_scheduler
def test_input_without_anyone_at_the_keyboard_is_the_end_of_file(
    program: Path, scheduler: str
) -> None:
    told = run(program, "name = input('who? ')\n", scheduler)
    assert told.verdict["verdict"] == "crash"
    assert "EOFError" in told.verdict["explanation"]


@each_scheduler
def test_input_reads_what_is_piped_in(program: Path, scheduler: str, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text("Ada\n")
    with (tmp_path / "answer").open() as stdin:
        told = run(program, "print('hello', input('who? '))\n", scheduler, stdin=stdin)
    assert told.exitcode == 0
    assert told.text("stdout") == "who? hello Ada\n"


@each_scheduler
def test_ten_megabytes_of_output_arrive_whole(program: Path, scheduler: str) -> None:
    told = run(program, "import sys\nsys.stdout.write('x' * 99 + '\\n')\n" * 2, scheduler)
    assert len(told.text("stdout")) == 200
    text = "import sys\nfor _ in range(100):\n    sys.stdout.write(('x' * 99 + '\\n') * 1049)\n"
    told = run(program, text, scheduler)
    assert told.exitcode == 0
    written = told.text("stdout")
    assert len(written) == 100 * 1049 * 100
    assert set(written.splitlines()) == {"x" * 99}


@each_scheduler
def test_markup_and_escape_sequences_are_only_text(program: Path, scheduler: str) -> None:
    hostile = "[/foo] \x1b[31mred\x1b[0m \x1b]0;title\x07 \x00 日本 {it}\n"
    told = run(program, f"import sys\nsys.stdout.write({hostile!r})\n", scheduler)
    assert told.exitcode == 0
    assert told.text("stdout") == hostile


@each_scheduler
def test_bytes_that_are_no_text_are_shown_as_escapes(program: Path, scheduler: str) -> None:
    told = run(program, "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe\\n')\n", scheduler)
    assert told.exitcode == 0
    assert told.text("stdout") == "\\xff\\xfe\n"


@each_scheduler
def test_characters_of_many_bytes_survive_however_they_are_cut(
    program: Path, scheduler: str
) -> None:
    told = run(program, "print('日' * 50_000)\n", scheduler)
    assert told.text("stdout") == "日" * 50_000 + "\n"


@each_scheduler
def test_what_is_written_past_python_is_shown_too(program: Path, scheduler: str) -> None:
    text = "import os\nos.write(1, b'by the system\\n')\nos.system('echo by another program')\n"
    told = run(program, text, scheduler)
    assert told.exitcode == 0
    assert told.text("stdout").splitlines() == ["by the system", "by another program"]


@each_scheduler
def test_a_program_that_spins_is_undecided_when_the_time_is_up(
    program: Path, scheduler: str
) -> None:
    told = run(program, "while True:\n    pass\n", scheduler, "--timeout", 2)
    assert told.exitcode == 3
    assert told.verdict["verdict"] == "undecided"
    assert told.verdict["explanation"] == (
        "Nothing is decided: the time is up (2 s). main is running and has reached no operation."
    )


@each_scheduler
def test_a_child_that_spins_does_not_hide_what_the_others_do(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing
def spin():
    while True:
        pass
if __name__ == "__main__":
    multiprocessing.Process(name="Ada", target=spin).start()
    print("on it goes")
"""
    program.write_text(text)
    told = tell_of(
        lambda told: any(step["call"] == "Process.start" for step in told.steps),
        *(program, "--scheduler", scheduler),
    )
    assert told.exitcode == 3
    assert "Ada is running and has reached no operation" in told.verdict["explanation"]


@each_scheduler
def test_values_whose_repr_is_hostile_are_never_asked_for_it(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing, os
class Hostile:
    def __repr__(self):
        os._exit(99)
    __str__ = __hash__ = __repr__
class Failing(Exception):
    def __str__(self):
        raise RuntimeError("no text")
if __name__ == "__main__":
    jobs = multiprocessing.Queue()
    jobs.put(Hostile())
    jobs.put({"{it}": [Hostile()] * 50, "[/foo]": "\\x1b[31m"})
    jobs.get(), jobs.get()
    raise Failing
"""
    told = run(program, text, scheduler)
    assert told.verdict["verdict"] == "crash"
    assert "Failing" in told.verdict["explanation"]
    assert told.process("main")["exitcode"] == 1


# -- what a program may do to itself -----------------------------------------------------


@each_scheduler
def test_a_program_that_closes_files_not_its_own_is_not_disturbed(
    program: Path, scheduler: str
) -> None:
    text = """\
import multiprocessing, os
def work(lock):
    with lock:
        print("in the child")
if __name__ == "__main__":
    os.closerange(3, 101)
    lock = multiprocessing.Lock()
    child = multiprocessing.Process(target=work, args=(lock,))
    child.start()
    child.join()
    print(child.exitcode)
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 0, told.verdict
    assert sorted(told.text("stdout").splitlines()) == ["0", "in the child"]


@each_scheduler
def test_a_program_that_moves_and_replaces_its_streams_is_not_disturbed(
    program: Path, scheduler: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    text = """\
import contextlib, io, multiprocessing, os, sys
def work(lock):
    with lock:
        print("in the child")
if __name__ == "__main__":
    os.chdir(sys.argv[1])
    lock = multiprocessing.Lock()
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        print("caught")
        child = multiprocessing.Process(target=work, args=(lock,))
        child.start()
        child.join()
    print(os.path.basename(os.getcwd()), caught.getvalue().strip(), child.exitcode)
    sys.stdout = open("log", "w")
    print("to a file", flush=True)
    sys.stderr.close()
"""
    told = run(program, text, scheduler, "--", tmp_path / "elsewhere")
    assert told.exitcode == 0, told.verdict
    assert "elsewhere caught 0" in told.text("stdout")
    assert (tmp_path / "elsewhere" / "log").read_text() == "to a file\n"


@each_scheduler
def test_a_program_that_forks_by_itself_goes_on(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing, os
lock = multiprocessing.Lock()
with lock:
    pid = os.fork()
    if pid == 0:
        os.write(1, b"forked\\n")
        os._exit(4)
    print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 3, told.verdict
    assert [one["parent"] for one in told.verdict["unseen"]] == ["main"]
    assert sorted(told.text("stdout").splitlines()) == ["ended with 4", "forked"]


@each_scheduler
def test_a_program_that_becomes_another_one_ends_with_it(program: Path, scheduler: str) -> None:
    text = f"""\
import os
print("before", flush=True)
os.execv({sys.executable!r}, ["python", "-c", "print(7)"])
"""
    told = run(program, text, scheduler)
    assert told.exitcode in (0, 3), told.verdict
    assert "before" in told.text("stdout")


@each_scheduler
def test_a_program_that_clears_its_environment_goes_on(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing, os, sys
def work(lock):
    with lock:
        print("in the child")
if __name__ == "__main__":
    os.environ.clear()
    lock = multiprocessing.Lock()
    child = multiprocessing.Process(target=work, args=(lock,))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 0, told.verdict
    assert told.text("stdout") == "in the child\n"


TWO_THREADS = """\
import multiprocessing, threading
lock, cell = multiprocessing.Lock(), multiprocessing.Value("i", 0)
def work():
    for _ in range(3):
        with lock:
            cell.value += 1
threads = [threading.Thread(target=work, name=name) for name in ("Ada", "Bob")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cell.value)
"""


@each_scheduler
def test_threads_of_the_program_are_actors(program: Path, scheduler: str) -> None:
    told = run(program, TWO_THREADS, scheduler)
    assert told.exitcode == 0, told.verdict
    assert told.text("stdout") == "6\n"
    assert {"Ada", "Bob"} <= {step["process"] for step in told.steps}


def test_a_join_of_a_thread_costs_no_patience(program: Path) -> None:
    program.write_text(TWO_THREADS)
    # (With so much of it, once would be too late.)
    run = control(program, RoundRobin(), patience=4 * DEADLINE)
    assert run.diagnosis.verdict is Verdict.FINISHED


# -- what is known to hang ---------------------------------------------------------------


@each_scheduler
def test_a_killed_lock_holder_never_gives_it_back(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing, os, signal
def die(gate):
    gate.acquire()
    os.kill(os.getpid(), signal.SIGKILL)
def want(gate):
    gate.acquire()
if __name__ == "__main__":
    gate = multiprocessing.Lock()
    ada = multiprocessing.Process(name="Ada", target=die, args=(gate,))
    ada.start()
    ada.join()
    print(ada.exitcode)
    bob = multiprocessing.Process(name="Bob", target=want, args=(gate,))
    bob.start()
    bob.join()
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 1
    assert told.text("stdout") == "-9\n"
    assert findings(told)["dead holder"] == (
        "Ada ended while it held gate; Bob cannot have it any more"
    )
    assert told.process("Ada") | {"pid": 0} == {
        "name": "Ada",
        "pid": 0,
        "state": "killed",
        "exitcode": -9,
        "waiting_for": None,
        "holds": ["gate"],
    }
    assert told.process("Bob")["state"] == "stuck"
    assert told.process("Bob")["waiting_for"] == "gate"


@each_scheduler
@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_lock_holder_killed_by_the_program_is_a_deadlock(
    how: str, program: Path, scheduler: str
) -> None:
    text = f"""\
import multiprocessing
def hold(gate, held, never):
    gate.acquire()
    held.set()
    never.wait()
def want(gate):
    gate.acquire()
if __name__ == "__main__":
    gate, held, never = multiprocessing.Lock(), multiprocessing.Event(), multiprocessing.Event()
    ada = multiprocessing.Process(name="Ada", target=hold, args=(gate, held, never))
    ada.start()
    held.wait()
    ada.{how}()
    ada.join()
    bob = multiprocessing.Process(name="Bob", target=want, args=(gate,))
    bob.start()
    bob.join()
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 1
    assert told.verdict["verdict"] == "deadlock"
    assert "dead holder" in findings(told)
    assert "Bob waits for gate, held by Ada (who has ended)" in told.verdict["explanation"]


@each_scheduler
def test_join_before_get_is_explained(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing
def work(jobs):
    jobs.put("x" * 1_000_000)
if __name__ == "__main__":
    jobs = multiprocessing.Queue()
    ada = multiprocessing.Process(name="Ada", target=work, args=(jobs,))
    ada.start()
    ada.join()
    print(len(jobs.get()))
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 1
    assert told.verdict["verdict"] == "deadlock"
    assert "Ada waits to flush jobs" in told.verdict["explanation"]
    assert "main waits for Ada to end" in told.verdict["explanation"]


@each_scheduler
def test_get_before_join_finishes_with_the_same_item(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing
def work(jobs):
    jobs.put("x" * 1_000_000)
if __name__ == "__main__":
    jobs = multiprocessing.Queue()
    ada = multiprocessing.Process(name="Ada", target=work, args=(jobs,))
    ada.start()
    print(len(jobs.get()))
    ada.join()
"""
    told = run(program, text, scheduler)
    assert told.exitcode == 0, told.verdict
    assert told.text("stdout") == "1000000\n"


@each_scheduler
def test_a_lock_taken_twice_is_a_deadlock_with_oneself(program: Path, scheduler: str) -> None:
    text = "from multiprocessing import Lock\ngate = Lock()\ngate.acquire()\ngate.acquire()\n"
    told = run(program, text, scheduler)
    assert told.exitcode == 1
    assert told.verdict["explanation"] == (
        "main holds gate and waits for gate. It waits for itself."
    )
    assert told.verdict["cycle"] == [{"process": "main", "waits_for": "gate", "held_by": "main"}]


@each_scheduler
def test_a_get_from_a_queue_that_nobody_fills_is_a_deadlock(program: Path, scheduler: str) -> None:
    told = run(
        program, "from multiprocessing import Queue\njobs = Queue()\njobs.get()\n", scheduler
    )
    assert told.exitcode == 1
    assert told.verdict["verdict"] == "deadlock"
    assert "main waits for jobs: it is empty" in told.verdict["explanation"]


def test_an_event_whose_sleeper_was_killed_hangs_its_setter(program: Path) -> None:
    text = """\
import multiprocessing
def sleep_on(ready):
    ready.wait()
def main():
    ready = multiprocessing.Event()
    ada = multiprocessing.Process(name="Ada", target=sleep_on, args=(ready,))
    ada.start()
    print("Ada sleeps by now")
    ada.kill()
    ada.join()
    ready.set()
if __name__ == "__main__":
    main()
"""
    told = run(program, text, "replay", "--schedule", "aba4")
    assert told.verdict["verdict"] == "deadlock"
    assert told.process("main")["waiting_for"] == "ready"


@each_scheduler
def test_a_failing_assert_of_the_program_is_an_assertion_and_of_the_library_a_crash(
    program: Path, scheduler: str
) -> None:
    told = run(program, "x = 1\nassert x == 2, 'not two'\n", scheduler)
    assert told.verdict["verdict"] == "assertion"
    assert told.verdict["explanation"] == (
        "An assertion of main does not hold: AssertionError: not two (program.py, line 2)."
    )
    told = run(
        program, "from multiprocessing import RLock\ngate = RLock()\ngate.release()\n", scheduler
    )
    assert told.verdict["verdict"] == "crash"
    assert "AssertionError: attempt to release recursive lock" in told.verdict["explanation"]
    assert "program.py, line 3" in told.verdict["explanation"]


@each_scheduler
def test_a_child_that_dies_of_a_signal_is_a_crash(program: Path, scheduler: str) -> None:
    text = """\
import multiprocessing, os, signal
def die():
    os.kill(os.getpid(), signal.SIGSEGV)
if __name__ == "__main__":
    ada = multiprocessing.Process(name="Ada", target=die)
    ada.start()
    ada.join()
"""
    told = run(program, text, scheduler)
    assert (told.exitcode, told.verdict["verdict"]) == (1, "crash")
    assert told.verdict["explanation"] == "Ada is killed by signal 11 (SIGSEGV)."


@each_scheduler
def test_a_main_process_that_dies_of_a_signal_is_a_crash(program: Path, scheduler: str) -> None:
    told = run(program, "import os\nos.kill(os.getpid(), 9)\n", scheduler)
    assert (told.exitcode, told.verdict["verdict"]) == (1, "crash")
    assert told.verdict["explanation"] == "main is killed by signal 9 (SIGKILL)."


@each_scheduler
def test_an_interrupt_that_the_program_sends_itself_is_its_own(
    program: Path, scheduler: str
) -> None:
    told = run(program, "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", scheduler)
    assert told.verdict["verdict"] == "crash"
    assert "KeyboardInterrupt" in told.verdict["explanation"]
