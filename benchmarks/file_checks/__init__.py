"""Files as strangers bring them: made by scripts, mutated, and read in a process that is watched."""
