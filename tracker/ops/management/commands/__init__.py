"""up, tick, reap, load_demo, doctor."""
