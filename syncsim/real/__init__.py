"""Runs of real processes, on our side: what ``instrument`` reports from within them comes here."""
