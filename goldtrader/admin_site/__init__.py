"""The admin as a whole: its first page, its sidebar and who may use it."""
