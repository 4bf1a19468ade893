"""The panels of the stage; each draws what it is shown and asks nobody."""
