"""A source that makes its ticks up from a seed, for a first look, demonstrations and tests."""
