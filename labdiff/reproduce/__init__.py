"""The paper's results, reproduced: one module for each."""
