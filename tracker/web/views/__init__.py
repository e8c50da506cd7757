"""Pages: each fetches what its visitor may see, does one verb, and answers."""
