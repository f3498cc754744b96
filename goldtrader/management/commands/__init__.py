"""The commands of this app; each parses, calls and renders."""
