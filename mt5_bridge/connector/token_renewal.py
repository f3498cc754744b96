"""Keeps the token of an open connection fresh."""

import asyncio
from typing import Final

from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.clocks import read_clocks
from mt5_bridge.connector.credentials import CredentialsError, TokenSource, TokenUnavailableError
from mt5_bridge.connector.progress import Progress
from mt5_bridge.protocol.link import Link

_LOOK_EVERY: Final = 0.25
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


async def renew_tokens(
    link: Link, tokens: TokenSource, progress: Progress, news: asyncio.Event
) -> None:
    """Fetch the next token in time, again and again; ticks never wait for who gives it.

    ``news`` is set once there is a token to send.
    """
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        if not link.login.needs_new_token(link.clock.now_ms(read_clocks())):
            continue
        try:
            link.renew(await tokens.fetch())
        except (TokenUnavailableError, CredentialsError) as error:
            # The old one is still good for a while.
            progress.failed(f"the token could not be renewed: {error}")
            await asyncio.sleep(backoff.next_pause())
        else:
            backoff.reset()
            news.set()
