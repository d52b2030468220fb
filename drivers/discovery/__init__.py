"""What is attached, through every back end that is installed."""
