"""What every endpoint of the API shares: documentation, errors, pagination."""
