"""What all tests share."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# In the background of a shell it is ignored, and would be by all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests start thousands of interpreters: what those import is compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Time is no claim of these tests, and a machine may be busy.
settings.register_profile(
    "syncsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# The default run tries the same programs each time: it says what a change has broken, and does not
# fail by chance on what nobody has touched.
settings.register_profile(
    "quick", settings.get_profile("syncsim"), max_examples=40, derandomize=True
)
# With --hypothesis-profile thorough more is tried, and something else each time: this finds.
settings.register_profile(
    "thorough", settings.get_profile("syncsim"), max_examples=400, derandomize=False
)
settings.load_profile("quick")
