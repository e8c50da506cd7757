"""Endpoints, by resource."""
