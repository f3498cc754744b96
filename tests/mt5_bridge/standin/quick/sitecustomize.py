"""For a connector in a process of its own: a history counts as complete after half a second."""

from mt5_bridge.sources.terminal import tick_window

tick_window.SETTLED_AFTER = 0.5
