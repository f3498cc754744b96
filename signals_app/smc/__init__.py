"""Smart Money Concepts: causal detectors over a window of closed candles. Pure."""
