"""The screens: what one sees of a run, and the keys by which one has a hand in it."""
