"""Properties of a program, the views on which they are evaluated, and their verdicts."""
