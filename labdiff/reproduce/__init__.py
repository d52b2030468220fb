"""The paper's results anew, one file a result."""
