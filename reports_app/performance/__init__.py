"""What trades earned, in plain numbers. Pure; recomputed at any time with the same result."""
