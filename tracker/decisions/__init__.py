"""Decisions by named people, with reasons."""
