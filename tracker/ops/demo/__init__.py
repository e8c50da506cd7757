"""The demo cohort: simulated people whose truth is known, and submissions that are really trained."""
