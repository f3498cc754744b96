"""One worker serves a channel, others serve other channels, and a dead one's lease runs out."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import lanes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bot(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"


def channel(chat: str = "@gold", *, is_busy: bool = True) -> Channel:
    now = timezone.now()
    row = Channel.objects.create(chat=chat, opened_at=now, checked_at=now)
    if is_busy:
        message = Message.objects.create(key=chat, kind="TRADE", instrument="XAUUSD", text="x")
        ChannelDelivery.objects.create(message=message, channel=row)
    return row


def test_a_channel_with_work_is_served_by_one_worker() -> None:
    channel()
    channel("@idle", is_busy=False)

    mine = lanes.take()
    assert mine is not None
    assert (mine.chat, lanes.take()) == ("@gold", None)
    lanes.release(mine)
    assert lanes.take() is not None


def test_a_lease_that_ran_out_is_anothers_and_cannot_be_kept() -> None:
    channel()
    mine = lanes.take()
    assert mine is not None
    assert lanes.keep(mine)
    Channel.objects.update(leased_until=timezone.now() - timedelta(seconds=1))

    assert lanes.take() is not None

    assert not lanes.keep(mine)
    lanes.release(mine)
    assert lanes.take() is None


def test_failures_in_a_row_double_the_pause_and_a_success_ends_it() -> None:
    row = channel()
    assert [lanes.back_off(row) for _ in range(3)] == [2, 4, 8]
    assert lanes.take() is None

    lanes.worked(row)

    assert Channel.objects.get().failures == 0
    assert lanes.back_off(row) == 2


def test_a_parked_channel_is_left_alone_for_an_hour_or_until_an_operator_checks_it() -> None:
    row = channel()
    assert (lanes.park(row, "kicked"), lanes.park(row, "kicked")) == (True, False)
    assert lanes.take() is None

    assert lanes.check_again(Channel.objects.all()) == 1
    assert lanes.take() is not None


def test_a_refused_token_stops_all_channels_until_there_is_another(settings: Settings) -> None:
    channel()
    assert (lanes.park_bot("revoked"), lanes.park_bot("revoked")) == (True, False)
    assert (lanes.is_bot_parked(), lanes.take()) == (True, None)

    settings.TELEGRAM_BOT_TOKEN = "123456:ANOTHER"
    assert not lanes.is_bot_parked()
    assert lanes.take() is not None
