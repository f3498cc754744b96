"""Backtests as experiments: the files they read, how many were tried, and searches among many."""
