"""Measured probabilities: which events are measured, their outcomes, the fit and the estimate."""
