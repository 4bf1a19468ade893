"""A step: one call, or the part of one that went through, that took effect."""

from __future__ import annotations

from msgspec import Struct


class Step(Struct, frozen=True):
    """One step of a run, with its result, ready to be shown.

    ``n`` counts from 1.  ``verb`` is the method called (``put``, ``acquire``), ``call`` its
    full name.  ``result`` is text; it is ``"waits"`` when the call has begun but must wait in
    the middle (``Condition.wait``), and the name of an exception when the call raised
    one.  ``waited`` is how many steps the process had been waiting for this.  ``sentence``
    is the step in words, the process being its subject.
    """

    n: int
    actor: int
    process: str
    pid: int
    call: str
    verb: str
    primitive: str
    kind: str
    result: str
    file: str
    line: int
    function: str
    detail: str
    complete: bool
    waited: int
    sentence: str
