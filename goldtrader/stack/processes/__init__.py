"""The stack's processes: started, watched, restarted and ended with it."""
