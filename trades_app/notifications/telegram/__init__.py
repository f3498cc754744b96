"""The Telegram channel: the bot and what its errors mean."""
