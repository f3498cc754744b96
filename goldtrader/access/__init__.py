"""Access to the API: keys and their scopes, allowed addresses, rate limits."""
