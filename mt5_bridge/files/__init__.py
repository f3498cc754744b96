"""Market-data files: ticks, candles and the clocks that their times were written by."""
