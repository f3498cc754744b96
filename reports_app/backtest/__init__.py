"""The live engine over a file: the same functions in one loop in one process. Pure."""
