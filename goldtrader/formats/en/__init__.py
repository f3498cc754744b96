"""In English, whatever the country."""
