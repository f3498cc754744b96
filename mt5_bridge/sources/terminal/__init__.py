"""The MetaTrader 5 terminal as a source: its ticks, its history and its server's clock."""
