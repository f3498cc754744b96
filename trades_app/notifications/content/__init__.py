"""What is written in each kind of message, made from the data of its row. Pure."""
