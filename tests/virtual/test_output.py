"""What a thread of the library prints is printed, also while its process is in a print itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from syncsim.program.source import load
from syncsim.virtual.run import VirtualRun

pytestmark = pytest.mark.once

TEXT = """
from multiprocessing import Pool


def double(number):
    return 2 * number


if __name__ == "__main__":
    with Pool(1) as pool:
        result = pool.apply_async(double, (1,), callback=print)
        print("waiting")
        print("got", result.get())
"""


def test_a_callback_may_print_while_main_is_about_to_print(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(TEXT)
    program = load(path)
    orders = set()
    for seed in range(20):
        source, printed = random.Random(seed), list[tuple[str, str]]()
        run = VirtualRun(program, on_print=lambda _, *text, printed=printed: printed.append(text))
        while choices := run.choices():
            run.take(source.choice(choices))
        assert run.over
        run.close()
        orders.add(tuple(printed))
    first = [("stdout", "waiting\n"), ("stdout", "2\n")]
    got = ("stdout", "got 2\n")
    assert orders == {(*first, got), (*reversed(first), got)}


UNFLUSHED = """
from multiprocessing import Pool


def double(number):
    return 2 * number


if __name__ == "__main__":
    with Pool(1) as pool:
        print("a", end="")
        result = pool.apply_async(double, (1,), callback=lambda found: print("called", found))
        result.wait()
        print("got")
"""


def test_what_is_not_flushed_comes_before_what_a_callback_prints(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(UNFLUSHED)
    printed = list[str]()
    run = VirtualRun(load(path), on_print=lambda _, stream, text: printed.append(text))
    while choices := run.choices():
        run.take(choices[0])
    run.close()
    assert printed == ["acalled 2\n", "got\n"]
