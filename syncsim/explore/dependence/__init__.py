"""Dependence of events: footprints, conflicts, races."""
