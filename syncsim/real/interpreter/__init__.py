"""The record interpreter: turns the records of a real run into states and steps."""
