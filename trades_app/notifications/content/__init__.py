"""The text of each kind of notification, made from its data."""
