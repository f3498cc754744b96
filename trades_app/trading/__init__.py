"""Trades opened, moved by ticks and closed: each change with its events in one transaction."""
