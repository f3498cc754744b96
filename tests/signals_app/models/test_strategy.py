"""Versions of parameters: what decided stays as it was."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from signals_app.models import Decision, NoLiveStrategy, Strategy
from signals_app.pipeline.decisions import decide_closes
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import stored_signal

pytestmark = pytest.mark.django_db

REFUSAL = r"default v1 has decided and stays as it is; a change is a new version\."


def test_a_strategy_that_made_a_signal_cannot_be_changed() -> None:
    strategy = stored_signal().strategy

    for change in ({"parameters": {"threshold": 10}}, {"name": "other"}, {"version": 9}):
        with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
            Strategy.objects.filter(pk=strategy.pk).update(**change)
    strategy.parameters = {"threshold": 10}
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        strategy.save()
    with pytest.raises(ProtectedError):
        strategy.delete()


def test_a_strategy_that_refused_a_close_cannot_be_changed() -> None:
    Decision.objects.create(instrument="XAUUSD", close_time_ms=CLOSE_MS)
    decide_closes("XAUUSD")

    assert Decision.objects.get().outcome == Decision.Outcome.REFUSED
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        Strategy.objects.update(parameters={"threshold": 10})
    with pytest.raises(ProtectedError):
        Strategy.objects.get().delete()


def test_it_can_still_be_retired() -> None:
    strategy = stored_signal().strategy

    Strategy.objects.filter(pk=strategy.pk).update(status=Strategy.Status.RETIRED)

    strategy.refresh_from_db()
    assert strategy.status == Strategy.Status.RETIRED


def test_one_that_decided_nothing_may_be_mended() -> None:
    strategy = Strategy.objects.live()

    strategy.parameters = {"threshold": 85}
    strategy.save()

    assert Strategy.objects.live().differences() == {"threshold": 85}


def test_a_retired_version_never_decides_in_place_of_a_live_one() -> None:
    Strategy.objects.update(status=Strategy.Status.RETIRED)

    with pytest.raises(NoLiveStrategy, match="No strategy is live: make one live"):
        Strategy.objects.live()


def test_where_there_is_no_strategy_the_defaults_are_live() -> None:
    Strategy.objects.all().delete()

    live = Strategy.objects.live()

    assert (live.version, live.status, live.differences()) == (1, "LIVE", {})
