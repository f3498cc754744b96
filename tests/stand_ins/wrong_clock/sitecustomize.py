"""A machine whose clock is off: on PYTHONPATH, it shifts the wall clock by CLOCK_OFFSET_S."""

import os
import time

_offset_s = float(os.environ.get("CLOCK_OFFSET_S", "0"))
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _offset_s
time.time_ns = lambda: _time_ns() + round(_offset_s * 1e9)
