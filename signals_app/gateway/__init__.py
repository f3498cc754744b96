"""The door for ticks: connectors come in over WSS, accepted ticks leave in the Redis stream.

`connection` and `lease` decide without sockets or clocks, `append_log` stores, `server` drives.
"""
