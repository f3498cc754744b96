"""What a result is worth: against random entries, drawn again, by score, and without look-ahead."""
