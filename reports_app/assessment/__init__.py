"""What a result is worth: chance, luck, reliability by score, and proof against looking ahead."""
