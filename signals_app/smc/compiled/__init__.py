"""The detectors as compiled loops over columns, which a test holds equal to the readable ones."""
