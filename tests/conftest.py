"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Time is no claim of these tests, and a machine may be busy.
settings.register_profile(
    "syncsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("syncsim")
