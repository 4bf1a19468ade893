"""A quick run makes every other one of tests that differ in one argument alone."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from either import either

pytestmark = pytest.mark.once

SCREENS = range(6)


@either("size", ["small", "large"])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_sample(screen: int, size: str) -> None:
    assert size in ("small", "large")


def collected(*options: str) -> list[tuple[str, str]]:
    """The screens of the sample, and the size of each, as a run with those options takes them."""
    words = ["-m", "pytest", "-n", "0", "-q", "--collect-only", "-k", "sample", *options, __file__]
    listed = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    return re.findall(r"test_a_sample\[(\d)-(\w+)\]", listed.stdout)


def test_each_half_is_what_the_other_leaves_out() -> None:
    half, other = collected(), collected("--other-half")
    assert [screen for screen, _ in half] == [str(screen) for screen in SCREENS]
    assert {size for _, size in half} == {"small", "large"}
    assert not set(half) & set(other)
    assert sorted(half + other) == sorted(collected("-m", ""))
