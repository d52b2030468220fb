"""The command line at low priority: `python -m gui.process.low_priority_cli ...` is `labdiff ...`."""

from gui.process.priority import lower_priority

if __name__ == "__main__":
    lower_priority()
    from labdiff.cli.main import main

    main()
