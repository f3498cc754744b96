"""Who may do what: API keys and their scopes, addresses, and how much one caller may ask."""
