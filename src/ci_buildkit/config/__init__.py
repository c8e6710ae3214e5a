"""Options, declared once, and where each value came from."""
