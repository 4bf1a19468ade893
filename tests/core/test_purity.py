"""The core is values in, values out: it needs no process, no clock, no thread, no screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import syncsim.core

CORE = Path(syncsim.core.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(CORE).with_suffix("").parts) for path in CORE.rglob("[!_]*.py")
)


def loaded_by(statement: str) -> set[str]:
    """What a fresh interpreter has loaded after the statement, beside what it begins with."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(ended.stdout.split())


def test_the_core_loads_no_processes_no_threads_and_no_screen() -> None:
    loaded = loaded_by("; ".join(f"import syncsim.core.{module}" for module in MODULES))
    assert "syncsim.core.deadlock.verdict" in loaded
    forbidden = {"asyncio", "multiprocessing", "selectors", "socket", "subprocess", "textual"}
    assert not forbidden & loaded


def test_the_core_loads_nothing_else_of_ours() -> None:
    loaded = loaded_by("; ".join(f"import syncsim.core.{module}" for module in MODULES))
    ours = {name for name in loaded if name.startswith("syncsim")}
    assert all(name == "syncsim" or name.startswith("syncsim.core") for name in ours)
