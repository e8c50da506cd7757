"""One intake of people, in dated stages."""
