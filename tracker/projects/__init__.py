"""What people work on, what came of it, and whose it is."""
