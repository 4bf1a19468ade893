"""The virtual model: states, moves and what each move does."""
