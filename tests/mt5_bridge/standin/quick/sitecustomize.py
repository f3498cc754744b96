"""For a connector in a process of its own: what would take long or much data, with little.

A history counts as complete after half a second, and the spool's pages are read from the disk again
and again, as those of a large one are.
"""

import sqlite3

from mt5_bridge.sources.terminal import tick_window

tick_window.SETTLED_AFTER = 0.5
_connect = sqlite3.connect


def connect(*arguments, **options):
    database = _connect(*arguments, **options)
    database.execute("PRAGMA cache_size = 1")
    return database


sqlite3.connect = connect
