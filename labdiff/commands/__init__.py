"""Commands of the command line, one file a command: `register(app)` adds it."""
