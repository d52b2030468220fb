"""`python -m gui.process.quiet_command ...` is `labdiff ...`, at low priority."""

from gui.process.priority import lower_priority

if __name__ == "__main__":
    lower_priority()
    from labdiff.cli import main

    main()
