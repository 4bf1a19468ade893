"""What all tests share."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from either import leave_the_others
from hypothesis import HealthCheck, settings

# In the background of a shell it is ignored, and would be by all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests start thousands of interpreters: what those import is compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A fifth of what a test of a screen takes was the collector's, which finds next to nothing.
gc.set_threshold(50_000, 20, 50)

# Time is no claim of these tests, and a machine may be busy.
settings.register_profile(
    "syncsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# The default run tries the same programs each time: it says what a change has broken, and does not
# fail by chance on what nobody has touched.
settings.register_profile(
    "quick", settings.get_profile("syncsim"), max_examples=20, derandomize=True
)
# With --hypothesis-profile thorough more is tried, and something else each time: this finds.
settings.register_profile(
    "thorough", settings.get_profile("syncsim"), max_examples=400, derandomize=False
)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """Keep the collector from going through all that the tests have imported, again and again."""
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--other-half",
        action="store_true",
        help="of tests that differ in one argument alone, make those that are else left out",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_the_others(items, other_half=config.getoption("--other-half"))
