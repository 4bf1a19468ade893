"""Real processes as a transition system, and the search over it."""
