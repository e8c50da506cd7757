"""The science: plain Python that knows nothing of the web."""
