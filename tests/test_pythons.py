"""The Pythons that were tried are the same wherever they are listed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from syncsim.core.pythons import TRIED

pytestmark = pytest.mark.once

PROJECT = Path(__file__).parents[1]
NAMES = [f"{major}.{minor}" for major, minor in TRIED]


def test_the_package_says_which_it_was_tried_with() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    named = [re.fullmatch(r".* :: Python :: (3\.\d+)", line) for line in project["classifiers"]]
    assert [found[1] for found in named if found] == NAMES


def test_all_of_them_are_tested() -> None:
    found = re.search(r'^VERSIONS="(.*)"', (PROJECT / ".ci" / "run").read_text(), re.MULTILINE)
    assert found is not None
    assert found[1].split() == NAMES


def test_the_readme_says_so() -> None:
    assert f"With Python {NAMES[0]} to {NAMES[-1]}" in (PROJECT / "README.md").read_text()
