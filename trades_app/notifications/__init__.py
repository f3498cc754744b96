"""Messages to followers and operators: put into the outbox as data, put in words when sent."""
