"""What stands for the clock, for chance and for unique names does as the real thing does."""

from __future__ import annotations

from pathlib import Path

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict

PROGRAMS = {
    "times": """
import datetime, pickle, time
from datetime import date, datetime as moment, timedelta, timezone
begun = moment.now()
time.sleep(60)
assert timedelta(seconds=60) <= moment.now() - begun < timedelta(seconds=61)
assert type(begun) is moment and isinstance(begun, date) and isinstance(begun, datetime.date)
assert type(begun + timedelta(1)) is moment and moment(2000, 1, 1) == moment(2000, 1, 1)
assert not isinstance(date.today(), moment) and issubclass(moment, date)
assert repr(moment(2000, 1, 2)) == "datetime.datetime(2000, 1, 2, 0, 0)"
assert moment.now(timezone.utc).tzinfo is timezone.utc and moment.utcnow().tzinfo is None
assert pickle.loads(pickle.dumps(begun)) == begun and isinstance(datetime.date(1, 1, 1), date)
assert type(begun.date()) is date and type(moment.min) is moment and type(date.max) is date
assert moment.max == moment(9999, 12, 31, 23, 59, 59, 999999) and date.max == moment.max.date()
class Mine(moment): pass
assert type(Mine.now()) is Mine and not isinstance(begun, Mine)
assert time.gmtime(0).tm_year == 1970 and time.ctime() == time.asctime()
assert time.strftime("%Y", time.gmtime(0)) == "1970"
outbox.put((begun, date.today()))
""",
    "names": """
import os, random, secrets, uuid
names = [uuid.uuid4() for _ in range(3)]
assert len({*names, uuid.uuid1()}) == 4 and {name.version for name in names} == {4}
assert uuid.uuid1().version == 1 and names[0].variant == uuid.RFC_4122
assert len(secrets.token_hex(8)) == 16 and 0 <= secrets.randbelow(3) < 3
assert secrets.choice("ab") in "ab" and len(secrets.token_bytes()) == 32
assert secrets.token_bytes(9) != secrets.token_bytes(9) and os.urandom(9) != os.urandom(9)
assert 0 <= random.SystemRandom().random() < 1 and secrets.SystemRandom is random.SystemRandom
outbox.put(names)
""",
}
PROGRAM = """
from multiprocessing import Process, Queue
def work(outbox):
{body}
if __name__ == "__main__":
    outbox = Queue()
    both = [Process(target=work, args=(outbox,)) for _ in range(2)]
    for one in both: one.start()
    first, second = outbox.get(), outbox.get()
    assert type(first[0]) is type(second[0]) and first[0] is not second[0]
    assert type(first) is tuple or first != second
    for one in both: one.join()
"""


@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
def test_what_stands_for_it_does_as_the_real_thing(tmp_path: Path, body: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(body="".join(f"    {line}\n" for line in body.splitlines())))
    checked = syncsim.check(path, search="dpor")
    assert checked.verdict is Verdict.UNDECIDED, checked.explanation
    assert "what the program does may depend on" in checked.explanation
    assert not checked.failures
