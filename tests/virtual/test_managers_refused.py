"""What a manager does that the virtual world does not have is said, and never judged wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncsim.program.source import load
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.run import VirtualRun

PRIVATE = """
from multiprocessing import Manager, Process
from multiprocessing.managers import BaseManager

shared = {}

class Account:
    pass

class Bank(BaseManager):
    pass

Bank.register("Account", Account)
Bank.register("get_shared", lambda: shared)

def put(jobs):
    jobs.put(1)

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    bank, manager = Bank(), Manager()
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bank.start(); bank.get_shared()", r"a manager that keeps what <lambda>\(\) gives"),
        ("bank.connect()", "somewhere else"),
        ("bank.get_server()", "the server of a manager"),
        ("bank.start(print)", "an initializer"),
        ("manager.Pool(2)", "a Pool that a manager keeps"),
        ("BaseManager.register('Account', Account)", "not that of a class of its own"),
        ("Process(target=put, args=(manager.Queue(),)).start()", "a child alone has a proxy"),
        ("print(manager.Lock())", "__repr__ of a Manager Lock"),
        ("manager._process.terminate()", "a server of a manager that is terminated"),
        ("manager._number_of_objects()", "asked to number_of_objects"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(f"{PRIVATE}    {line}\n")
    with pytest.raises(NotVirtualError, match=words):
        _run(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    def call(self):\n        total[0] += 1\n", "changes more than itself"),
        ("    def call(self):\n        return time.time()\n", "the clock inside the server"),
        (
            "    def call(self):\n        threading.Event().wait()\n",
            "a wait inside a manager's class",
        ),
        ("    def call(self):\n        print('called')\n", "an operation .output. inside"),
        ("    def call(self):\n        return lock.acquire()\n", "an operation .acquire. inside"),
    ],
)
def test_a_class_of_the_programs_own_may_do_nothing_but_change_itself(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import threading\nimport time\nfrom multiprocessing import Lock\n"
        "from multiprocessing.managers import BaseManager\n\n"
        f"total, lock = [0], Lock()\n\nclass Thing:\n{text}\n"
        "class Office(BaseManager):\n    pass\n\nOffice.register('Thing', Thing)\n\n"
        "if __name__ == '__main__':\n    with Office() as office:\n        office.Thing().call()\n"
    )
    with pytest.raises(NotVirtualError, match=words):
        _run(path)


def _run(path: Path) -> None:
    world = VirtualRun(load(path))
    try:
        while choices := world.choices():
            world.take(choices[0])
    finally:
        world.close()
