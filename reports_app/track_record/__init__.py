"""The record of what was said: days sealed, the proof of it, figures and reports from it."""
