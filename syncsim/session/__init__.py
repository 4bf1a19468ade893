"""A run that a person or a command drives, without a screen."""
