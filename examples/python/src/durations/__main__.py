"""`python -m durations`."""

from durations.cli import main

main()
