"""The life of a tick on the server: stream, candles, analysis, decisions, in reading order."""
