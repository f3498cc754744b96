"""What came of it: performance, the track record and its proof, backtests and the live page."""
