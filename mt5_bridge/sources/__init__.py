"""Where a connector takes its ticks from."""
