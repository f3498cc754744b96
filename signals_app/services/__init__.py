"""Writes across rows, each one function in one transaction."""
