"""What a program does to itself and to the files, signals and processes around it.

It ends as under plain Python, nothing of it is left, and where it leaves our view we say so.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, PROJECT, Told, is_alive, kill_all, tell, tell_of, wait_for

from syncsim import driver
from syncsim.core.scheduler import RoundRobin, Scheduler
from syncsim.program.source import load
from syncsim.session.headless import HeadlessRun

ENVIRONMENT = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
BEGIN = """\
import atexit, multiprocessing, os, resource, shutil, signal, subprocess, sys, threading, time
def work(lock, jobs):
    with lock:
        jobs.put("from the child")
def go(**options):
    lock, jobs = multiprocessing.Lock(), multiprocessing.Queue()
    child = multiprocessing.Process(target=work, args=(lock, jobs), name="Ada")
    child.start()
    print(jobs.get())
    child.join()
    print("Ada ended with", child.exitcode)
"""
MAIN = 'if __name__ == "__main__":\n'
PROGRAMS = {
    "closes every file": "os.closerange(3, 4096); go()",
    "closes one file after the other": """\
for fd in range(3, 1024):
    try:
        os.close(fd)
    except OSError as error:
        assert error.errno == 9
go()""",
    "takes the numbers of our files": """\
mine = os.open(os.devnull, os.O_WRONLY)
for fd in range(190, 230):
    os.dup2(mine, fd)
go()
for fd in range(190, 230):
    os.write(fd, b"mine")
    os.close(fd)
go()""",
    "allows itself few files": """\
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
go()
thread = threading.Thread(target=go)
thread.start()
thread.join()""",
    "allows itself few files and spawns": """\
multiprocessing.set_start_method("spawn")
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
go()""",
    "closes its stdout": "go(); sys.stdout.flush(); os.close(1); sys.stderr.write('closed\\n')",
    "closes its stdout and prints": """\
go()
sys.stdout.flush()
os.close(1)
try:
    print("nobody hears this", flush=True)
except OSError as error:
    sys.stderr.write(f"{error}\\n")
    os._exit(5)""",
    "sends its output elsewhere": """\
print("here")
sys.stdout.flush()
kept = os.dup(1)
os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT), 1)
print("to the log")
sys.stdout.flush()
go()
sys.stdout.flush()
os.dup2(kept, 1)
print("here again", open("log").read().split("\\n"))""",
    "goes elsewhere": "os.mkdir('d'); os.chdir('d'); go(); os.rmdir('../d'); go()",
    "replaces sys.stdout": """\
class Loud:
    def write(self, text):
        sys.__stdout__.write(text.upper())
    def flush(self):
        sys.__stdout__.flush()
sys.stdout = Loud()
go()""",
    "ends by its own handler": """\
def leave(number, frame):
    print("handled", number)
    sys.stdout.flush()
    os._exit(7)
def sleep_on(event):
    signal.signal(signal.SIGTERM, leave)
    ready.set()
    event.wait()
ready, never = multiprocessing.Event(), multiprocessing.Event()
child = multiprocessing.Process(target=sleep_on, args=(never,))
child.start()
ready.wait()
child.terminate()
child.join()
print("ended with", child.exitcode)""",
    "has a child that will not be terminated": """\
def sleep_on(event):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    event.wait()
ready, never = multiprocessing.Event(), multiprocessing.Event()
child = multiprocessing.Process(target=sleep_on, args=(never,))
child.start()
ready.wait()
child.terminate()
child.join(0.2)
print(child.exitcode)
child.kill()
child.join()
print("ended with", child.exitcode)""",
    "ignores the end of its children": """\
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
lock, jobs = multiprocessing.Lock(), multiprocessing.Queue()
child = multiprocessing.Process(target=work, args=(lock, jobs))
child.start()
print(jobs.get())
child.join()
print("ended with", child.exitcode)""",
    "is woken by an alarm in the middle of waiting": """\
lock, door, jobs = multiprocessing.Lock(), multiprocessing.Lock(), multiprocessing.Queue()
def ring(number, frame):
    with door:
        print("rings")
    jobs.put("rung")
    lock.release()
lock.acquire()
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.2)
with lock:
    print("woken", jobs.get())""",
    "is torn out of its waiting by an alarm": """\
lock, jobs = multiprocessing.Lock(), multiprocessing.Queue()
def ring(number, frame):
    raise TimeoutError("too late")
signal.signal(signal.SIGALRM, ring)
for wait in (lock.acquire, jobs.get, multiprocessing.Event().wait):
    lock.acquire(False)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        wait()
    except TimeoutError as error:
        print(error)
lock.release()
go()""",
    "handles interrupts": """\
signal.signal(signal.SIGINT, lambda number, frame: print("interrupted", number))
os.kill(os.getpid(), signal.SIGINT)
go()""",
    "is woken by an alarm": """\
