"""What the stack says when it cannot do what was asked."""


class StackError(Exception):
    """One sentence for the person at the terminal; the command ends with exit code 2."""
