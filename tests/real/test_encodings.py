"""What a program may print is decided by its environment, as under plain Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from running import tell

pytestmark = pytest.mark.once

PROGRAM = """\
import multiprocessing


def work():
    print("caf\\xe9")


if __name__ == "__main__":
    worker = multiprocessing.get_context(METHOD).Process(target=work)
    worker.start()
    worker.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("encoding", "printed", "verdict"),
    [
        ("ascii", "", "crash"),
        ("ascii:replace", "caf?\n", "finished"),
        ("latin-1", "caf\xe9\n", "finished"),
        ("utf-16", "caf\xe9\n", "finished"),
    ],
)
def test_it_prints_what_its_encoding_has(
    tmp_path: Path, method: str, encoding: str, printed: str, verdict: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("METHOD", repr(method)), encoding="utf-8")
    ours = encoding.partition(":")[0]  # we write so, too
    told = tell(path, env=os.environ | {"PYTHONIOENCODING": encoding}, encoding=ours)
    assert told.text("stdout") == printed
    assert told.verdict["verdict"] == verdict