lock, rung = multiprocessing.Lock(), []
def ring(number, frame):
    with lock:
        rung.append(number)
    if len(rung) < 3:  # (only now: one in the middle of this would wait for its own lock)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.05)
while len(rung) < 3:
    pass
go()
print(set(rung))""",
    "forks by itself": """\
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    print("forked")
    sys.stdout.flush()
    os._exit(4)
print("it ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
go()""",
    "becomes another program": """\
go()
sys.stdout.flush()
os.execv(sys.executable, [sys.executable, "-c", "print(7); raise SystemExit(3)"])""",
    "has a child that becomes another program": """\
def turn():
    os.execv("/bin/sh", ["sh", "-c", "echo turned; exit 6"])
child = multiprocessing.Process(target=turn)
child.start()
child.join()
print("ended with", child.exitcode)""",
    "fails to become another program": """\
try:
    os.execv("/nowhere/program", ["program"])
except FileNotFoundError as error:
    print(error.errno)
go()""",
    "starts other programs": """\
sys.stdout.flush()
os.waitpid(os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ), 0)
print(subprocess.run(["echo", "run"], capture_output=True, text=True).stdout)
print(subprocess.check_output("echo $0 shell", shell=True, preexec_fn=os.setsid))
sys.stdout.flush()
print(os.system("echo by the system"))
print(os.popen("echo popen").read())
go()""",
    "is traced": """\
seen = set()
def trace(frame, event, argument):
    seen.add(frame.f_code.co_name)
    return trace
sys.settrace(trace)
threading.settrace(trace)
go()
sys.settrace(None)
print("work" in seen, "go" in seen)""",
    "changes the library": """\
start = multiprocessing.Process.start
def loud(self):
    print("starts", self.name)
    start(self)
multiprocessing.Process.start = loud
multiprocessing.Lock = lambda lock=multiprocessing.Lock: lock()
multiprocessing.Queue = multiprocessing.SimpleQueue
go()""",
    "clears its environment and spawns": """\
os.environ.clear()
multiprocessing.set_start_method("spawn")
go()""",
    "clears its environment and has a server fork": """\
os.environ.clear()
multiprocessing.set_start_method("forkserver")
go()""",
    "ends by atexit": "atexit.register(go)",
}
#: Of these a process was never seen: the end of nothing is proven.
UNSEEN = ("forks by itself", "becomes another program")
SLEEP = "import time; time.sleep(600)"
each_program = pytest.mark.parametrize("name", PROGRAMS)
each_scheduler = either("scheduler", ["os", "round-robin"])


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "program.py"


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A word among those that everything the test starts was started with."""
    yield str(tmp_path)
    kill_all(str(tmp_path))


def write(program: Path, text: str) -> None:
    lines = [f"    {line}\n" for line in text.splitlines()]
    # (Some fork, and rely on it; with those that name no start method it is as with them.)
    method = "" if "set_start_method" in text else '    multiprocessing.set_start_method("fork")\n'
    program.write_text(BEGIN + MAIN + method + "".join(lines))


def watch(program: Path, scheduler: str, **options: object) -> Told:
    here = program.parent / "here"
    words = (program, "--scheduler", scheduler, "--timeout", 2 * DEADLINE)
    environment = ENVIRONMENT | {"PYTHONPATH": str(PROJECT)}
    return tell(*words, **({"cwd": here, "env": environment} | options))


def plain(program: Path) -> subprocess.CompletedProcess[str]:
    here = program.parent / "plain"
    here.mkdir()
    return subprocess.run(
        [sys.executable, program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=here,
        env=ENVIRONMENT,
        timeout=DEADLINE,
        check=False,
    )


def complaints(stderr: str) -> list[str]:
    """The lines, in any order; where an object lies is another place each time."""
    return sorted(re.sub("0x[0-9a-f]+", "0x…", line) for line in stderr.splitlines())


@each_scheduler
@each_program
def test_it_ends_as_under_plain_python(name: str, scheduler: str, program: Path) -> None:
    write(program, PROGRAMS[name])
    expected = plain(program)
    told = watch(program, scheduler)
    assert sorted(told.text("stdout").splitlines()) == sorted(expected.stdout.splitlines())
    assert complaints(told.text("stderr")) == complaints(expected.stderr)
    expected_verdict = "undecided" if name in UNSEEN else "finished"
    assert told.verdict["verdict"] == expected_verdict, told.verdict
    assert bool(told.verdict["unseen"]) is (name in UNSEEN), told.verdict
    assert told.process("main")["exitcode"] == expected.returncode


@each_scheduler
@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("forks by itself", [("os.fork", "")]),
        ("becomes another program", [("os.execv", os.path.basename(sys.executable))]),
        ("has a child that becomes another program", [("os.execv", "sh")]),
        (
            "starts other programs",
            [
                ("os.posix_spawn", "echo"),
                ("subprocess.Popen", "echo"),
                ("subprocess.Popen", "echo"),
                ("os.system", "echo"),
                ("subprocess.Popen", "echo"),
            ],
        ),
    ],
)
def test_where_a_process_leaves_our_view_is_a_step_with_its_line(
    name: str, left: list[tuple[str, str]], scheduler: str, program: Path
) -> None:
    write(program, PROGRAMS[name])
    told = watch(program, scheduler)
    steps = [step for step in told.steps if step["call"].startswith(("os.", "subprocess."))]
    assert [(step["call"], step["detail"]) for step in steps] == left
    lines = program.read_text().splitlines()
    for step in steps:
        assert step["file"] == str(program) or step["function"] == "popen"
        if step["file"] == str(program):
            assert re.search(r"\b(os|subprocess)\.", lines[step["line"] - 1])


