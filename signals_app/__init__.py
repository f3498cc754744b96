"""From ticks to signals: candles, detectors, score, decision, the gateway and what they store."""
