"""From what the detectors found to a score with reasons, and from the score to a signal. Pure."""
