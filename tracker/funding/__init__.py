"""Funds that people share with."""
