"""The Lua scripts that change a symbol's stream and its state in one atomic step. Pure.

An entry's id is `<ordinal of its last tick>-0`, that of a watermark `<ordinal>-<quarter hours since
1970>`, so that an id means the same after Redis lost everything.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha1
from itertools import chain
from typing import Any, Final, TypeAlias

from signals_app.gateway.append_plan import AppendPlan
from signals_app.gateway.overlap import write_tail
from signals_app.gateway.stream_state import SEQ_PREFIX, StreamState, write_jumps
from signals_app.market.candle import TIMEFRAMES
from signals_app.pipeline.stream_keys import state_key, stream_key

Arguments: TypeAlias = list[Any]
"""The two keys of `UPDATE`, and its arguments."""
_Fields: TypeAlias = Mapping[str, Any]

# Compares fields of the state, and only if all are as expected ('' means: not there) sets fields
# and appends entries. Answers 'OK', or the whole state where it is another one.
#   ARGV: n, n field/value pairs; field for Redis's own time, or ''; m, m field/value pairs;
#         then for each entry: id, k, k field/value pairs
UPDATE: Final = """
local at = 1
local function take()
  at = at + 1
  return ARGV[at - 1]
end
for _ = 1, tonumber(take()) do
  local field, expected = take(), take()
  if (redis.call('HGET', KEYS[1], field) or '') ~= expected then
    return redis.call('HGETALL', KEYS[1])
  end
end
local clock, set = take(), {}
for _ = 1, 2 * tonumber(take()) do
  set[#set + 1] = take()
end
while at <= #ARGV do
  local entry = {take()}
  for _ = 1, 2 * tonumber(take()) do
    entry[#entry + 1] = take()
  end
  redis.call('XADD', KEYS[2], unpack(entry))
end
if clock ~= '' then
  local time = redis.call('TIME')
  set[#set + 1] = clock
  set[#set + 1] = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
end
if #set > 0 then
  redis.call('HSET', KEYS[1], unpack(set))
end
return 'OK'
"""
UPDATE_SHA: Final = sha1(UPDATE.encode(), usedforsecurity=False).hexdigest()

# A stream without its state cannot be continued; the connector sends again what it held.
CREATE: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], unpack(ARGV))
end
"""

_WATERMARK_STEP_MS: Final = TIMEFRAMES[0].milliseconds


def create_arguments(symbol: str, fields: _Fields) -> Arguments:
    """Keys and arguments of `CREATE`, which sets these fields where there is no state."""
    return [state_key(symbol), stream_key(symbol), *_flat(fields)]


def update_arguments(
    symbol: str,
    *,
    expect: _Fields,
    change: _Fields | None = None,
    clock: str = "",
    entries: Sequence[tuple[str, _Fields]] = (),
) -> Arguments:
    """Keys and arguments of `UPDATE`; ``clock`` names the field that is set to Redis's time."""
    change = change or {}
    arguments: Arguments = [state_key(symbol), stream_key(symbol)]
    arguments += [len(expect), *_flat(expect), clock, len(change), *_flat(change)]
    for entry_id, fields in entries:
        arguments += [entry_id, len(fields), *_flat(fields)]
    return arguments


def append_arguments(
    symbol: str,
    connector: str,
    connection: str,
    before: StreamState,
    plan: AppendPlan,
    received_ms: int,
    spool: str = "",
) -> Arguments:
    """Keys and arguments of `UPDATE` that carry out a plan made for the state ``before``.

    ``received_ms`` is when the oldest of the ticks was read, Unix milliseconds.
    """
    after = plan.state
    expect = {
        "ordinal": str(before.ordinal),
        "watermark": str(before.watermark_ms),
        "active": connector,
        SEQ_PREFIX + connector: str(before.seqs.get(connector, "")),
    }
    change: dict[str, str] = {"active_connection": connection, "active_gone": ""}
    entries: list[tuple[str, _Fields]] = []
    origin = {"c": connector, "q": plan.seq, "r": received_ms}
    if spool:
        origin["s"] = spool
    if after.jumps != before.jumps:
        change["jumps"] = write_jumps(after.jumps)
    if plan.seq:
        change[SEQ_PREFIX + connector] = str(plan.seq)
    if len(plan.ticks):
        change |= {
            "ordinal": str(after.ordinal),
            "time_ms": str(after.time_ms),
            "bid": repr(after.bid),
            "writer": connector,
        }
        first, count = plan.ticks.first_ordinal, len(plan.ticks)
        entries.append(
            (f"{after.ordinal}-0", {"f": first, "n": count, **origin, "d": plan.ticks.pack()})
        )
    if after.tail != before.tail:
        change["tail"] = write_tail(after.tail)
    if plan.watermark_ms is not None:
        change["watermark"] = str(plan.watermark_ms)
        entry_id = f"{after.ordinal}-{plan.watermark_ms // _WATERMARK_STEP_MS}"
        watermark = {"f": after.ordinal + 1, "n": 0, **origin, "w": plan.watermark_ms}
        entries.append((entry_id, watermark))
    return update_arguments(
        symbol, expect=expect, change=change, clock="active_seen", entries=entries
    )


def _flat(fields: _Fields) -> list[Any]:
    return list(chain.from_iterable(fields.items()))
