"""Commands of the command line, one a file, each with `register(app)`."""
