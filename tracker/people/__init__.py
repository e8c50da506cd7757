"""Who there is, what they may do where, and what they share."""
