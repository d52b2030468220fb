"""Work for several processes or machines: layer sets, trials of a sweep, and a bench that is elsewhere."""
