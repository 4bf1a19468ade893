"""Runs CPython's own tests of multiprocessing with and without syncsim, and compares.

    .venv/bin/python tests/cpython/run.py --method fork
    .venv/bin/python tests/cpython/run.py --method spawn --only TestLock --only TestQueue

The exit code is 0 when every test that passes without syncsim passes with it and no record is
lost; 1 otherwise; 2 when this Python has no ``test`` package.
"""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import tempfile
from pathlib import Path

import oracle


def main() -> int:
    """Does what the command line says; the answer is the exit code."""
    parser = argparse.ArgumentParser(description="CPython's own tests, with syncsim and without.")
    parser.add_argument("--method", choices=oracle.METHODS, required=True)
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="tests whose id has this text"
    )
    parser.add_argument("--log", type=Path, help="where the tests' output goes (a new file)")
    asked = parser.parse_args()
    if not oracle.is_there():
        print(oracle.MISSING, file=sys.stderr)
        return 2
    # A shell that starts us in the background has us ignore it, and some tests are about it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = asked.log or Path(tempfile.mkstemp(prefix="oracle-", suffix=".log")[1])
    log.write_bytes(b"")
    tests: list[str] = []
    if asked.only:
        tests = [
            name for name in oracle.listed(asked.method) if any(text in name for text in asked.only)
        ]
        if not tests:
            parser.error(f"no test has {' or '.join(asked.only)} in its id")
    print(f"Python {platform.python_version()}, {asked.method} (output: {log})", flush=True)
    plain = oracle.run(asked.method, watched=False, tests=tests, log=log)
    _tell("without", plain)
    watched = oracle.run(asked.method, watched=True, tests=tests, log=log)
    _tell("with", watched)
    print(
        f"records: {watched.read} read, {watched.written} written, {watched.lost} lost; "
        f"{watched.steps} steps of {watched.processes} processes and threads"
    )
    for name in oracle.fail_both_ways(plain, watched):
        print(f"fails both ways: {name}")
    amiss = oracle.amiss(plain, watched)
    for sentence in amiss:
        print(f"DIFFERS: {sentence}")
    good = not amiss
    for one in oracle.differences(asked.method, plain, watched, log=log):
        good = good and not one.is_ours
        _explain(one)
    print("the same with and without" if good else "NOT the same with and without")
    return 0 if good else 1


def _explain(one: oracle.Difference) -> None:
    print(f"{'DIFFERS' if one.is_ours else 'differs, but not when run alone'}: {one.test}")
    print(f"  in the whole run: {one.plain.outcome} without, {one.watched.outcome} with")
    print(f"  alone: {one.plain_alone.outcome} without, {one.watched_alone.outcome} with")
    detail = one.watched_alone.detail or one.watched.detail or one.plain.detail
    print("    " + detail.strip().replace("\n", "\n    "), flush=True)


def _tell(title: str, run: oracle.Run) -> None:
    counts = ", ".join(f"{number} {what}" for what, number in sorted(run.counts.items()))
    warnings = ", ".join(f"{what} × {number}" for what, number in sorted(run.warnings.items()))
    print(
        f"{title:>8}: {len(run.outcomes)} tests: {counts}; {run.seconds:.0f} s; "
        f"exit code {', '.join(map(str, run.exitcodes))}; warnings: {warnings or 'none'}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
