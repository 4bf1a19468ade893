"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# In the background of a shell it is ignored, and would be by all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Time is no claim of these tests, and a machine may be busy.
settings.register_profile(
    "syncsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# What is tried in the default run, and with --hypothesis-profile thorough.
settings.register_profile("quick", settings.get_profile("syncsim"), max_examples=40)
settings.register_profile("thorough", settings.get_profile("syncsim"), max_examples=400)
settings.load_profile("quick")
