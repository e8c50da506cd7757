"""What ratings and measurements say of people, and how sure that is."""
