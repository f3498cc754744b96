"""Strategies run beside the live one on the same closes: their paper trades, and a comparison."""
