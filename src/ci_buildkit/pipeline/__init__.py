"""Runs a plan: stages side by side, gates, the run record."""
