"""Signals, candles, connectors and the strategy over HTTP."""
