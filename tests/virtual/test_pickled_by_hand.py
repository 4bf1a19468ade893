"""A program may use ``pickle`` itself: its classes are found in the process that it runs in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import syncsim
from syncsim.core.deadlock.verdict import Verdict

PROGRAM = """
import copy, io, pickle
from abc import ABC
from dataclasses import dataclass
from helper import Other
from multiprocessing import Lock, Process

class Own:
    class Inner:
        n = 3
    def __init__(self, n=1): self.n = n
    def __reduce__(self): return Own, (self.n,)

@dataclass
class Held:
    what: object = None

class Kind(ABC): pass
Kind.register(Own)

class Marking(pickle.Pickler):
    def persistent_id(self, value): return "mark" if value == "x" else None

class Marked(pickle.Unpickler):
    def persistent_load(self, mark): return mark

def work(lock):
    for one in Own(2), Other(), Held(Own()), Own.Inner, Own.Inner(), work, [Other], Held:
        for protocol in (0, 2, pickle.HIGHEST_PROTOCOL):
            again = pickle.loads(pickle.dumps(one, protocol))
            assert type(again) is type(one)
    assert repr(Own.Inner) == "<class '__main__.Own.Inner'>" and isinstance(Own(), Kind)
    assert pickle.loads(pickle.dumps(Own(7))).n == 7 and copy.deepcopy(Held(Own(8))).what.n == 8
    file = io.BytesIO()
    pickle.dump(obj=Own(5), file=file, protocol=2)
    assert pickle.load(file=io.BytesIO(file.getvalue())).n == 5
    assert file.getvalue() == pickle.dumps(obj=Own(5), protocol=2)
    Marking(file := io.BytesIO()).dump(["x", Other()])
    mark, other = Marked(io.BytesIO(file.getvalue())).load()
    assert mark == "mark" and type(other) is Other
    assert pickle.loads(b"c__main__\\nOwn\\n(I4\\ntR.").n == 4  # as another program has written it
    try:
        pickle.dumps(lock)
    except RuntimeError as error:
        assert "through inheritance" in str(error)
    else:
        raise AssertionError("a lock was pickled")
    try:
        pickle.dumps(lambda: None)
    except (pickle.PicklingError, AttributeError):
        pass
    else:
        raise AssertionError("a lambda was pickled")

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    child = Process(target=work, args=(Lock(),))
    child.start()
    child.join()
    assert child.exitcode == 0
    work(Lock())
"""


def test_it_is_as_under_plain_python(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "helper.py").write_text("class Other: pass\n")
    plain = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stderr) == (0, "")
    checked = syncsim.check(program)
    assert checked.verdict is Verdict.FINISHED, checked.explanation
