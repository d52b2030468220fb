"""The run file: recorder, reader, summary, picture history."""
