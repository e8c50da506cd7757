"""Graders: one pure function each, from answers and truth to a grade that knows its own uncertainty."""
