"""Pages for leads, mentors and mentees."""
