"""What every endpoint has in common: keys, addresses, limits, errors, pages."""
