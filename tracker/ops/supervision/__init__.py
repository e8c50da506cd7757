"""One foreground group: web, workers and tick as child processes."""
