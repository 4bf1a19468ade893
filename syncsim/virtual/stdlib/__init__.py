"""Stand-ins for what the standard library takes from the machine."""