@each_scheduler
def test_who_has_become_another_program_is_said_to_be_outside_since_then(
    scheduler: str, program: Path, mark: str
) -> None:
    write(program, f"os.execv(sys.executable, ['python', '-c', {SLEEP!r}, os.getcwd()])")
    told = tell_of(
        lambda told: any(step["call"] == "os.execv" for step in told.steps),
        *(program, "--scheduler", scheduler),
        cwd=program.parent / "here",
    )
    line = len(program.read_text().splitlines())
    assert told.exitcode == 3
    assert told.process("main")["state"] == "outside"
    assert f"main left our view at program.py, line {line}." in told.verdict["explanation"]
    assert not runs_with(mark)


@each_scheduler
def test_a_daemon_is_told_and_ended_with_the_run(scheduler: str, program: Path, mark: str) -> None:
    text = """\
sys.stdout.flush()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 4096)
        for fd in (0, 1, 2):
            os.open(os.devnull, os.O_RDWR)
        os.execv(sys.executable, ["python", "-c", "import time; time.sleep(600)", sys.argv[0]])
    os._exit(0)
os.wait()
go()"""
    write(program, text)
    told = watch(program, scheduler)
    assert told.exitcode == 3, told.verdict
    assert {finding["kind"] for finding in told.verdict["findings"]} == {"leaked process"}
    started = {one["parent"]: one for one in told.verdict["unseen"]}
    forks = started.pop("main")  # and ends
    daemon = started.pop(f"pid {forks['pid']}")
    assert daemon["command"].startswith("python -c 'import time")
    assert not started
    wait_for(lambda: not runs_with(mark))


@pytest.mark.parametrize("scheduler", [None, RoundRobin()], ids=["os", "round-robin"])
def test_a_fork_that_nobody_waits_for_is_heard_to_its_end(
    scheduler: Scheduler | None, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "GRACE", DEADLINE)
    write(
        program,
        """\
if os.fork() == 0:
    time.sleep(0.3)
    os.write(1, b"late\\n" * 3000)
    os._exit(0)""",
    )
    out = io.StringIO()
    timeout = 2 * DEADLINE
    HeadlessRun(load(program), scheduler, as_json=True, timeout=timeout, out=out).run()
    told = Told(0, "", [json.loads(line) for line in out.getvalue().splitlines()])
    assert told.text("stdout") == "late\n" * 3000
    assert told.verdict["findings"] == []


def test_a_new_interpreter_whose_environment_was_cleared_is_ended_with_the_run(
    program: Path, mark: str
) -> None:
    text = f"""\
import multiprocessing, os, time
def leave():
    os.setsid()
    with open({mark!r} + "/pid", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
if __name__ == "__main__":
    os.environ.clear()
    multiprocessing.set_start_method("spawn")
    multiprocessing.Process(target=leave, name="Ada").start()
"""
    program.write_text(text)
    file = program.parent / "pid"
    told = tell_of(lambda told: file.exists() and file.read_text() != "", program)
    assert told.exitcode == 3
    pid = int(file.read_text())
    wait_for(lambda: not is_alive(pid))


@each_scheduler
def test_a_program_that_removes_our_directory_goes_on_unseen(scheduler: str, program: Path) -> None:
    write(program, "shutil.rmtree(os.environ['SYNCSIM_RUN']); go()")
    told = watch(program, scheduler)
    assert told.exitcode == 0, told.verdict
    assert "Ada ended with 0" in told.text("stdout")


def runs_with(mark: str) -> list[str]:
    """The words with which those processes were started that have the mark among them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if mark.encode() in words and SLEEP.encode() in words:
                found.append(words.replace(b"\0", b" ").decode())
    return found
