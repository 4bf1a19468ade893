"""The parts of a primitive, as its creation is recorded."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """One atom: its role, its name, its form (see ``wire.Part``) and what it begins with."""

    role: str
    atom: str
    form: str
    value: int = 0
    maximum: int = 0
    text: str = ""
    address: int = 0
