"""What spans everything: up, the tick, the demo."""
