"""Market data from files: candles of several exports, and ticks as the gateway stores them."""
