"""What mentors give back to people."""
