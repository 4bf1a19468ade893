"""The transition system of the virtual world, as a search walks it."""
