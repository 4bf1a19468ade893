"""CPython's own tests of multiprocessing, as a program: ``program.py OUTCOMES [TESTS]``.

The environment names the start method (a child of forkserver has no arguments yet when it
imports this file).  ``OUTCOMES`` gets one JSON object a line, as each test begins and ends;
``TESTS`` names those to run, one id a line (all of them without it).
``program.py --list`` prints them instead.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from typing import Any

import counting

counting.count_records(is_main=__name__ == "__main__")

from test import support  # noqa: E402
from test._test_multiprocessing import install_tests_in_module_dict  # noqa: E402

#: The environment variable that names the start method.
METHOD = "SYNCSIM_ORACLE_METHOD"

install_tests_in_module_dict(globals(), os.environ[METHOD])


class Outcomes(unittest.TestResult):
    """Writes down what comes of each test, at once, so that it survives a crash or a hang."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._pid = os.getpid()
        self._began = 0.0
        self._running = ""
        self._seen: dict[str, Any] = {}

    def write(self, **record: Any) -> None:
        """Adds a line to the file."""
        if os.getpid() == self._pid:  # no child that has strayed into here
            with open(self._path, "a") as file:
                file.write(json.dumps(record) + "\n")

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self._running = test.id()
        self._seen = {"outcome": "passed", "detail": ""}
        self._began = time.monotonic()
        self.write(test=self._running, outcome="begun")

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        seconds = round(time.monotonic() - self._began, 2)
        self.write(test=self._running, seconds=seconds, **self._seen)
        self._running = ""

    def _note(self, test: Any, outcome: str, detail: str) -> None:
        if self._running:
            if self._seen["outcome"] in ("passed", "skipped"):
                self._seen = {"outcome": outcome, "detail": detail}
        else:  # the set up or tear down of a class, or of the module
            self.write(test=test.id(), outcome=outcome, detail=detail, seconds=0.0)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "error", _text(err))

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "failed", _text(err))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            self._note(test, "failed", f"{subtest}: {_text(err)}")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._note(test, "expected failure", _text(err))

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        self._note(test, "unexpected success", "")

    def warn(self, message: str) -> None:
        """A warning of ``test.support``: something dangles."""
        self.write(test=self._running, outcome="warning", detail=message)


def _text(error: Any) -> str:
    return "".join(traceback.format_exception(*error))[-4000:]


def each_test(suite: Any) -> Iterator[unittest.TestCase]:
    """The tests in it, class by class."""
    if isinstance(suite, unittest.TestCase):
        yield suite
    else:
        for part in suite:
            yield from each_test(part)


def main(outcomes: str, tests: str = "") -> int:
    """Runs the tests; the exit code is 0 unless they could not be run at all."""
    faulthandler.enable()
    found = each_test(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    if outcomes == "--list":
        print(*(test.id() for test in found), sep="\n")
        return 0
    if tests:
        with open(tests) as file:
            wanted = set(file.read().split())
        found = (test for test in found if test.id() in wanted)
    tests_found = list(found)
    result = Outcomes(outcomes)
    result.write(tests=[test.id() for test in tests_found])
    support.print_warning = result.warn
    # As regrtest does when it is given a time limit.  One test (a ThreadPool is terminated) waits
    # for so long when one of its threads was quick enough to begin a task.
    support.LONG_TIMEOUT = 60.0
    unittest.TestSuite(tests_found).run(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
