"""See, step and check how the processes of a Python program synchronize."""

__version__ = "0.1.0"
