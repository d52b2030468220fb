"""Show the experiment and steer it; touches no device."""
