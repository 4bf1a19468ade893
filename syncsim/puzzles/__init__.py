"""Puzzles: each a plain program, a story, and a goal for the person at the screen."""
