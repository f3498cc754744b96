"""What cannot run here, imitated down to its error codes: Telegram's server."""
