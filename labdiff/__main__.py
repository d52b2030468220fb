"""`python -m labdiff` is `labdiff`."""

from labdiff.cli import main

main()
