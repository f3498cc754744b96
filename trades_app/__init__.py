"""From signals to trades: moved tick by tick, on paper or in shadow, and announced."""
