"""Performance, and what happens as it happens, over HTTP."""
