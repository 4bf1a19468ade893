"""Files are the real ones, and shared past every primitive: what is read there proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict

PROGRAM = """
import os, re, sys
from decimal import Decimal
from multiprocessing import Lock, Process
from pathlib import Path

PATH = Path(sys.argv[1])
WORD = re.compile("[a-z]+")

def work(me, lock):
    assert WORD.match("word") and PRICE == Decimal("1.5")
    with lock:
        {work}

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    PRICE = Decimal("1.5")
    {main}
    lock = Lock()
    both = [Process(target=work, args=(me, lock)) for me in range(2)]
    for one in both: one.start()
    for one in both: one.join()
"""
CLOSED = 'with open(PATH, "w") as file: file.write("0")'
COUNTS = "PATH.write_text(str(int(PATH.read_text()) + 1))"
APPENDS = "file = open(PATH, 'a'); file.write('me'); file.close()"
TURNS = "PATH.unlink() if PATH.exists() else PATH.touch()"
MOVES = "os.replace(PATH, f'{PATH}.{me}') if os.path.exists(PATH) else None"
MAKES = "os.makedirs(PATH, exist_ok=True); assert PATH.is_dir()"
LOGS = "Path(f'{PATH}.{me}').write_text('done')"
DOUBT = "may depend on what is in files that it writes"


@pytest.mark.parametrize(
    ("main", "work", "verdict", "words"),
    [
        (CLOSED, COUNTS, Verdict.UNDECIDED, DOUBT),
        ("pass", APPENDS, Verdict.UNDECIDED, DOUBT),
        ("pass", TURNS, Verdict.UNDECIDED, DOUBT),
        ("pass", MOVES, Verdict.FINISHED, "no process can wait"),
        (CLOSED, MOVES, Verdict.UNDECIDED, DOUBT),
        (MAKES, "pass", Verdict.FINISHED, "no process can wait"),
        (CLOSED, "pass", Verdict.FINISHED, "no process can wait"),
        ("file = open(__file__)", "pass", Verdict.UNDECIDED, "open when a child is forked"),
        ("text = Path(__file__).read_text()", LOGS, Verdict.FINISHED, "no process can wait"),
    ],
    ids=["counts", "appends", "turns", "looks", "moves", "makes", "closed", "open", "logs"],
)
def test_what_is_read_where_something_is_written_proves_nothing(
    tmp_path: Path, main: str, work: str, verdict: Verdict, words: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(main=main, work=work))
    checked = syncsim.check(program, arguments=[str(tmp_path / "file")])
    assert checked.verdict is verdict, checked.explanation
    assert words in checked.explanation
