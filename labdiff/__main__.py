"""`python -m labdiff` is `labdiff`."""

from labdiff.cli.main import main

main()
