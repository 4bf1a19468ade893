"""A program on the way in: it is read here, never run."""
