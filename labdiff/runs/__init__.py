"""Run files: recorder, reader, summary, picture history."""
