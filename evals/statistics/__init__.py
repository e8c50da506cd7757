"""Forecast drift and scores, paired change, calibration: what is told of numbers beside the noise model."""
