"""The stack's own exception."""


class StackError(Exception):
    """One sentence for the person at the terminal; the command ends with exit code 2."""
