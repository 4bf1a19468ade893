"""What others meet of the package: its types, its page on an index, its pytest plugin."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import syncsim

pytestmark = pytest.mark.once

PROJECT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


def test_type_checkers_are_told_that_there_are_types() -> None:
    assert Path(syncsim.__file__).with_name("py.typed").is_file()


def on_an_index(readme: str) -> str:
    """Return the README as a package index shows it."""
    hook = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for rule in hook["substitutions"]:
        readme = re.sub(rule["pattern"], rule["replacement"], readme)
    return readme


def test_what_the_readme_shows_and_links_is_found_in_a_checkout_and_on_an_index() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    home = PYPROJECT["project"]["urls"]["Homepage"]
    links = re.findall(r"(!?)\[[^]]*\]\(([^)]+)\)", readme)
    assert {picture for picture, _ in links} == {"!", ""}
    assert all((PROJECT / path).is_file() for _, path in links)
    expected = [
        (picture, f"{home}/{'raw' if picture else 'blob'}/main/{path}") for picture, path in links
    ]
    assert re.findall(r"(!?)\[[^]]*\]\(([^)]+)\)", on_an_index(readme)) == expected


def test_the_pytest_plugin_costs_a_test_run_that_does_not_use_it_nothing() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import syncsim.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True
    )
    assert ended.stdout.split() == ["syncsim", "syncsim.pytest_plugin"]
