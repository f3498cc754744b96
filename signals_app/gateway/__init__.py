"""The door for ticks: connectors come in over WSS, accepted ticks leave in the Redis stream.

`connection` and `roles` decide without sockets or clocks, `stream` stores, `server` drives them.
"""
