"""A virtual process: its greenlet, its memory, and the value that stands for both."""
