"""Commands as a person gives them, for tests: run to their end in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def check(*words: object) -> subprocess.CompletedProcess[str]:
    """``python -m syncsim check`` with these words."""
    return _run("syncsim", "check", *map(str, words))


def pytest_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """``pytest`` with the tests in that folder."""
    return _run("pytest", "-q", "-p", "no:cacheprovider", str(folder), cwd=folder)


def _run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, cwd=cwd
    )
