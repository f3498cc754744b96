"""What is written from trades: their figures, the sealed record, the reports to followers."""
