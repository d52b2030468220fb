"""Run the command line: `python -m labdiff` does what `labdiff` does."""

from labdiff.cli.main import main

main()
