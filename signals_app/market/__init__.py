"""The market in plain values: instruments, ticks, candles and the calendar. Pure."""
